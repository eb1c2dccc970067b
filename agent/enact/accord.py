"""Keeping the firewall, the ledger and the policy in accord, at next to no cost.

Every cycle asks the firewall whether somebody touched it. A full look, which prepares it,
reads it back and reconciles it with the ledger, is taken at the start, when it was
touched, when the policy or the allow set changed, when somebody else wrote to the ledger,
and every half a minute; in between bans end by their own times.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf

from agent.decide import Reconciliation, Recorded, allow_set, layout_of, reconcile
from agent.enact.hands import Hands
from agent.model.address import Prefix
from agent.model.ban import Ban, Held, Installed, place_of
from agent.model.inputs import Spared
from agent.model.layout import Layout
from agent.model.plan import Plan
from agent.model.policy import Policy
from agent.record import ban_events, events
from agent.record.ledger import End, News

FULL_LOOK_S = 30.0

SHARE = 0.1
"""Of all time that looks may take which follow on foreign changes, at the most.

With 10,000 bans in force one takes 0.3 s: still each cycle of 5 s may have its look.
"""

LATE_S = 1.0
"""A firewall tells what is left in whole seconds: a ban is not called over before it is."""


@dataclass(slots=True)
class Accord:
    """What is known of the firewall between two looks.

    Attributes:
        hands: What acts.
        stopwatch: Seconds that only grow, as the kernel's timers do.
    """

    hands: Hands
    stopwatch: Callable[[], float]
    _policy: Policy | None = None
    _layout: Layout = field(default_factory=Layout)
    _installed: Installed = field(default_factory=Installed)
    _ends: list[tuple[float, Held]] = field(default_factory=list)
    _next_look: float = -inf
    _wanted: frozenset[Prefix] = frozenset()
    _spared: Spared | None = None
    _has_looked: bool = False
    _has_its_layout: bool = False
    _is_touched: bool = False
    _is_strange: bool = False
    _calm_until: float = -inf

    @property
    def has_looked(self) -> bool:
        """Whether a full look was taken: what a killed agent left behind is cut by then."""
        return self._has_looked

    @property
    def is_strange(self) -> bool:
        """Whether the last call found bans that no judgement of this agent put there."""
        return self._is_strange

    def installed(self, policy: Policy, spared: Spared, news: News, now: datetime) -> Installed:
        """Give what the firewall holds; the same object for as long as nothing changed.

        Raises:
            FirewallError: It can't be read, or does not hold the allow set.
        """
        is_new, self._is_strange = policy is not self._policy, news.is_other
        if is_new:
            self._policy, self._layout = policy, layout_of(policy)
            self._has_its_layout = False
        if is_new or spared != self._spared or self._may_have_ended(policy):
            wanted, self._spared = allow_set(policy, spared, now), spared
            versions = self.hands.firewall.versions
            self._wanted = frozenset(one for one in wanted if one.version in versions)
        if is_new or news.is_other or self._is_due():
            self._look(now)
        else:
            self._age(now)
        if self._wanted != self._installed.allowed:
            self.carry_out(Plan(allow=self._wanted), now)
        return self._installed

    def _may_have_ended(self, policy: Policy) -> bool:
        """Whether it is time to see if an entry has ended; adding up very many takes a second."""
        may_end = any(entry.until for entry in policy.allowlist)
        return may_end and self.stopwatch() >= self._next_look

    def carry_out(
        self, plan: Plan, now: datetime, *, outcome: str | None = None, how: End = End.LIFTED
    ) -> Installed:
        """Make a plan true and remember what holds afterwards.

        Raises:
            FirewallError: As `Hands.carry_out`; then the next call takes a full look.
        """
        self._next_look, due = -inf, self._next_look
        found = self.hands.carry_out(plan, self._layout.ssh, now, outcome=outcome, how=how)
        self._keep(found)
        self._next_look = due
        return self._installed

    def _is_due(self) -> bool:
        """Whether it is time for a full look.

        Where others change the firewall all the time, every touch is followed by the cheap
        part, whether all sets and rules are there and nobody lost his exemption, and the looks
        stay a small share of the time.
        """
        if self.stopwatch() >= self._next_look:
            return True
        self._is_touched |= self.hands.firewall.is_touched()
        if not self._is_touched:
            return False
        firewall, is_calm = self.hands.firewall, self.stopwatch() >= self._calm_until
        return (
            is_calm
            or bool(firewall.missing(self._layout))
            or firewall.allowed() != self._installed.allowed
        )

    def _look(self, now: datetime) -> None:
        """Take a full look and mend what is to be mended."""
        hands, self._next_look = self.hands, -inf
        begun, self._is_touched = self.stopwatch(), False
        missing = hands.firewall.prepare(self._layout)
        installed = hands.firewall.installed(now)
        ledger = hands.ledger
        recorded = Recorded(
            in_force=ledger.in_force(),
            intended=ledger.intended(),
            has_ended=ledger.has_ended,
        )
        found = reconcile(recorded, installed.bans, self._layout, now)
        self._record(found, installed, now)
        if self._has_its_layout and (missing or found.restore):
            hands.tell(events.firewall_healed(missing, len(found.restore)))
        allow = self._wanted if self._wanted != installed.allowed else None
        plan = Plan(add=found.restore, lift=found.lift, allow=allow)
        self._keep(installed)
        if plan:
            self.carry_out(plan, now, outcome="ban.restored")
        at = self.stopwatch()
        self._next_look, self._calm_until = at + FULL_LOOK_S, at + (at - begun) / SHARE
        self._has_looked = self._has_its_layout = True

    def _record(self, found: Reconciliation, installed: Installed, now: datetime) -> None:
        """Take into the ledger what the look brought to light."""
        hands, ledger = self.hands, self.hands.ledger
        over = [ban for ban in found.never if not ban.rest(now)]
        # Before it is written down: whoever is killed in between has to cut at the next start.
        kept = () if self._has_looked else found.keep
        late = (*found.adopt, *over, *kept)
        hands.tidy_up(late, installed.allowed, self._layout.ssh)
        self._expire(found.expired, now)
        self._lift(found.gone, now, "its service, or its rate, is gone from the policy")
        self._lift(found.replaced, now, "another ban is in its place")
        ledger.end(over, now, End.EXPIRED)
        ledger.settle((), [ban for ban in found.never if ban.rest(now)])
        ledger.settle(found.adopt, ())
        hands.tell_bans("ban.adopted", found.adopt)
        self._is_strange |= bool(found.adopt)

    def _lift(self, bans: Sequence[Ban], now: datetime, reason: str) -> None:
        """Record that bans are over by no doing of their own."""
        self.hands.ledger.end(bans, now, End.LIFTED)
        for ban in bans:
            event = ban_events.ban_event("ban.lifted", ban, self.hands.firewall.name)
            self.hands.tell(ban_events.because(event, reason))

    def _expire(self, bans: Sequence[Ban], now: datetime) -> None:
        self.hands.ledger.end(bans, now, End.EXPIRED)
        self.hands.tell_bans("ban.expired", bans)

    def _keep(self, installed: Installed) -> None:
        """Remember what was read back, and when each ban in it ends."""
        # One object for what is the same, so that comparing it in each cycle costs nothing.
        is_same = installed.allowed == self._wanted
        self._installed = replace(installed, allowed=self._wanted) if is_same else installed
        at = self.stopwatch()
        self._ends = sorted(
            (
                (at + one.left.total_seconds() + LATE_S, one)
                for one in installed.bans
                if one.left is not None
            ),
            key=lambda each: each[0],
        )

    def _age(self, now: datetime) -> None:
        """Leave out what has ended since the last look."""
        over = bisect_right(self._ends, self.stopwatch(), key=lambda each: each[0])
        if not over:
            return
        gone = {(held.source, held.target) for _, held in self._ends[:over]}
        self._ends = self._ends[over:]
        self._installed = replace(self._installed, bans=tuple(held for _, held in self._ends))
        known = [ban for ban in self.hands.ledger.in_force() if place_of(ban) in gone]
        self._expire(known, now)
