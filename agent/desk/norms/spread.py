"""How counts are spread over sources: percentiles of a histogram."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

P50, P99, P999 = Fraction(1, 2), Fraction(99, 100), Fraction(999, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Counts of sources, each source once for each cycle in which it was there.

    Attributes:
        sources: How many there are, of all cycles together.
        p50: Half of them have no more than this.
        p99: 99 of 100 have no more.
        p999: 999 of 1,000 have no more.
        most: None has more.
    """

    sources: int = 0
    p50: int = 0
    p99: int = 0
    p999: int = 0
    most: int = 0


def spread_of(counts: Mapping[int, int]) -> Spread:
    """Give the percentiles by the nearest rank; zeros for nobody.

    Args:
        counts: From a count to how many sources had it.
    """
    ordered = sorted(Counter(counts).items())
    total = sum(sources for _, sources in ordered)
    if not total:
        return Spread()
    return Spread(
        sources=total,
        p50=_at(ordered, P50 * total),
        p99=_at(ordered, P99 * total),
        p999=_at(ordered, P999 * total),
        most=ordered[-1][0],
    )


def _at(ordered: list[tuple[int, int]], rank: Fraction) -> int:
    """Give the count of the source with this rank, from the least on."""
    passed = 0
    for count, sources in ordered:
        passed += sources
        if passed >= rank:
            return count
    return ordered[-1][0]
