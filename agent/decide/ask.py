"""How long a source is waited for whose name nobody knows yet.

A source is asked about at half of its limit, so that the answer is mostly there before it
counts. Where none comes, because the DNS is dead, slow, or kept busy by an attacker, the
source is judged as one that nobody knows: else a dead DNS would protect everybody.

A wide source is waited for no longer than a single address: else whoever has a whole line
of IPv6 would come from addresses that nobody has asked about, again and again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from math import ceil
from typing import TypeAlias

from agent.model.address import Address, Prefix

WAITED_FOR = timedelta(seconds=2.5)
"""An answer takes 2 s at most, and is seen by the next cycle."""

REMEMBERED_FOR = 100
"""Cycles: who goes below half of the limit and comes back does not begin anew."""

REMEMBERED_AT_MOST = 50_000
"""Who comes when so many are asked about is not waited for."""

ASKED_AT_ONCE = 16
"""Addresses of one source: whoever has a line of IPv6 has them without number, and must not
keep others from being asked about."""

Awaited: TypeAlias = Address | Prefix
"""An address that is asked about, or a wide source with such addresses in it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked about.

    Attributes:
        cycles: The first and the last cycle in which each was asked about; of a wide source,
            in which it was above its limit meanwhile.
    """

    cycles: Mapping[Awaited, tuple[int, int]] = field(default_factory=dict)

    def is_worn(self, one: Awaited, cycle: int, every: timedelta) -> bool:
        """Whether answers have been waited for long enough.

        Args:
            one: About whom.
            cycle: The number of this one.
            every: Time from one cycle to the next.
        """
        seen = self.cycles.get(one)
        if seen is None:
            return len(self.cycles) >= REMEMBERED_AT_MOST
        return cycle - seen[0] > ceil(WAITED_FOR / every)

    def after(self, some: Iterable[Awaited], cycle: int) -> "Asked":
        """Give the memory with those asked about in this cycle."""
        asked = {one: (self.cycles.get(one, (cycle,))[0], cycle) for one in some}
        if not asked and not self.cycles:
            return self
        oldest = cycle - REMEMBERED_FOR
        kept = {one: seen for one, seen in self.cycles.items() if seen[1] >= oldest} | asked
        # The heaviest come first, and stay: those at the end would be judged at once anyway.
        return Asked(dict(islice(kept.items(), REMEMBERED_AT_MOST)))
