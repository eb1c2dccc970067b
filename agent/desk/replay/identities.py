"""Who sources were when they were recorded, told again under any policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent.identify.found import found_of
from agent.model.address import Address, Prefix
from agent.model.frame import Frame
from agent.model.inputs import Found, Identities
from agent.model.learned import Learned, Verified
from agent.model.policy import Policy


@dataclass(slots=True)
class Remembered:
    """The `Identifier` of a replay: it asks nobody.

    Under the policy that was in force it knows at each moment what was known then. Under
    another it knows that policy's ranges as they are today, and of names and hosts what was
    confirmed by then: a source that nobody asked about stays unknown.

    Attributes:
        frame: The moment.
        vendors: Networks of large CDNs.
    """

    frame: Frame
    vendors: Mapping[str, frozenset[Prefix]]
    _ranges: tuple[Policy, Policy, Found] | None = None
    _from: tuple[Identities, Learned, str] | None = None
    _known: Identities = field(default_factory=Identities)

    def look(self, policy: Policy, now: datetime) -> Identities:  # noqa: ARG002 - that of the frame
        """Give what is known; the same object while nothing changed."""
        told, learned = self.frame.inputs.identities, self.frame.learned
        is_same = policy.sha256 == self.frame.policy_sha256
        last = self._from
        if last and last[0] is told and last[1] is learned and last[2] == self.frame.policy_sha256:
            return self._known
        self._from = (told, learned, self.frame.policy_sha256)
        found = told.found if is_same else self._found(policy, learned)
        known = replace(told, found=found, vendors=self.vendors)
        self._known = known if is_same else replace(known, unread=frozenset())
        return self._known

    def _found(self, policy: Policy, learned: Learned) -> Found:
        """Give who belongs to the entries of a policy; its range files are read once."""
        if self._ranges is None or self._ranges[0] is not policy:
            entries = tuple(replace(entry, ranges=()) for entry in policy.allowlist)
            bare = replace(policy, allowlist=entries)
            self._ranges = (policy, bare, found_of(policy, Learned()))
        _, bare, ranges = self._ranges
        found = found_of(bare, learned)
        return {
            name: ranges.get(name, frozenset()) | found.get(name, frozenset())
            for name in ranges.keys() | found.keys()
        }

    def ask(self, addresses: Sequence[Address], now: datetime) -> None:
        """Ask nobody."""

    def verified(self) -> Mapping[Address, Verified]:
        """Give the addresses with confirmed names."""
        return self.frame.learned.verified

    def hosts(self) -> Mapping[str, frozenset[Prefix]]:
        """Give what host names stood for."""
        return self.frame.learned.hosts

    def trouble(self) -> str | None:
        """Nothing is looked up, so that nothing can fail."""
        return None
