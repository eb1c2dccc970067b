"""Who has proven to be there.

A half-open connection proves nothing: one forged packet makes one. So no rule may act
on that against addresses that were ESTABLISHED within the hour: they are there, and
are clients.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.model.address import AF_INET, AF_INET6, Width, grouper
from agent.model.sample import State, Tally

REMEMBERED_FOR = timedelta(hours=1)
REMEMBERED_AT_MOST = 200_000


@dataclass(frozen=True, slots=True)
class Proven:
    """Addresses that were ESTABLISHED on a listening port lately.

    Attributes:
        seen: By family, packed address to the minute (of the epoch) it was last seen.
        swept: The minute of the last sweep.
    """

    seen: Mapping[int, Mapping[bytes, int]] = field(default_factory=dict)
    swept: int = 0

    def after(self, tally: Tally, now: datetime) -> "Proven":
        """Give the memory with this tally's added and what is too old left out."""
        minute = int(now.timestamp()) // 60
        seen = {
            family: {
                **self.seen.get(family, {}),
                **dict.fromkeys(_established(tally, family), minute),
            }
            for family in (AF_INET, AF_INET6)
        }
        if minute == self.swept and all(len(each) <= REMEMBERED_AT_MOST for each in seen.values()):
            return Proven(seen, minute)
        oldest = minute - int(REMEMBERED_FOR.total_seconds()) // 60
        return Proven({family: _swept(each, oldest) for family, each in seen.items()}, minute)

    def keys(self, width: Width) -> frozenset[bytes]:
        """Give the keys of all sources of that width which hold a proven address."""
        key_of = grouper(width)
        return frozenset(
            key_of(family, packed) for family, each in self.seen.items() for packed in each
        )


def _established(tally: Tally, family: int) -> Iterator[bytes]:
    established = State.ESTABLISHED.value
    return (key[3] for key in tally if key[1] == established and key[0] == family)


def _swept(seen: Mapping[bytes, int], oldest: int) -> Mapping[bytes, int]:
    """Leave out what is too old, then, above the bound, what was seen longest ago."""
    kept = {packed: minute for packed, minute in seen.items() if minute >= oldest}
    excess = len(kept) - REMEMBERED_AT_MOST
    for packed in sorted(kept, key=kept.__getitem__)[:excess] if excess > 0 else ():
        del kept[packed]
    return kept
