"""One cycle, from sockets to records. The only module that knows every stage."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from agent import __version__
from agent.decide import Memory, guarded, remembered, standing_of, step
from agent.enact import Accord, Hands
from agent.model.address import Address
from agent.model.ban import Ban, Installed
from agent.model.inputs import (
    Counters,
    Identities,
    Inputs,
    Spared,
    Surroundings,
)
from agent.model.learned import Learned
from agent.model.plan import Decision
from agent.model.policy import Policy
from agent.model.sample import SOCKETS, Sample
from agent.ports import Ports
from agent.record import ban_events, events
from agent.record.alarm_events import alarm_event
from agent.record.budget import Budget
from agent.record.events import Event
from agent.record.ledger import End, News
from agent.record.tape.interface import Moment
from agent.record.trouble import Trouble

FILLING = 0.8
"""Of the policy's max_bans: from here on it is told."""

KEPT_EVERY_S = 300.0
"""Between two times at which what was learned is written down."""


@dataclass(slots=True)
class Loop:
    """What goes from one cycle to the next.

    Attributes:
        ports: The outside.
        policy: In force from the next cycle on.
        stage: Where the cycle is, or where it broke off.
        number: Of the cycle, from 1.
        last: What the last complete cycle saw.
    """

    ports: Ports
    policy: Policy
    stage: str = "observe"
    number: int = 0
    last: Sample | None = None
    _memory: Memory = field(init=False)
    _surroundings: Surroundings = field(default_factory=Surroundings)
    _identities: Identities = field(default_factory=Identities)
    _sessions: Mapping[Address, datetime] = field(init=False)
    _keep_at: float = field(init=False)
    _questions: tuple[Address, ...] = ()
    _moment: Moment | None = None
    _budget: Budget = field(default_factory=Budget)
    _unidentified: Trouble = field(default_factory=partial(Trouble, "identify"))
    _unrecorded: Trouble = field(default_factory=partial(Trouble, "tape"))
    _accord: Accord | None = None
    _failure: str | None = None
    _filling: str = ""
    _now: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Go on with what an earlier run has learned."""
        self._memory = Memory.of(self.ports.learned)
        self._sessions = self.ports.learned.sessions
        self._keep_at = self.ports.stopwatch() + KEPT_EVERY_S

    def cycle(self, now: datetime) -> Decision:
        """Observe, decide, act, record.

        Raises:
            AgentError: Of the stage in `stage`. What the firewall holds by then is
                recorded all the same.
        """
        self.number, self._now = self.number + 1, now
        self._questions, self._moment = (), None
        try:
            return self._observe_and_judge(now)
        finally:
            self._record()
            # With this the cycle is over for whoever identifies sources beside it.
            self.ports.identify.ask(self._questions, now)
            if self.ports.stopwatch() >= self._keep_at:
                self.keep()

    def _observe_and_judge(self, now: datetime) -> Decision:
        start = self.ports.stopwatch()
        self.stage = "observe"
        self._look_around()
        self._settle_in()
        self.stage = "observe"
        sample, counters = self.ports.sockets.read(now), self.ports.counters()
        sampled = self.ports.stopwatch()
        self.stage = "act"
        with self.ports.writer():
            decision = self._judge(sample, counters)
        self.stage = "record"
        self._complete(sample, start, sampled)
        return decision

    def _record(self) -> None:
        if self._moment is not None:
            self.ports.tape.record(self._moment)
            self._tell(self._unrecorded.news(self.ports.tape.trouble(), self._now))

    def _moment_of(self, inputs: Inputs) -> Moment:
        """Give what is to be recorded of inputs, ahead of their judgement."""
        sockets = inputs.sample.tallies.get(SOCKETS, {})
        return Moment(
            inputs=inputs,
            policy=self.policy,
            standing=partial(standing_of, self._memory, sockets),
            learned=self._learned,
        )

    def _judge(self, sample: Sample, counters: Counters) -> Decision:
        """Decide on a sample by what the firewall and the ledger hold, and act."""
        now, ports = self._now, self.ports
        spared, installed = self._agree()
        self.stage = "decide"
        inputs = Inputs(
            sample=sample,
            counters=counters,
            surroundings=spared.surroundings,
            listeners=ports.listeners(),
            sysctls=ports.sysctls(),
            installed=installed,
            history=ports.ledger.history(),
            identities=self._identities,
            is_strange=self._in_accord().is_strange,
            standing=ports.standing(),
        )
        self._moment = self._moment_of(inputs)
        tried = self._memory.fuse.tried
        self._memory, decision = step(self._memory, inputs, self.policy, now)
        if self._memory.fuse.tried != tried:
            self._keep_at = ports.stopwatch()
        self.stage = "act"
        affords = partial(self._budget.affords, now=now)
        # What concerns the whole machine first: it says why sources are treated as they are.
        self._tell(map(alarm_event, decision.alarms))
        self._tell(events.sources_changed(decision, affords))
        self._questions = decision.questions
        if decision.plan:
            self._in_accord().carry_out(decision.plan, now)
        return decision

    def _settle_in(self) -> None:
        """Cut what a killed agent left standing, before the first sample counts it again."""
        if self._in_accord().has_looked:
            return
        self.stage = "act"
        with self.ports.writer():
            self._agree()

    def _agree(self) -> tuple[Spared, Installed]:
        """Bring firewall and ledger into accord; give who is spared, and what is held."""
        news, now = self._hear(), self._now
        permits = self.ports.ledger.permits(now)
        spared = Spared(
            surroundings=guarded(self._surroundings, permits, self._sessions, now),
            found=self._identities.found,
        )
        return spared, self._in_accord().installed(self.policy, spared, news, now)

    def _in_accord(self) -> Accord:
        """Give what keeps firewall and ledger in accord, from the first cycle to the last."""
        if self._accord is None:
            ports = self.ports
            hands = Hands(
                firewall=ports.firewall,
                ledger=ports.ledger,
                cut=ports.cut,
                tell=lambda event: self._tell([event]),
            )
            self._accord = Accord(hands, ports.stopwatch)
        return self._accord

    def _look_around(self) -> None:
        """Find who is to be guarded and who sources are, as far as that is known by now."""
        found = self.ports.surroundings(self.policy.administrators)
        self._tell(events.guard_changed(self._surroundings, found))
        is_new = not found.administrators <= self._sessions.keys()
        self._sessions = remembered(self._sessions, found, self._now)
        self._surroundings = found
        self._identities = self.ports.identify.look(self.policy, self._now)
        if is_new:
            self._keep_at = self.ports.stopwatch()

    def keep(self) -> None:
        """Have written down what was learned; once more at the end."""
        self._keep_at = self.ports.stopwatch() + KEPT_EVERY_S
        self.ports.keep(self._learned())

    def _learned(self) -> Learned:
        return Learned(
            clients=self._memory.clients,
            sessions=self._sessions,
            verified=self.ports.identify.verified(),
            hosts=self.ports.identify.hosts(),
            tried=self._memory.fuse.tried,
        )

    def _hear(self) -> News:
        """Tell what commands did since the last cycle, and how the ledger is."""
        news, name = self.ports.ledger.refresh(self._now), self.ports.firewall.name
        if news.rebuilt is not None:
            self._tell([events.ledger_rebuilt(news.rebuilt)])
        if (news.failure is None) != (self._failure is None):
            self._tell([events.degraded(__version__, self.policy, name, news.failure)])
        self._failure = news.failure
        self._tell(ban_events.ban_event("ban.applied", ban, name) for ban in news.applied)
        self._tell(_ended(ban, how, name) for ban, how in news.ended)
        return news

    def _complete(self, sample: Sample, start: float, sampled: float) -> None:
        bans, most = len(self.ports.ledger.in_force()), self.policy.safety.max_bans
        filling = "full" if bans >= most else "filling" if bans >= FILLING * most else ""
        if filling and filling != self._filling:
            self._tell([events.set_filling(bans, most)])
        self._filling = filling
        self._tell(self._unidentified.news(self.ports.identify.trouble(), self._now))
        times = {
            "sample_ms": (sampled - start) * 1000,
            "cycle_ms": (self.ports.stopwatch() - start) * 1000,
        }
        self._tell([events.cycle_completed(sample, count_sources(sample), times, bans)])
        self.last = sample

    def _tell(self, news: Iterable[Event]) -> None:
        for event in news:
            self.ports.write(event, self._now, self.number)


def _ended(ban: Ban, how: End, firewall: str) -> Event:
    """Tell of an end that a command recorded; it may only have noticed it."""
    if how is End.EXPIRED:
        return ban_events.ban_event("ban.expired", ban, firewall)
    return ban_events.because(ban_events.ban_event("ban.lifted", ban, firewall), "by hand")


def count_sources(sample: Sample) -> int:
    """Count the different remote addresses on listening ports."""
    return len({key[::3] for tally in sample.tallies.values() for key in tally})
