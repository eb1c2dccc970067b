"""Which sources come first."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.decide.nearest import crowd_of, gauge_of
from agent.desk.top import order
from agent.desk.top.order import by_address, first_by_address, first_by_limit, first_by_sockets
from agent.model.address import HOST, source_of
from agent.model.inputs import Inputs
from agent.model.policy import Policy
from agent.model.sample import SOCKETS
from tests.builders import NOW, entry, inputs, policy, rule, spared, tally
from tests.decide.worlds import SETTINGS, moments, policies

SOME = ("10.0.0.9", "10.0.0.10", "9.255.255.255", "2001:db8::1", "fe80::1%3", "fe80::1%256")


@pytest.fixture(autouse=True, scope="module")
def no_spare() -> Iterator[None]:
    """Have so few weighed at first that more rounds are needed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "SPARE", 0)
        yield


def test_keys_sort_as_their_sources_do() -> None:
    keys = list(crowd_of(tally(dict.fromkeys(SOME, 1))))
    sources = [source_of(key, HOST) for key in sorted(keys, key=by_address)]

    assert sources == sorted(sources, key=lambda one: one.order)
    assert [source_of(key, HOST) for key in first_by_address(keys, 9)] == sources
    assert [source_of(key, HOST) for key in first_by_address(keys, 2)] == sources[:2]
    assert [str(one) for one in sources][-2:] == ["fe80::1%3", "fe80::1%256"]


def test_equals_come_by_address_also_where_not_all_are_given() -> None:
    counts = {b"\x0a\x00\x00\x03": 5, b"\x0a\x00\x00\x01": 5, b"\x0a\x00\x00\x02": 9}

    assert [key[3] for key in first_by_sockets(counts, 2)] == [2, 1]
    assert [key[3] for key in first_by_sockets(counts, 9)] == [2, 1, 3]
    assert first_by_sockets(counts, 0) == []


def test_who_is_exempt_makes_room_for_whoever_is_nearest_behind_him() -> None:
    by = policy(rule(), allowlist=(entry("office", "192.0.2.0/28"),))
    counts = {f"192.0.2.{number}": 99 - number for number in range(1, 60)}
    crowds = {SOCKETS: crowd_of(tally(counts))}
    keys, nearest = first_by_limit(crowds, crowds[SOCKETS].keys(), gauge_of(by, spared()), 2, NOW)

    assert [key[3] for key in keys] == [16, 17]
    assert [nearest[key].count for key in keys] == [83, 82]
    # Not everybody was weighed for it.
    assert len(nearest) < (len(counts) - 15) / 2


@given(moment=moments(), by=policies(), most=st.integers(0, 8))
@SETTINGS
def test_weighing_some_gives_the_same_as_weighing_all(
    moment: Inputs, by: Policy, most: int
) -> None:
    crowds = {SOCKETS: crowd_of(moment.sample.tallies[SOCKETS])}
    keys, gauge = crowds[SOCKETS].keys(), gauge_of(by, moment.spared)
    few, nearest = first_by_limit(crowds, keys, gauge, most, NOW)
    everybody = gauge.nearest(crowds, keys, NOW)
    shares = {key: everybody[key].share if key in everybody else -1 for key in keys}
    expected = sorted(keys, key=lambda key: (-shares[key], by_address(key)))

    assert few == expected[:most]
    assert all(nearest[key] == everybody[key] for key in few if key in everybody)
    bounds = gauge.bounds(crowds)
    assert all(case.share <= bounds[key] for key, case in everybody.items())


def test_a_limit_that_is_far_away_is_a_limit() -> None:
    by = policy(rule(limit=5_000_000))
    crowds = {SOCKETS: crowd_of(inputs({"192.0.2.1": 1}).sample.tallies[SOCKETS])}
    _, nearest = first_by_limit(crowds, crowds[SOCKETS].keys(), gauge_of(by, spared()), 1, NOW)

    assert [(case.count, case.share) for case in nearest.values()] == [(1, 0)]
