"""What a policy did over many moments, source by source."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.model.address import Address, Source
from agent.model.alarm import Alarm
from agent.model.ban import Ban, Place, place_of
from agent.model.frame import Frame
from agent.model.learned import Verified
from agent.model.plan import Decision
from agent.model.policy import AllowEntry, Policy, Rule
from agent.model.verdict import Finding, Verdict

ALARMS_AT_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A ban, and what became of it.

    Attributes:
        ban: As it was decided.
        ended: When it ended, or will; aware, UTC.
        why: Why it was lifted before its time; empty where it was not.
    """

    ban: Ban
    ended: datetime
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One source above one rule's limit.

    Attributes:
        source: Who.
        rule: The rule.
        first: The first moment above the limit; aware, UTC.
        last: The last one.
        cycles: In how many it was above.
        peak: The largest count, and the limit it met then, patience included.
        limit: That.
        findings: What was found, and in how many cycles.
        entry: The allowlist entry behind it, if any; with PENDING the one it may belong to.
        guard: What it is guarded as; None unless it is.
        names: Its confirmed names.
    """

    source: Source
    rule: Rule
    first: datetime
    last: datetime
    cycles: int
    peak: int
    limit: int
    findings: Mapping[Finding, int]
    entry: AllowEntry | None
    guard: str | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All of it.

    Attributes:
        policy: By which it was judged.
        cycles: How many moments.
        began: The first; aware, UTC.
        ended: The last.
        bans: In the order in which they were decided.
        sightings: By source, then by rule.
        alarms: What concerned the machine as a whole, each with its moment; the first of many.
    """

    policy: Policy
    cycles: int
    began: datetime
    ended: datetime
    bans: tuple[Served, ...]
    sightings: tuple[Sighting, ...]
    alarms: tuple[tuple[datetime, Alarm], ...]


@dataclass(slots=True)
class _Trail:
    """A sighting that grows."""

    verdict: Verdict
    first: datetime
    last: datetime
    cycles: int = 0
    findings: Counter[Finding] = field(default_factory=Counter)

    def take(self, at: datetime, verdict: Verdict) -> None:
        peak = self.verdict
        if verdict.count * peak.limit > peak.count * verdict.limit:
            self.verdict = verdict
        self.last, self.cycles = at, self.cycles + 1
        self.findings[verdict.finding] += 1


@dataclass(slots=True)
class Journal:
    """Takes one decision after the other.

    Attributes:
        policy: By which they were made.
    """

    policy: Policy
    _cycles: int = 0
    _began: datetime | None = None
    _ended: datetime | None = None
    _bans: list[Ban] = field(default_factory=list)
    _lifted: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    _standing: dict[Place, Ban] = field(default_factory=dict)
    _trails: dict[tuple[Source, str], _Trail] = field(default_factory=dict)
    _alarms: list[tuple[datetime, Alarm]] = field(default_factory=list)
    _names: dict[Source, tuple[str, ...]] = field(default_factory=dict)

    def take(self, frame: Frame, decision: Decision) -> None:
        """Take the decision on a frame."""
        at = frame.at
        self._cycles += 1
        self._began, self._ended = self._began or at, at
        for lift in decision.plan.lift:
            self._lift((lift.held.source, lift.held.target), at, lift.reason)
        for ban in decision.plan.add:
            self._lift(place_of(ban), at, "replaced by a longer ban")
            self._standing[place_of(ban)] = ban
        self._bans += decision.plan.add
        for verdict in decision.verdicts:
            if verdict.count > verdict.limit:
                self._see(at, verdict, frame.learned.verified)
        room = ALARMS_AT_MOST - len(self._alarms)
        self._alarms += [(at, alarm) for alarm in decision.alarms[: max(0, room)]]

    def _lift(self, place: Place, at: datetime, why: str) -> None:
        ban = self._standing.pop(place, None)
        if ban is not None and ban.until > at:
            self._lifted[ban.ban_id] = (at, why)

    def _see(self, at: datetime, verdict: Verdict, verified: Mapping[Address, Verified]) -> None:
        key = (verdict.source, verdict.rule.name)
        trail = self._trails.get(key)
        if trail is None:
            trail = self._trails[key] = _Trail(verdict=verdict, first=at, last=at)
        trail.take(at, verdict)
        if verified and (known := verified.get(verdict.source.prefix.network_address)):
            self._names[verdict.source] = known.names

    def outcome(self) -> Outcome | None:
        """Give what it came to; None when there was no moment at all."""
        if self._began is None or self._ended is None:
            return None
        return Outcome(
            policy=self.policy,
            cycles=self._cycles,
            began=self._began,
            ended=self._ended,
            bans=tuple(self._served()),
            sightings=tuple(self._sightings()),
            alarms=tuple(self._alarms),
        )

    def _served(self) -> Iterator[Served]:
        for ban in self._bans:
            ended, why = self._lifted.get(ban.ban_id, (ban.until, ""))
            yield Served(ban=ban, ended=ended, why=why)

    def _sightings(self) -> Iterator[Sighting]:
        for (source, _), trail in sorted(
            self._trails.items(), key=lambda one: (one[0][0].order, one[0][1])
        ):
            peak = trail.verdict
            yield Sighting(
                source=source,
                rule=peak.rule,
                first=trail.first,
                last=trail.last,
                cycles=trail.cycles,
                peak=peak.count,
                limit=peak.limit,
                findings=dict(trail.findings),
                entry=peak.entry,
                guard=peak.guard,
                names=self._names.get(source, ()),
            )
