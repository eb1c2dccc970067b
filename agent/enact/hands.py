"""Making a plan true: intent, act, read back, cut, outcome, in this order, whatever fails."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from agent.act.cut.cutting import Cut
from agent.act.interface import Firewall
from agent.errors import FirewallError
from agent.model.address import Prefix
from agent.model.ban import Ban, Installed, Place, place_of
from agent.model.plan import Plan
from agent.model.policy import Answer
from agent.record import ban_events
from agent.record.events import Event
from agent.record.ledger import End, Ledger

Cutter: TypeAlias = Callable[[Sequence[Ban], frozenset[Prefix], frozenset[int]], Cut]
"""From bans, the allow set and the ports of ssh to what was destroyed. Raises FirewallError."""

TOLD_AT_MOST = 100
"""Of bans that are restored, or failed, or ended, in one go: none of it may flood the log."""

_NOT_THERE = "it is not there when read back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What acts, and what remembers and tells of it.

    Attributes:
        firewall: Holds the bans.
        ledger: Remembers them.
        cut: Destroys the live sockets of whoever is banned; None in a dry run.
        tell: Takes each event.
    """

    firewall: Firewall
    ledger: Ledger
    cut: Cutter | None
    tell: Callable[[Event], None]

    def carry_out(
        self,
        plan: Plan,
        ssh: frozenset[int],
        now: datetime,
        *,
        outcome: str | None = None,
        how: End = End.LIFTED,
    ) -> Installed:
        """Record the intent, act, read back, cut, record the outcome: also when acting fails.

        Args:
            plan: What to change; not empty.
            ssh: The ports that a ban of the host leaves open.
            now: The moment.
            outcome: The event for a ban that is there afterwards; the firewall's own by default.
            how: What the ledger is to remember of the bans that are lifted.

        Returns:
            What the firewall holds afterwards.

        Raises:
            FirewallError: It can't be read back, or the allow set does not hold. What failed
                of the bans alone is told ban by ban.
        """
        self.ledger.intend(plan.add)
        self.tell_bans("ban.planned", plan.add)
        failure: FirewallError | None = None
        try:
            self.firewall.apply(plan, now)
        except FirewallError as error:
            failure = error
        installed = self._read_back(plan, now, failure)
        held = {
            (one.source, one.target): one.mark.ban_id if one.mark else None
            for one in installed.bans
        }
        applied = tuple(ban for ban in plan.add if held.get(place_of(ban)) == ban.ban_id)
        # Cut first: until it is settled, a ban whose agent is killed is cut at the next start.
        cut = self._cut(applied, installed.allowed, ssh)
        self._settle(plan, applied, failure, outcome or self.firewall.outcome)
        self._tell(cut)
        self._end(plan, held, now, how, failure)
        if plan.allow is not None and plan.allow != installed.allowed:
            raise failure or FirewallError("the allow set is not there when read back")
        return installed

    def tidy_up(self, bans: Sequence[Ban], allowed: frozenset[Prefix], ssh: frozenset[int]) -> None:
        """Cut what is left of bans whose agent was killed before it could."""
        self._tell(self._cut(bans, allowed, ssh))

    def _tell(self, cut: Cut) -> None:
        if cut != Cut():
            self.tell(ban_events.sockets_cut(cut.sockets, cut.flows, cut.left, cut.failure))

    def _read_back(self, plan: Plan, now: datetime, failure: FirewallError | None) -> Installed:
        """Read the firewall; one that failed and can't be read either holds nothing we know of."""
        try:
            return self.firewall.installed(now)
        except FirewallError as error:
            self._settle(plan, (), failure or error, self.firewall.outcome)
            raise (failure or error) from error

    def _cut(self, bans: Sequence[Ban], allowed: frozenset[Prefix], ssh: frozenset[int]) -> Cut:
        """Destroy live sockets; the bans hold whether that works or not."""
        drops = [ban for ban in bans if ban.answer is Answer.DROP]
        if self.cut is None or not drops:
            return Cut()
        try:
            return self.cut(drops, allowed, ssh)
        except FirewallError as error:
            return Cut(failure=str(error))

    def _settle(
        self,
        plan: Plan,
        applied: Sequence[Ban],
        failure: FirewallError | None,
        outcome: str,
    ) -> None:
        """Record of each ban whether it holds; an older one in its place is over."""
        now_there = {ban.ban_id for ban in applied}
        failed = [ban for ban in plan.add if ban.ban_id not in now_there]
        places = {place_of(ban): ban for ban in applied}
        replaced = [
            (old, new)
            for old in (self.ledger.in_force() if applied else ())
            if (new := places.get(place_of(old))) and new.ban_id != old.ban_id
        ]
        for old, new in replaced:
            event = ban_events.ban_event("ban.lifted", old, self.firewall.name)
            self.tell(ban_events.because(event, f"ban {new.ban_id} is in its place"))
        if replaced:
            self.ledger.end([old for old, _ in replaced], applied[0].begins, End.LIFTED)
        self.ledger.settle(applied, failed)
        self.tell_bans(outcome, applied)
        self.tell_bans("ban.failed", failed, str(failure or _NOT_THERE))

    def _end(
        self,
        plan: Plan,
        held: Mapping[Place, str | None],
        now: datetime,
        how: End,
        failure: FirewallError | None,
    ) -> None:
        """Record the lifts that hold, and tell of those that do not."""
        known = {place_of(ban): ban for ban in self.ledger.in_force()} if plan.lift else {}
        added = {place_of(ban) for ban in plan.add}
        over: list[Ban] = []
        for lift in plan.lift:
            place = (lift.held.source, lift.held.target)
            ban = known.get(place)
            if place not in held:
                over += [ban] if ban else []
                self.tell(ban_events.ban_lifted(lift, ban, self.firewall.name, now))
            elif place not in added:
                why = str(failure or "it is still there when read back")
                self.tell(ban_events.lift_failed(lift, ban, self.firewall.name, now, why))
        self.ledger.end(over, now, how)

    def tell_bans(self, name: str, bans: Sequence[Ban], error: str | None = None) -> None:
        """Tell of bans one by one; of very many, but for new ones, in one event.

        What is new is capped by the policy, and each is for the records. A reboot, or a
        foreign flush, may bring back a hundred thousand.
        """
        if len(bans) > TOLD_AT_MOST and name in _SUMMED_UP:
            self.tell(ban_events.summary(name, len(bans), self.firewall.name, error))
            return
        for ban in bans:
            self.tell(ban_events.ban_event(name, ban, self.firewall.name, error))


_SUMMED_UP = frozenset({"ban.planned", "ban.restored", "ban.adopted", "ban.expired", "ban.failed"})
