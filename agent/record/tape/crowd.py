"""All sources of a moment, weighed on packed bytes: who is kept, and what of the rest. Pure.

A source is weighed by its sockets in all states of one measure, whatever the port: an upper
bound of what any rule may count. Whoever is above the floor is kept with all that it has.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from heapq import nsmallest
from typing import TypeAlias

from agent.model.address import AF_INET, HOST, PACKED_BYTES, Width, grouper, widened
from agent.model.frame import Rest
from agent.model.measure import MEASURES
from agent.model.policy import Policy
from agent.model.sample import SOCKETS, Tally

ROWS_AT_MOST = 40_000
"""Of hosts that are kept for their own sake, and as many of members of wider sources."""

ROWS_OF_LINE = (256, 64, 16, 4)
"""Of one line: an IPv6 /64 has no end of addresses to dial out from, and a /48 no end of lines.
The first with which all above the floors have room holds: lines are folded before floors rise."""

_MEASURES = tuple(one for one in MEASURES.values() if one.tally == SOCKETS)

Weights = dict[bytes, int]
Wide: TypeAlias = Mapping[bytes, bytes] | None
Pair = tuple[str, str]
Row = tuple[int, int, int, bytes]

_LINE_BYTES = 16
"""Of a key in IPv6, but for link-local addresses, which are hosts of their own."""


def floors_of(policy: Policy) -> dict[Width, int]:
    """Give the floor of each width in use, `HOST` first, the widest last.

    It is never above what the policy's own rules of that width look at, so that each tape
    has all that they judge by.
    """
    floors = {HOST: policy.tape.floor}
    for rule in policy.rules:
        floor = floors.get(rule.per, policy.tape.prefix_floor)
        floors[rule.per] = min(floor, rule.warns_above, rule.limit // 2)
    first, *others = floors
    others.sort(key=lambda one: (one.ipv4 + one.ipv6, one.ipv4), reverse=True)
    return {width: floors[width] for width in (first, *others)}


@dataclass(frozen=True, slots=True)
class Level:
    """The sources of one width.

    Attributes:
        width: How wide they are.
        floor: The one that really held.
        kept: Keys of those above it.
        wide: By the key of a host, that of its source; None where a host is one itself.
    """

    width: Width
    floor: int
    kept: AbstractSet[bytes]
    wide: Mapping[bytes, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """All sources of a moment.

    Attributes:
        tally: Of sockets.
        policy: In force.
        keys: Of width `HOST`, in the order of the tally's rows.
        weights: For each measure, how many sockets each host has in its states.
        spots: For each set of (service, measure) that counts the same sockets, how many of
            them each host has.
        sums: By (state, port), how many sockets there are.
        widened: By width, the wider source of each host, as far as it is known from before.
    """

    tally: Tally
    policy: Policy
    keys: Sequence[bytes]
    weights: Sequence[Weights]
    spots: Mapping[frozenset[Pair], Weights]
    sums: Mapping[tuple[int, int], int]
    widened: dict[Width, Mapping[bytes, bytes]]

    @classmethod
    def of(
        cls, tally: Tally, policy: Policy, before: dict[Width, Mapping[bytes, bytes]]
    ) -> "Crowd":
        """Weigh all of them, in one pass.

        Args:
            tally: Of sockets.
            policy: In force.
            before: What `widened` was of the moment before; it becomes that of this one.
        """
        key_of = grouper(HOST)
        keys = [
            packed[:4] if family == AF_INET else key_of(family, packed)
            for family, _, _, packed in tally
        ]
        places = _by_place(keys, tally)
        weights: list[list[Weights]] = [[] for _ in (*_MEASURES, None)]
        spots: dict[frozenset[Pair], list[Weights]] = {}
        for (state, port), hosts in places.items():
            weights[_measured(state)].append(hosts)
            spots.setdefault(_counting(policy, state, port), []).append(hosts)
        spots.pop(frozenset(), None)
        return cls(
            tally=tally,
            policy=policy,
            keys=keys,
            weights=[_joined(each) for each in weights[:-1]],
            spots={pairs: _joined(each) for pairs, each in spots.items()},
            sums={place: sum(hosts.values()) for place, hosts in places.items()},
            widened=before,
        )

    def levels(self) -> tuple[AbstractSet[bytes], tuple[Level, ...], int]:
        """Give the keys of the hosts to keep, who of each width is, and the rows of a line."""
        floors = floors_of(self.policy)
        wide = {width: self._wide(width) for width in floors}
        above = {width: self._above(floor, wide[width]) for width, floor in floors.items()}
        costs, most = self._costs({width: (above[width], wide[width]) for width in floors})
        kept: set[bytes] = set()
        levels: list[Level] = []
        room = ROWS_AT_MOST
        for width, floor in floors.items():
            held, heavy, used = _fitting(floor, above[width], costs[width], room)
            levels.append(Level(width, held, heavy.keys(), wide[width]))
            kept |= _members(heavy.keys(), wide[width])
            room -= used if width != HOST else 0
        return kept, tuple(levels), most

    def _costs(
        self, above: Mapping[Width, tuple[Weights, Wide]]
    ) -> tuple[Mapping[Width, Counter[bytes]], int]:
        """Give what each source above a floor has in rows, none if all fit; and those of a line."""
        costs: Mapping[Width, Counter[bytes]] = {width: Counter() for width in above}
        rows = Counter(self.keys) if len(self.keys) > ROWS_AT_MOST else Counter[bytes]()
        for most in ROWS_OF_LINE:
            if rows:
                costs = {width: _cost(rows, *each, most) for width, each in above.items()}
            host, *others = (one.total() for one in costs.values())
            if max(host, sum(others)) <= ROWS_AT_MOST or max(rows.values()) <= ROWS_OF_LINE[-1]:
                break
        return costs, most

    def _wide(self, width: Width) -> Mapping[bytes, bytes] | None:
        """Give the wider source of each host; what is narrower in IPv6 is told by its line."""
        coarse = Width(ipv4=width.ipv4, ipv6=min(width.ipv6, HOST.ipv6))
        if coarse == HOST:
            return None
        widen, known = widened(coarse), self.widened.get(width, {})
        wide = {key: known[key] if key in known else widen(key) for key in set(self.keys)}
        self.widened[width] = wide
        return wide

    def _above(self, floor: int, wide: Mapping[bytes, bytes] | None) -> Weights:
        """Give the sources above a floor, with the larger of their weights."""
        above: Weights = {}
        for weights in self.weights:
            summed = weights if wide is None else _summed(weights, wide)
            for key in [key for key, weight in summed.items() if weight > floor]:
                above[key] = max(summed[key], above.get(key, 0))
        return above

    def split(
        self, kept: AbstractSet[bytes], most: int
    ) -> tuple[Tally, Mapping[tuple[int, int], int]]:
        """Give the rows of kept hosts, and by (state, port) the sockets of others."""
        rows: dict[Row, int] = {}
        lines: dict[bytes, list[tuple[int, Row]]] = {}
        others = dict(self.sums)
        for key, (row, count) in zip(self.keys, self.tally.items(), strict=True):
            if key in kept:
                rows[row] = count
                others[row[1], row[2]] -= count
                if len(key) == _LINE_BYTES:
                    lines.setdefault(key, []).append((-count, row))
        for key, own in lines.items():
            if len(own) > most:
                _fold(rows, key, own, most)
        return rows, {place: count for place, count in others.items() if count}

    def rest(self, kept: AbstractSet[bytes], levels: Sequence[Level]) -> Iterator[Rest]:
        """Give the histograms of the sources that are not kept one by one."""
        pairs = sorted({pair for pairs in self.spots for pair in pairs})
        by_pair = {pair: self._of_pair(pair) for pair in pairs}
        for level in levels:
            gone = kept if level.wide is None else level.kept
            sums = {
                pair: weights if level.wide is None else _summed(weights, level.wide)
                for pair, weights in by_pair.items()
            }
            counts = {
                pair: dict(Counter([one for key, one in weights.items() if key not in gone]))
                for pair, weights in sums.items()
            }
            told = {pair: histogram for pair, histogram in counts.items() if histogram}
            yield Rest(width=level.width, floor=level.floor, counts=told)

    def _of_pair(self, pair: Pair) -> Weights:
        return _joined([weights for pairs, weights in self.spots.items() if pair in pairs])


def _by_place(keys: Sequence[bytes], tally: Tally) -> dict[tuple[int, int], Weights]:
    """Give how many sockets each host has, by (state, port)."""
    places: dict[tuple[int, int], Weights] = {}
    for key, ((family, state, port, _), count) in zip(keys, tally.items(), strict=True):
        place = (state, port)
        hosts = places.get(place)
        if hosts is None:
            hosts = places[place] = {}
        # An address of IPv4 has one row a place; of an IPv6 line there may be several.
        hosts[key] = count if family == AF_INET else count + hosts.get(key, 0)
    return places


def _joined(each: list[Weights]) -> Weights:
    """Give the sums; the very same where there is only one."""
    if len(each) == 1:
        return each[0]
    largest = max(each, key=len, default={})
    joined = dict(largest)
    for one in each:
        if one is not largest:
            for key, count in one.items():
                joined[key] = joined.get(key, 0) + count
    return joined


def _counting(policy: Policy, state: int, port: int) -> frozenset[Pair]:
    return frozenset(
        (service.name, measure.name)
        for service in policy.services
        for measure in _MEASURES
        if port in service.ports and state in measure.usual
    )


def _measured(state: int) -> int:
    """Give the place of the measure that counts a state; the last for none."""
    found = (at for at, measure in enumerate(_MEASURES) if state in measure.states)
    return next(found, len(_MEASURES))


def _summed(weights: Weights, wide: Mapping[bytes, bytes]) -> Weights:
    summed: Weights = {}
    for host, weight in weights.items():
        key = wide[host]
        summed[key] = summed.get(key, 0) + weight
    return summed


def _members(sources: AbstractSet[bytes], wide: Wide) -> AbstractSet[bytes]:
    if wide is None or not sources:
        return sources
    return {host for host, source in wide.items() if source in sources}


def _cost(rows: Mapping[bytes, int], heavy: Weights, wide: Wide, most: int) -> Counter[bytes]:
    """Give how many rows each of the sources has, of a line so many at most."""
    cost: Counter[bytes] = Counter()
    for host in _members(heavy.keys(), wide):
        cost[wide[host] if wide else host] += min(rows[host], most)
    return cost


def _fitting(
    floor: int, heavy: Weights, cost: Mapping[bytes, int], room: int
) -> tuple[int, Weights, int]:
    """Raise a floor until there is room for the rows of all above it."""
    spent: Counter[int] = Counter()
    for source, weight in heavy.items():
        spent[weight] += cost[source]
    used = 0
    for weight in sorted(spent, reverse=True):
        if used + spent[weight] > room:
            return weight, {key: one for key, one in heavy.items() if one > weight}, used
        used += spent[weight]
    return floor, heavy, used


def _fold(rows: dict[Row, int], key: bytes, own: list[tuple[int, Row]], most: int) -> None:
    """Join the lightest addresses of a crowded line into the line's first address."""
    heaviest = {row for _, row in nsmallest(most, own)}
    first = key.ljust(PACKED_BYTES, b"\0")
    for _, row in own:
        if row not in heaviest:
            joined = (*row[:3], first)
            rows[joined] = rows.pop(row) + rows.get(joined, 0)
