"""When something at a place of this machine begins, and when it is over: once each.

A *sign* is a cycle in which something was seen. Some signs in close succession begin an
episode; so one burst is none. It ends after a quiet time that is longer than the pause
between two waves, so that a flood in waves is one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from agent.decide.machine.pressure import HalfOpen
from agent.model.address import HOST, Source, Width, grouper, source_of
from agent.model.inputs import Counters, Listeners
from agent.model.sample import SOCKETS, Sample, State

SIGNS = 3
HELD_CYCLES = 3
HELD = timedelta(seconds=10)
"""For so long a sign counts: a full queue does not meet another SYN in every cycle."""

QUIET = timedelta(seconds=30)
"""After that an episode that was told is over."""

LONGEST_CYCLE = timedelta(minutes=1)
NETWORK = Width(ipv4=24, ipv6=48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From one cycle to the next.

    Attributes:
        elapsed: Between them; a clock that jumps makes it at most a minute.
        grown: By how much the kernel's counters grew.
        held: For how long a sign counts.
    """

    elapsed: timedelta
    grown: Counters
    held: timedelta


def step_of(before: datetime | None, now: datetime, every: timedelta, grown: Counters) -> Step:
    """Give the step between two moments; ahead of the first there is none."""
    passed = now - before if before else timedelta(0)
    return Step(
        elapsed=min(max(passed, timedelta(0)), LONGEST_CYCLE),
        grown=grown,
        held=max(HELD, HELD_CYCLES * every),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One moment at one place.

    Attributes:
        half_open: Half-open connections.
        sources: How many hosts hold them.
        networks: In how many networks those are.
        heaviest: How many the heaviest host holds.
        crowd: The heaviest network; None without any.
        crowded: How many that holds.
        waiting: Finished handshakes that nobody has accepted.
        backlog: How many may wait.
    """

    half_open: int
    sources: int
    networks: int
    heaviest: int
    crowd: Source | None
    crowded: int
    waiting: int
    backlog: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment at all places.

    Attributes:
        half_open: By local port.
        sample: Where those are from.
        listeners: What waits.
    """

    half_open: HalfOpen
    sample: Sample
    listeners: Listeners
    _rows: dict[int, list[tuple[int, bytes, int]]] = field(default_factory=dict)

    def weight(self, ports: frozenset[int]) -> int:
        """Give what is compared to find the worst moment of these ports; cheap."""
        counts = (self.half_open[port] for port in ports & self.half_open.keys())
        return self._waiting(ports) + sum(counts)

    def figures(self, ports: frozenset[int]) -> Figures:
        """Look at these ports; at all of them where none is given."""
        hosts, networks = self._sums(ports, HOST), self._sums(ports, NETWORK)
        crowd = max(networks, key=lambda key: (networks[key], key), default=None)
        return Figures(
            half_open=sum(hosts.values()),
            sources=len(hosts),
            networks=len(networks),
            heaviest=max(hosts.values(), default=0),
            crowd=source_of(crowd, NETWORK) if crowd else None,
            crowded=networks[crowd] if crowd else 0,
            waiting=self._waiting(ports),
            backlog=sum(self.listeners[port].backlog for port in ports & self.listeners.keys()),
        )

    def _sums(self, ports: frozenset[int], width: Width) -> dict[bytes, int]:
        """Add half-open connections up by source."""
        key_of, by_port = grouper(width), self._by_port()
        sums: dict[bytes, int] = {}
        for port in ports & by_port.keys() if ports else by_port:
            for family, packed, count in by_port[port]:
                key = key_of(family, packed)
                sums[key] = sums.get(key, 0) + count
        return sums

    def _by_port(self) -> Mapping[int, list[tuple[int, bytes, int]]]:
        """Sort half-open connections by port, once: a flood may be at a thousand of them."""
        if not self._rows and self.half_open:
            wanted = State.SYN_RECV.value
            tally = self.sample.tallies.get(SOCKETS, {})
            for (family, state, port, packed), count in tally.items():
                if state == wanted:
                    self._rows.setdefault(port, []).append((family, packed, count))
        return self._rows

    def _waiting(self, ports: frozenset[int]) -> int:
        return sum(self.listeners[port].waiting for port in ports & self.listeners.keys())


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """Something that goes on at one place.

    Attributes:
        ports: The place's; empty where nothing tells.
        signs: In how many cycles it was seen.
        lasted: From its first sign to its last.
        quiet: Since its last sign.
        grown: By how much each counter grew in all.
        weight: Of its worst moment since it is told.
        peak: That moment; None before it is told.
    """

    ports: frozenset[int]
    signs: int = 0
    lasted: timedelta = timedelta(0)
    quiet: timedelta = timedelta(0)
    grown: Counters = field(default_factory=dict)
    weight: int = 0
    peak: Figures | None = None

    def is_held(self, step: Step) -> bool:
        """Whether its last sign still counts."""
        return self.quiet <= step.held

    def goes_on(self, step: Step) -> bool:
        """Whether it is not over by now."""
        return self.quiet <= (max(QUIET, step.held) if self.peak else step.held)

    def without(self, step: Step) -> "Episode":
        """Go on by a cycle without a sign."""
        return replace(self, quiet=self.quiet + step.elapsed, grown=_sum(self.grown, step.grown))

    def seen(self, step: Step, ports: frozenset[int], scene: Scene) -> "Episode":
        """Go on by a cycle with a sign at these ports."""
        after = replace(
            self,
            ports=ports,
            signs=self.signs + 1,
            lasted=self.lasted + self.quiet + step.elapsed,
            quiet=timedelta(0),
            grown=_sum(self.grown, step.grown),
        )
        weight = scene.weight(ports)
        # Of very many half-open connections not in every cycle.
        is_worse = weight * 10 > self.weight * 11 or not self.peak
        if after.signs < SIGNS or not is_worse:
            return after
        return replace(after, weight=weight, peak=scene.figures(ports))


def _sum(left: Counters, right: Counters) -> Counters:
    return {name: left.get(name, 0) + right.get(name, 0) for name in {**left, **right}}


Episodes: TypeAlias = Mapping[str, Episode]
"""By the name of the place."""

Signs: TypeAlias = Mapping[str, frozenset[int]]
"""Where something was seen in this cycle, and the ports of each place."""


def course(episodes: Episodes, signs: Signs, step: Step, scene: Scene) -> Episodes:
    """Give what goes on after a cycle."""
    after = {place: episode.without(step) for place, episode in episodes.items()}
    for place, ports in signs.items():
        episode = episodes.get(place, Episode(ports=ports))
        after[place] = episode.seen(step, ports, scene)
    return {place: episode for place, episode in sorted(after.items()) if episode.goes_on(step)}


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that is to be told now.

    Attributes:
        place: Where.
        episode: What goes on there, or went on.
        figures: Its worst moment.
        is_over: Whether it has ended.
    """

    place: str
    episode: Episode
    figures: Figures
    is_over: bool


def news(before: Episodes, after: Episodes) -> Iterator[News]:
    """Give what has begun for sure, then what was told and is over."""
    for place, one in after.items():
        if one.peak and not (place in before and before[place].peak):
            yield News(place=place, episode=one, figures=one.peak, is_over=False)
    for place, one in before.items():
        if one.peak and place not in after:
            yield News(place=place, episode=one, figures=one.peak, is_over=True)
