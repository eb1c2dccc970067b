"""The contract that every firewall keeps; one test, tests/act/test_contract.py, holds them to it.

``prepare`` makes sets, chains, rules and hooks be there. It may be called again and
again, also by an agent that was killed and restarted: nothing is ever there twice, bans
that are in force stay, and sets of services that are gone are removed with their bans.

``installed`` reads back what carries our name, and nothing else. It and ``apply`` work
once ``prepare`` or ``missing`` has told which sets there are.

``apply`` makes a plan true: first the allow set, then the lifts, then the adds. When the
allow set can't be made true nothing is added. It may be called again with the same plan:
adding what is there refreshes its end, lifting what is not there is no error (it may
just have expired). One add that the kernel refuses does not keep the others out. A ban
ends by itself after its time, also when the agent is dead. On an error part of the plan
may hold: only ``installed`` tells.

``is_touched`` is cheap enough for every cycle: false while nobody but this object has
changed anything as far as such a look can tell. A look by ``prepare`` and ``installed``
every half a minute finds the rest.

Nobody's rules but ours are touched, ever. What a tool prints on failure is shown to the
operator and never interpreted.
"""

from datetime import datetime
from typing import Final, Protocol

from agent.model.address import Prefix
from agent.model.ban import Installed
from agent.model.inspection import Inspection
from agent.model.layout import Layout
from agent.model.plan import Plan

DIFFERS: Final = " differs from what the policy asks"
"""Said behind the name of what is there, but has to be made anew."""


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

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of IP that it covers: without 6 where the machine has no IPv6."""

    def prepare(self, layout: Layout) -> tuple[str, ...]:
        """Make everything be there that bans of this layout need.

        Returns:
            What had to be made, by name, sorted; empty when all was there.

        Raises:
            FirewallError: It is not there.
        """

    def missing(self, layout: Layout) -> tuple[str, ...]:
        """Give what `prepare` would have to make, and change nothing.

        Returns:
            Names, sorted; one may have `DIFFERS` behind it.

        Raises:
            FirewallError: It can't be read.
        """

    def is_touched(self) -> bool:
        """Whether somebody else seems to have changed what is ours since the last look.

        Raises:
            FirewallError: It can't be told.
        """

    def installed(self, now: datetime) -> Installed:
        """Read back the bans and the allow set that are ours.

        Raises:
            FirewallError: They can't be read.
        """

    def allowed(self) -> frozenset[Prefix]:
        """Read back the allow set alone, which is small.

        Raises:
            FirewallError: It can't be read.
        """

    def apply(self, plan: Plan, now: datetime) -> None:
        """Make `plan` true.

        Raises:
            FirewallError: It is not, or not wholly.
        """

    def inspect(self) -> Inspection:
        """Tell whether packets really come by our rules, and what the sets have stopped.

        Raises:
            FirewallError: It can't be told.
        """

    def teardown(self) -> tuple[str, ...]:
        """Remove all that carries our name; give what was removed, by name, sorted.

        Raises:
            FirewallError: Something of it is still there.
        """
