"""One cycle, from sockets to records. The only module that knows every stage."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from agent.act.interface import Firewall
from agent.decide import Memory, allow_set, reconcile, step
from agent.errors import FirewallError
from agent.model.address import Source
from agent.model.ban import Installed
from agent.model.inputs import Counters, Inputs, Surroundings
from agent.model.plan import Decision, Plan
from agent.model.policy import Policy
from agent.model.sample import Sample
from agent.observe.interface import SocketReader
from agent.record import events
from agent.record.budget import Budget
from agent.record.events import Event
from agent.record.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside the judgement that a cycle touches.

    Attributes:
        sockets: Reads the sockets.
        counters: Reads the kernel's counters.
        surroundings: Finds what is to be guarded.
        firewall: Holds the bans.
        ledger: Remembers them.
        write: Takes each event, with the moment and the number of its cycle.
        stopwatch: Seconds that only grow, to measure durations with.
    """

    sockets: SocketReader
    counters: Callable[[], Counters]
    surroundings: Callable[[], Surroundings]
    firewall: Firewall
    ledger: Ledger
    write: Callable[[Event, datetime, int], None]
    stopwatch: Callable[[], float]


@dataclass(slots=True)
class Loop:
    """What goes from one cycle to the next.

    Attributes:
        ports: The outside.
        policy: In force from the next cycle on.
        stage: Where the cycle is, or where it broke off.
        number: Of the cycle, from 1.
    """

    ports: Ports
    policy: Policy
    stage: str = "observe"
    number: int = 0
    _memory: Memory = field(default_factory=Memory)
    _surroundings: Surroundings = field(default_factory=Surroundings)
    _budget: Budget = field(default_factory=Budget)
    _now: datetime = field(init=False)

    def cycle(self, now: datetime) -> Decision:
        """Observe, decide, act, record.

        Raises:
            AgentError: Of the stage in `stage`. What the firewall holds by then is
                recorded all the same.
        """
        self.number, self._now = self.number + 1, now
        start = self.ports.stopwatch()
        self.stage = "observe"
        sample, counters = self.ports.sockets.read(now), self.ports.counters()
        self._look_around()
        sampled = self.ports.stopwatch()
        self.stage = "act"
        installed = self._prepare()
        self.stage = "decide"
        inputs = Inputs(
            sample=sample,
            counters=counters,
            surroundings=self._surroundings,
            installed=installed,
            history=self.ports.ledger.history(),
        )
        self._memory, decision = step(self._memory, inputs, self.policy, now)
        self.stage = "act"
        affords = partial(self._budget.affords, now=now)
        self._tell(events.sources_changed(decision, affords))
        self._carry_out(decision.plan)
        self.stage = "record"
        self._complete(sample, start, sampled)
        return decision

    def _look_around(self) -> None:
        found = self.ports.surroundings()
        self._tell(events.guard_changed(self._surroundings, found))
        self._surroundings = found

    def _prepare(self) -> Installed:
        """Make firewall and ledger agree, and the allow set hold, before anything is judged."""
        firewall, ledger, now = self.ports.firewall, self.ports.ledger, self._now
        installed = firewall.installed(now)
        found = reconcile(ledger.in_force(), installed.bans, now)
        for ban in found.expired:
            ledger.end(ban, ban.until)
        self._tell(events.ban_event("ban.expired", ban, firewall.name) for ban in found.expired)
        wanted = allow_set(self.policy, self._surroundings, now)
        plan = Plan(
            add=found.restore,
            lift=found.lift,
            allow=wanted if wanted != installed.allowed else None,
        )
        if not plan:
            return installed
        return self._carry_out(plan, outcome="ban.restored")

    def _carry_out(self, plan: Plan, outcome: str | None = None) -> Installed:
        """Record the intent, act, read back, record the outcome: also when acting fails.

        Args:
            plan: What to change.
            outcome: The event for a ban that is there afterwards; the firewall's own by default.

        Returns:
            What the firewall holds afterwards; nothing when there was nothing to do.

        Raises:
            FirewallError: The plan does not hold wholly; the outcomes are recorded.
        """
        firewall, ledger, now = self.ports.firewall, self.ports.ledger, self._now
        if not plan:
            return Installed()
        for ban in plan.add:
            ledger.intend(ban)
        self._tell(events.ban_event("ban.planned", ban, firewall.name) for ban in plan.add)
        failure: FirewallError | None = None
        try:
            firewall.apply(plan, now)
        except FirewallError as error:
            failure = error
        installed = self._read_back(failure)
        self._settle(plan, installed, outcome or firewall.outcome, failure)
        if failure is not None:
            raise failure
        return installed

    def _read_back(self, failure: FirewallError | None) -> Installed:
        """Read the firewall; one that failed and can't be read either holds nothing we know of."""
        try:
            return self.ports.firewall.installed(self._now)
        except FirewallError:
            if failure is None:
                raise
            return Installed()

    def _settle(
        self, plan: Plan, installed: Installed, outcome: str, failure: FirewallError | None
    ) -> None:
        """Record of each change whether it holds."""
        ledger, name = self.ports.ledger, self.ports.firewall.name
        held = {(one.source, one.target) for one in installed.bans}
        known = {(Source(ban.source.prefix), ban.target): ban for ban in ledger.in_force()}
        for ban in plan.add:
            applied = (Source(ban.source.prefix), ban.target) in held
            ledger.settle(ban, applied=applied)
            error = None if applied else str(failure or "it is not there when read back")
            event = outcome if applied else "ban.failed"
            self._tell([events.ban_event(event, ban, name, error)])
        for lift in plan.lift:
            place = (lift.held.source, lift.held.target)
            if place in held:
                continue
            lifted = known.get(place)
            if lifted is not None:
                ledger.end(lifted, self._now)
            self._tell([events.ban_lifted(lift, lifted, name, self._now)])

    def _complete(self, sample: Sample, start: float, sampled: float) -> None:
        times = {
            "sample_ms": (sampled - start) * 1000,
            "cycle_ms": (self.ports.stopwatch() - start) * 1000,
        }
        bans = len(self.ports.ledger.in_force())
        self._tell([events.cycle_completed(sample, _sources(sample), times, bans)])

    def _tell(self, news: Iterable[Event]) -> None:
        for event in news:
            self.ports.write(event, self._now, self.number)


def _sources(sample: Sample) -> int:
    """Count the different remote addresses on listening ports."""
    return len({key[::3] for tally in sample.tallies.values() for key in tally})
