"""What sources of one width hold of one service, by one measure, cycle by cycle."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from agent.desk.norms.spread import Spread, spread_of
from agent.desk.norms.who import Who
from agent.model.address import HOST, Source, Width, grouper, source_of
from agent.model.frame import Frame, Rest
from agent.model.measure import MEASURES, Measure
from agent.model.policy import Policy, Service

TOP_AT_MOST = 10
"""Of sources that are told one by one."""

FOLLOWED_AT_MOST = 100_000
"""Of sources whose largest count is remembered; of more the lighter half is forgotten."""

Subject: TypeAlias = tuple[str, str, Width]
"""The name of a service, the name of a measure, and how wide a source is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The moment of one source's largest count.

    Attributes:
        source: Who.
        count: So many.
        at: When, first; aware, UTC.
        cycles: In how many cycles it was kept on the tape with any.
        is_known: Whether it was a known client then.
    """

    source: Source
    count: int
    at: datetime
    cycles: int
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What is normal for one subject.

    Attributes:
        service: The service.
        measure: The measure, by its usual states.
        width: How wide a source is.
        cycles: How many were looked at.
        spread: Of the sources' counts; without those whom the policy grants anything.
        known_most: The largest count of a known client, likewise; 0 without any.
        floor: The lowest floor that a cycle was recorded with.
        top: Those with the largest counts, the largest first.
        is_partial: Whether nothing was told of sources below the floor: it was recorded under
            a policy without such a service or width.
    """

    service: Service
    measure: Measure
    width: Width
    cycles: int
    spread: Spread
    known_most: int
    floor: int
    top: tuple[Peak, ...]
    is_partial: bool


@dataclass(slots=True)
class _Trail:
    count: int
    at: datetime
    cycles: int
    is_known: bool


@dataclass(slots=True)
class _Book:
    """What is noted for one subject."""

    counts: Counter[int] = field(default_factory=Counter)
    trails: dict[bytes, _Trail] = field(default_factory=dict)
    known_most: int = 0
    floor: int | None = None
    is_told: bool = False
    is_missing: bool = False

    def note(self, key: bytes, count: int, at: datetime, *, is_known: bool) -> None:
        trail = self.trails.get(key)
        if trail is None:
            if len(self.trails) >= FOLLOWED_AT_MOST:
                heaviest = sorted(self.trails.items(), key=lambda one: -one[1].count)
                self.trails = dict(heaviest[: FOLLOWED_AT_MOST // 2])
            self.trails[key] = _Trail(count, at, 1, is_known)
            return
        trail.cycles += 1
        if count > trail.count:
            trail.count, trail.at, trail.is_known = count, at, is_known


@dataclass(slots=True)
class Norms:
    """Takes frame after frame.

    Attributes:
        policy: Its services are looked at, by hosts and by the widths of its rules.
        who: What it grants to whom.
    """

    policy: Policy
    _books: dict[Subject, _Book] = field(init=False)
    _wanted: dict[tuple[int, int], list[tuple[str, str]]] = field(init=False)
    who: Who = field(init=False)
    _strangers: dict[tuple[bytes, str], bool] = field(default_factory=dict)
    _is_thinned: bool = False
    _cycles: int = 0

    def __post_init__(self) -> None:
        """Open a book for each subject."""
        self.who = Who(self.policy)
        services, measures = self.policy.services, MEASURES.values()
        self._books = {
            (service.name, measure.name, width): _Book()
            for service in services
            for measure in measures
            for width in _widths(self.policy)
        }
        self._wanted = {}
        for service in services:
            for measure in measures:
                for place in ((int(s), port) for s in measure.usual for port in service.ports):
                    self._wanted.setdefault(place, []).append((service.name, measure.name))

    def take(self, frame: Frame) -> None:
        """Take one moment."""
        self._cycles += 1
        if self.who.take(frame):
            self._strangers.clear()
        rests = {one.width: one for one in frame.rest}
        standing = frame.inputs.standing
        known = standing.known if standing else frozenset()
        for width in _widths(self.policy):
            rest = rests.get(width)
            sums = self._sums(frame, width, rest)
            for (name, measure), by_key in sums.items():
                book = self._books[name, measure, width]
                for key, count in by_key.items():
                    is_known = width == HOST and key in known
                    book.note(key, count, frame.at, is_known=is_known)
                    if width != HOST or self._is_stranger(key, name):
                        book.counts[count] += 1
                        book.known_most = max(book.known_most, count if is_known else 0)
            if frame.rest:
                self._is_thinned = True
                self._take_rest(frame, width, rest)

    def _is_stranger(self, key: bytes, service: str) -> bool:
        """Whether the policy grants a host nothing: rules are there for such."""
        found = self._strangers.get((key, service))
        if found is None:
            grant = self.who.grant(source_of(key, HOST), service)
            found = self._strangers[key, service] = not grant.is_exemption and grant.entry is None
        return found

    def _take_rest(self, frame: Frame, width: Width, rest: Rest | None) -> None:
        """Add those below the floor. A service of which nobody is there is not told of."""
        is_foreign = frame.policy_sha256 != self.policy.sha256
        for (name, measure, at), book in self._books.items():
            if at != width:
                continue
            told = rest.counts.get((name, measure), {}) if rest else {}
            if rest is not None:
                book.floor = rest.floor if book.floor is None else min(book.floor, rest.floor)
            book.is_told |= bool(told)
            book.is_missing |= is_foreign and not told
            for count, sources in told.items():
                book.counts[count] += sources

    def _sums(
        self, frame: Frame, width: Width, rest: Rest | None
    ) -> Mapping[tuple[str, str], Mapping[bytes, int]]:
        """Add up what is kept, by service and measure, then by source.

        Of a wide source whoever is granted something is left out, as it is judged apart.
        """
        key_of, host_of, is_wide = grouper(width), grouper(HOST), width != HOST
        sums: dict[tuple[str, str], dict[bytes, int]] = {}
        kept = _kept(frame, width, rest) if width != HOST and rest else None
        for measure in MEASURES.values():
            tally = frame.inputs.sample.tallies.get(measure.tally, {})
            for (family, state, port, packed), count in tally.items():
                for name, wanted in self._wanted.get((state, port), ()):
                    key = key_of(family, packed)
                    is_apart = is_wide and not self._is_stranger(host_of(family, packed), name)
                    if wanted == measure.name and not is_apart and (kept is None or key in kept):
                        by_key = sums.setdefault((name, wanted), {})
                        by_key[key] = by_key.get(key, 0) + count
        return sums

    def norms(self) -> tuple[Norm, ...]:
        """Give what is normal for each subject of which anything was seen, in a recorded width."""
        services = {one.name: one for one in self.policy.services}
        return tuple(
            Norm(
                service=services[name],
                measure=MEASURES[measure],
                width=width,
                cycles=self._cycles,
                spread=spread_of(book.counts),
                known_most=book.known_most,
                floor=book.floor or 0,
                top=tuple(_top(book, width)),
                is_partial=book.is_missing and not book.is_told,
            )
            for (name, measure, width), book in self._books.items()
            if (book.counts or book.trails) and not (self._is_thinned and book.floor is None)
        )


def norms_of(frames: Iterable[Frame], policy: Policy) -> tuple[Norm, ...]:
    """Give what is normal over some moments, for the services of a policy."""
    norms = Norms(policy)
    for frame in frames:
        norms.take(frame)
    return norms.norms()


def _widths(policy: Policy) -> tuple[Width, ...]:
    return tuple(dict.fromkeys((HOST, *(rule.per for rule in policy.rules))))


def _kept(frame: Frame, width: Width, rest: Rest) -> frozenset[bytes]:
    """Give the wider sources that are kept with all their members; the others are in the rest."""
    key_of = grouper(width)
    sums: dict[tuple[str, bytes], int] = {}
    for measure in MEASURES.values():
        for (family, state, _, packed), count in frame.inputs.sample.tallies[measure.tally].items():
            if state in measure.states:
                key = (measure.name, key_of(family, packed))
                sums[key] = sums.get(key, 0) + count
    return frozenset(key for (_, key), count in sums.items() if count > rest.floor)


def _top(book: _Book, width: Width) -> Iterator[Peak]:
    heaviest = sorted(book.trails.items(), key=lambda one: (-one[1].count, one[0]))
    for key, trail in heaviest[:TOP_AT_MOST]:
        yield Peak(
            source=source_of(key, width),
            count=trail.count,
            at=trail.at,
            cycles=trail.cycles,
            is_known=trail.is_known,
        )
