"""Who has proven to be there.

A half-open connection proves nothing: one forged packet makes one. So no rule may act
on that against hosts that were ESTABLISHED within the hour: they are there, and are
clients.

The memory is bounded, and must not be flushed by whoever has many addresses: IPv6 has
them for nothing. So one line of IPv6, a /64, is one host, and where there is no room
for all, the networks that hold the most hosts have to make it, down to an equal share:
of theirs, those stay that have been there longest.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.model.address import HOST, WIDEST, Width, grouper, widened
from agent.model.learned import Clients
from agent.model.sample import State, Tally

REMEMBERED_FOR = timedelta(hours=1)
REMEMBERED_AT_MOST = 200_000

ROOM = 20
"""A part of that, made at once, so that it is not made in each cycle."""

NETWORK = Width(ipv4=WIDEST[4], ipv6=WIDEST[6])
"""What one owner may have in his hands, as the registries give it out."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Hosts that were ESTABLISHED on a listening port lately.

    Attributes:
        seen: By key of width `HOST`, the minute (of the epoch) in which it was seen
            last; in the order in which they were seen first.
        swept: The minute of the last sweep.
    """

    seen: Mapping[bytes, int] = field(default_factory=dict)
    swept: int = 0

    @classmethod
    def of(cls, clients: Clients) -> "Proven":
        """Begin with the known clients: those seen within the hour are proven."""
        return cls({key: last // 60 for key, (_, last) in clients.items()})

    def after(self, tally: Tally, now: datetime) -> "Proven":
        """Give the memory with this tally's added and what is too old left out."""
        minute = int(now.timestamp()) // 60
        key_of, established = grouper(HOST), State.ESTABLISHED.value
        present = (key_of(key[0], key[3]) for key in tally if key[1] == established)
        seen = {**self.seen, **dict.fromkeys(present, minute)}
        if minute != self.swept:
            oldest = minute - int(REMEMBERED_FOR.total_seconds()) // 60
            seen = {key: last for key, last in seen.items() if last >= oldest}
        return Proven(seen if len(seen) <= REMEMBERED_AT_MOST else _shared(seen), minute)

    def holder(self, width: Width) -> Callable[[bytes], bool]:
        """Give what tells, by the key of a source of that width, whether it holds a proven host.

        A single address of IPv6 is proven with its line.
        """
        coarse = Width(ipv4=width.ipv4, ipv6=min(width.ipv6, HOST.ipv6))
        widen = widened(coarse)
        keys = self.seen.keys() if coarse == HOST else frozenset(map(widen, self.seen))
        return lambda key: widen(key) in keys


def _shared(seen: Mapping[bytes, int]) -> dict[bytes, int]:
    """Leave out the newest of the fullest networks, until there is room."""
    most = REMEMBERED_AT_MOST - REMEMBERED_AT_MOST // ROOM
    networks = list(map(widened(NETWORK), seen))
    share = _share(Counter(networks).values(), most)
    taken: Counter[bytes] = Counter()
    kept: dict[bytes, int] = {}
    for (key, last), network in zip(seen.items(), networks, strict=True):
        taken[network] += 1
        if taken[network] <= share and len(kept) < most:
            kept[key] = last
    return kept


def _share(sizes: Iterable[int], most: int) -> int:
    """Give what each may have at most, so that all together have no more than `most`.

    At least 1: of more networks than there is room for, the newest have none.
    """
    left, rest = most, sorted(sizes)
    for index, size in enumerate(rest):
        share = left // (len(rest) - index)
        if size > share:
            return max(1, share)
        left -= size
    return most
