"""The contract that every firewall keeps; one test, tests/act/test_contract.py, holds them to it.

``installed`` reads back what carries our name, and nothing else.

``apply`` makes a plan true: first the allow set, then the lifts, then the adds.
It may be called again with the same plan: adding what is there refreshes its
end, lifting what is not there is no error (it may just have expired). A ban ends
by itself after its time, also when the agent is dead. On an error part of the
plan may hold: only ``installed`` tells. Nobody's rules but ours are touched.
"""

from datetime import datetime
from typing import Protocol

from agent.model.ban import Installed
from agent.model.plan import Plan


class Firewall(Protocol):
    """A place where bans are installed."""

    @property
    def name(self) -> str:
        """For records, as ``nftables``."""

    @property
    def mode(self) -> str:
        """``live``, or ``dry-run`` where no packet is ever touched."""

    @property
    def outcome(self) -> str:
        """The event that tells of a ban read back: ``ban.applied`` or ``ban.would_apply``."""

    def installed(self, now: datetime) -> Installed:
        """Read back the bans and the allow set that are ours.

        Raises:
            FirewallError: They can't be read.
        """

    def apply(self, plan: Plan, now: datetime) -> None:
        """Make `plan` true.

        Raises:
            FirewallError: It is not, or not wholly.
        """
