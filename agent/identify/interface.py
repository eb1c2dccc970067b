"""What the loop needs of whoever identifies sources. Nothing here ever waits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from agent.model.address import Address, Prefix
from agent.model.inputs import Identities
from agent.model.learned import Verified
from agent.model.policy import Policy


class Identifier(Protocol):
    """Identifies sources beside the cycles. No method looks outside, and none raises."""

    def look(self, policy: Policy, now: datetime) -> Identities:
        """Give what is known for the entries of a policy; the same object while nothing changed.

        With a policy that it has not seen yet it begins to look up that policy's hosts.
        """

    def ask(self, addresses: Sequence[Address], now: datetime) -> None:
        """Have addresses looked up whose names matter; those with a fresh answer are left alone."""

    def verified(self) -> Mapping[Address, Verified]:
        """Give the addresses with confirmed names, to be remembered over a restart."""

    def hosts(self) -> Mapping[str, frozenset[Prefix]]:
        """Give what the policy's host names stood for last, likewise."""

    def trouble(self) -> str | None:
        """Say why nothing, or not everything, can be identified; None while all is well."""


class Nobody:
    """Identifies nobody: for a policy that names nobody."""

    def look(self, policy: Policy, now: datetime) -> Identities:  # noqa: ARG002 - nothing to look for
        """Give nothing."""
        return _NOTHING

    def ask(self, addresses: Sequence[Address], now: datetime) -> None:
        """Leave them unidentified."""

    def verified(self) -> Mapping[Address, Verified]:
        """Give nothing."""
        return {}

    def hosts(self) -> Mapping[str, frozenset[Prefix]]:
        """Give nothing."""
        return {}

    def trouble(self) -> str | None:
        """Nothing can go wrong."""
        return None


_NOTHING = Identities()
