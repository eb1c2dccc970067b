"""The firewall of a dry run: it keeps bans in memory and touches no packet."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from agent.act.comment import comment_of, mark_of
from agent.model.address import Prefix, Source
from agent.model.ban import Held, Installed, Target
from agent.model.inspection import Inspection
from agent.model.layout import Layout
from agent.model.plan import Plan

_Entry = tuple[Held, datetime]


@dataclass(slots=True)
class DryRun:
    """Keeps the contract of `agent.act.interface` without a kernel.

    Bans end by the clock that each call is given.
    """

    name: Final = "dry-run"
    mode: Final = "dry-run"
    outcome: Final = "ban.would_apply"
    versions: tuple[int, ...] = (4, 6)
    _bans: dict[tuple[Source, Target], _Entry] = field(default_factory=dict)
    _allowed: frozenset[Prefix] = frozenset()

    def start_from(self, installed: Installed, now: datetime) -> None:
        """Begin with what a live firewall holds, so that nothing is planned that is there."""
        timed = [(held, held.left) for held in installed.bans]
        self._bans = {
            (held.source, held.target): (held, now + left) for held, left in timed if left
        }
        self._allowed = installed.allowed

    def prepare(self, layout: Layout) -> tuple[str, ...]:
        """Forget bans of services that are gone; there is nothing to make."""
        targets = {one.target for one in layout.sets}
        self._bans = {place: one for place, one in self._bans.items() if place[1] in targets}
        return ()

    def missing(self, layout: Layout) -> tuple[str, ...]:  # noqa: ARG002 - it needs nothing
        """Miss nothing."""
        return ()

    def is_touched(self) -> bool:
        """Nobody else can reach it."""
        return False

    def installed(self, now: datetime) -> Installed:
        """Read back the bans that have not ended by `now`, and the allow set."""
        self._bans = {place: one for place, one in self._bans.items() if one[1] > now}
        return Installed(
            bans=tuple(replace(held, left=until - now) for held, until in self._bans.values()),
            allowed=self._allowed,
        )

    def allowed(self) -> frozenset[Prefix]:
        """Read back the allow set."""
        return self._allowed

    def apply(self, plan: Plan, now: datetime) -> None:
        """Make `plan` true; never fails."""
        if plan.allow is not None:
            self._allowed = plan.allow
        for lift in plan.lift:
            self._bans.pop((lift.held.source, lift.held.target), None)
        for ban in plan.add:
            rest = ban.rest(now)
            if rest:
                held = Held(
                    source=Source(ban.source.prefix),
                    target=ban.target,
                    left=rest,
                    mark=mark_of(comment_of(ban)),
                    rate=ban.rate,
                )
                self._bans[held.source, held.target] = (held, now + rest)

    def inspect(self) -> Inspection:
        """Find nothing: no packet comes by."""
        return Inspection()

    def teardown(self) -> tuple[str, ...]:
        """Forget everything."""
        self._bans, self._allowed = {}, frozenset()
        return ()
