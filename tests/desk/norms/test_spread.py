"""Percentiles by the nearest rank."""

from hypothesis import given
from hypothesis import strategies as st

from agent.desk.norms.spread import Spread, spread_of


def test_nobody_has_nothing() -> None:
    assert spread_of({}) == Spread()
    assert spread_of({3: 0}) == Spread()


def test_the_few_heavy_ones_show_in_the_upper_percentiles_alone() -> None:
    found = spread_of({1: 900, 4: 95, 60: 4, 500: 1})

    assert found == Spread(sources=1000, p50=1, p99=4, p999=60, most=500)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=300))
def test_it_is_what_sorting_all_of_them_gives(counts: list[int]) -> None:
    ordered = sorted(counts)
    found = spread_of({count: counts.count(count) for count in counts})

    def nearest(thousandths: int) -> int:
        return ordered[-(-thousandths * len(ordered) // 1000) - 1]

    assert (found.p50, found.p99, found.p999) == (nearest(500), nearest(990), nearest(999))
    assert (found.sources, found.most) == (len(counts), ordered[-1])
