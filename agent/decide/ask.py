"""How long a source is waited for whose name nobody knows yet.

A source is asked about at half of its limit, so that the answer is mostly there before it
counts. Where none comes, because the DNS is dead, slow, or kept busy by an attacker, the
source is judged as one that nobody knows: else a dead DNS would protect everybody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from math import ceil

from agent.model.address import Address

WAITED_FOR = timedelta(seconds=2.5)
"""An answer takes 2 s at most, and is seen by the next cycle."""

REMEMBERED_FOR = 100
"""Cycles: who goes below half of the limit and comes back does not begin anew."""

REMEMBERED_AT_MOST = 50_000
"""Who comes when so many are asked about is not waited for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Addresses that were asked about.

    Attributes:
        cycles: By address, the first and the last cycle in which it was asked about.
    """

    cycles: Mapping[Address, tuple[int, int]] = field(default_factory=dict)

    def is_worn(self, address: Address, cycle: int, every: timedelta) -> bool:
        """Whether an answer for `address` has been waited for long enough.

        Args:
            address: Who.
            cycle: The number of this one.
            every: Time from one cycle to the next.
        """
        seen = self.cycles.get(address)
        if seen is None:
            return len(self.cycles) >= REMEMBERED_AT_MOST
        return cycle - seen[0] > ceil(WAITED_FOR / every)

    def after(self, addresses: Iterable[Address], cycle: int) -> "Asked":
        """Give the memory with those asked about in this cycle."""
        asked = {one: (self.cycles.get(one, (cycle,))[0], cycle) for one in addresses}
        if not asked and not self.cycles:
            return self
        oldest = cycle - REMEMBERED_FOR
        kept = {one: seen for one, seen in self.cycles.items() if seen[1] >= oldest} | asked
        # The heaviest come first, and stay: those at the end would be judged at once anyway.
        return Asked(dict(islice(kept.items(), REMEMBERED_AT_MOST)))
