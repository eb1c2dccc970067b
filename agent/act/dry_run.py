"""The firewall of a dry run: it keeps bans in memory and touches no packet."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from agent.model.address import Prefix, Source
from agent.model.ban import Ban, Held, Installed, Target
from agent.model.plan import Plan


@dataclass(slots=True)
class DryRun:
    """Keeps the contract of `agent.act.interface` without a kernel.

    Bans end by the clock that each call is given.
    """

    name: Final = "dry-run"
    mode: Final = "dry-run"
    outcome: Final = "ban.would_apply"
    _bans: dict[tuple[Source, Target], Ban] = field(default_factory=dict)
    _allowed: frozenset[Prefix] = frozenset()

    def installed(self, now: datetime) -> Installed:
        """Read back the bans that have not ended by `now`, and the allow set."""
        self._bans = {place: ban for place, ban in self._bans.items() if ban.rest(now)}
        return Installed(
            bans=tuple(
                Held(
                    source=source,
                    target=target,
                    left=ban.rest(now),
                    ban_id=ban.ban_id,
                    rule=ban.rule,
                )
                for (source, target), ban in self._bans.items()
            ),
            allowed=self._allowed,
        )

    def apply(self, plan: Plan, now: datetime) -> None:
        """Make `plan` true; never fails."""
        if plan.allow is not None:
            self._allowed = plan.allow
        for lift in plan.lift:
            self._bans.pop((lift.held.source, lift.held.target), None)
        for ban in plan.add:
            if ban.rest(now):
                self._bans[Source(ban.source.prefix), ban.target] = ban
