"""Crowds that come and go, cycle by cycle: the sources of a made day, as a tape sees them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp, log
from random import Random

from agent.model.address import AF_INET, AF_INET6, PACKED_BYTES
from agent.model.sample import SOCKETS, Sample, State

EVERY = timedelta(seconds=5)
KEPT_ALIVE = 12
"""Cycles that an idle connection is kept: 60 s. Its TIME_WAIT stays as long again."""

WARM_UP = 40
"""Cycles before the first that is given: until then nobody has left yet."""

PORTS = (80, 443, 443, 443, 443)
_IPV6_SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Sources of one kind.

    Attributes:
        count: How many are here at a time, when most are.
        stay: Cycles that one stays in the mean.
        sockets: Connections that one holds: the least and the most.
        restless: How likely the number of its connections changes in a cycle.
    """

    count: int
    stay: int
    sockets: tuple[int, int]
    restless: float


@dataclass(slots=True)
class _Visitor:
    row: tuple[int, bytes]
    port: int
    held: int
    closed: int
    leaves: int
    kind: Kind


@dataclass(slots=True)
class Crowd:
    """Who is here.

    Attributes:
        kinds: Of what kinds.
        random: Made with a seed, so that each run has the same crowd.
    """

    kinds: tuple[Kind, ...]
    random: Random = field(default_factory=lambda: Random(5))  # noqa: S311 - a seeded crowd
    _here: dict[Kind, list[_Visitor]] = field(default_factory=dict)
    _cycle: int = 0

    def samples(self, begin: datetime, cycles: int, share: float) -> Iterator[Sample]:
        """Give samples.

        Args:
            begin: The moment of the first.
            cycles: How many.
            share: Of the crowd that is here: the hour of the day.
        """
        for number in range(-WARM_UP, cycles):
            for kind in self.kinds:
                self._step(kind, round(kind.count * share))
            self._cycle += 1
            if number < 0:
                continue
            yield self._sample(begin + number * EVERY)

    def _step(self, kind: Kind, wanted: int) -> None:
        here = [one for one in self._here.get(kind, ()) if one.leaves > self._cycle]
        for one in here:
            self._change(one)
        here += [self._newcomer(kind) for _ in range(wanted - len(here))]
        self._here[kind] = here

    def _change(self, one: _Visitor) -> None:
        if one.leaves - self._cycle <= KEPT_ALIVE and one.held:
            one.held, one.closed = 0, one.held
        elif self.random.random() < one.kind.restless:
            step = self.random.choice((-3, -2, -1, -1, 1, 1, 2, 3))
            low, high = one.kind.sockets
            one.held = min(high, max(low, one.held + step))
            one.closed = max(0, one.closed + self.random.choice((-2, -1, 0, 1, 2)))

    def _newcomer(self, kind: Kind) -> _Visitor:
        stays = KEPT_ALIVE + round(self.random.expovariate(1 / kind.stay))
        low, high = kind.sockets
        # Most are near the least of them, as browsers and proxies are.
        held = round(exp(self.random.uniform(log(low), log(high))))
        return _Visitor(
            self._address(), self.random.choice(PORTS), held, 0, self._cycle + stays, kind
        )

    def _address(self) -> tuple[int, bytes]:
        if self.random.random() < _IPV6_SHARE:
            packed = b"\x20\x01" + self.random.randbytes(14)
            return AF_INET6, packed.ljust(PACKED_BYTES, b"\0")
        return AF_INET, self.random.randbytes(4).ljust(PACKED_BYTES, b"\0")

    def _sample(self, at: datetime) -> Sample:
        rows: dict[tuple[int, int, int, bytes], int] = {}
        for here in self._here.values():
            for one in here:
                family, packed = one.row
                if one.held:
                    rows[family, State.ESTABLISHED, one.port, packed] = one.held
                if one.closed:
                    rows[family, State.TIME_WAIT, one.port, packed] = one.closed
        states: Counter[State] = Counter()
        for (_, state, _, _), count in rows.items():
            states[State(state)] += count
        return Sample(
            taken_at=at,
            sockets=states.total(),
            states=dict(states),
            listening=frozenset({22, 80, 443}),
            tallies={SOCKETS: {(f, int(s), p, a): n for (f, s, p, a), n in rows.items()}},
        )
