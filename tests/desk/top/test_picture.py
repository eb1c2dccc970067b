"""One moment as a view has it."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.decide import Memory
from agent.decide.prefixes import prefix_table
from agent.decide.weigh import scales_for
from agent.desk.top.known import known_of
from agent.desk.top.picture import Moment, picture_of
from agent.desk.top.values import Order, Picture, View
from agent.model.address import Prefix, covers, line_of, unpack
from agent.model.ban import Ban
from agent.model.inputs import Inputs, Spared
from agent.model.learned import Learned
from agent.model.policy import Mode, Policy
from agent.model.sample import SOCKETS, Sample, State
from tests.builders import (
    NET24,
    NOW,
    ban,
    entry,
    half_open,
    inputs,
    policy,
    prefix,
    rule,
    sample,
    spared,
    tally,
)
from tests.decide.worlds import SETTINGS, moments, policies, prefixes

CROWD = sample(
    tally({"192.0.2.10": 7, "192.0.2.11": 2, "2001:db8::1": 3, "2001:db8::2": 1}),
    tally({"192.0.2.11": 6}, port=22),
    tally({"192.0.2.12": 5}, port=8443, state=State.TIME_WAIT),
    tally({"192.0.2.10": 4}, state=State.SYN_RECV),
)


def seen(
    view: View,
    given: Inputs,
    by: Policy | None = None,
    bans: tuple[Ban, ...] | None = None,
    others: Spared | None = None,
) -> Picture:
    known = known_of(by or policy(), others or given.spared, Learned(), {})
    table = prefix_table((one.source.prefix, one) for one in bans or ())
    return picture_of(
        view, Moment(now=NOW, sample=given.sample, known=known, bans=bans, kept_out=table)
    )


def told(view: View, found: Sample = CROWD) -> list[tuple[str, int]]:
    return [(str(row.source), row.sockets) for row in seen(view, inputs(found)).rows]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {},
            [("192.0.2.10", 11), ("192.0.2.11", 8), ("192.0.2.12", 5), ("2001:db8::/64", 4)],
            id="all",
        ),
        pytest.param({"most": 1}, [("192.0.2.10", 11)], id="the first"),
        pytest.param({"most": 0}, [], id="nobody"),
        pytest.param(
            {"states": frozenset({State.SYN_RECV, State.TIME_WAIT})},
            [("192.0.2.12", 5), ("192.0.2.10", 4)],
            id="of states",
        ),
        pytest.param({"service": "ssh"}, [("192.0.2.11", 6)], id="of a service"),
        pytest.param({"service": "port 8443"}, [("192.0.2.12", 5)], id="of a port"),
        pytest.param({"service": "gone"}, [], id="of no service"),
        pytest.param({"prefix": prefix("2001:db8::/32")}, [("2001:db8::/64", 4)], id="in a net"),
        pytest.param({"prefix": prefix("2001:db8::2/128")}, [("2001:db8::/64", 1)], id="one of it"),
        pytest.param(
            {"order": Order.ADDRESS, "most": 2},
            [("192.0.2.10", 11), ("192.0.2.11", 8)],
            id="sorted",
        ),
    ],
)
def test_a_view_gets_what_it_asks_for(
    changes: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    assert told(View(**changes)) == expected


def test_the_totals_are_of_everybody_whatever_is_asked_for() -> None:
    found = seen(View(service="ssh"), inputs(CROWD))

    assert (found.sockets, found.sources, found.matching) == (28, 4, 1)
    assert found.states == CROWD.states
    assert found.services == ("web", "ssh", "port 8443")


def test_a_row_splits_what_was_asked_for_and_no_more() -> None:
    (row,) = seen(View(prefix=prefix("192.0.2.10/32")), inputs(CROWD)).rows

    assert dict(row.states) == {State.ESTABLISHED: 7, State.SYN_RECV: 4}
    assert list(row.states) == [State.ESTABLISHED, State.SYN_RECV]
    assert dict(row.services) == {"web": 11}


def test_the_nearest_limit_is_that_of_the_largest_share_of_all_rules() -> None:
    by = policy(
        rule("web", limit=100),
        rule("net", per=NET24, limit=10, members=2, mode=Mode.OBSERVE),
        rule("crowd", per=NET24, limit=1, members=3),
        half_open("half", limit=8),
    )
    rows = {str(row.source): row.nearest for row in seen(View(), inputs(CROWD), by).rows}

    nearest = rows["192.0.2.10"]
    assert nearest is not None
    assert (nearest.rule, nearest.count, nearest.limit) == ("net", 9, 10)
    assert str(nearest.judged) == "192.0.2.0/24"
    assert nearest.is_watched_only
    assert rows["192.0.2.12"] is None


@pytest.mark.parametrize(
    ("allowlist", "guarded", "expected"),
    [
        pytest.param((entry("office", "192.0.2.10/32"),), (), (True, None), id="exempt"),
        pytest.param((), ("192.0.2.10/32",), (True, None), id="guarded"),
        pytest.param(
            (entry("office", "192.0.2.0/24", patience=10),), (), (False, (7, 1000)), id="patience"
        ),
        pytest.param(
            (entry("office", "192.0.2.10/32", services=frozenset({"ssh"})),),
            (),
            (False, (7, 100)),
            id="for another service",
        ),
        pytest.param(
            (entry("office", "192.0.2.10/32", until=NOW),), (), (False, (7, 100)), id="it is over"
        ),
    ],
)
def test_grants_are_respected(
    allowlist: tuple[Any, ...], guarded: tuple[str, ...], expected: tuple[bool, Any]
) -> None:
    by = policy(allowlist=allowlist)
    row = seen(View(most=1), inputs(CROWD), by, others=spared(*guarded)).rows[0]
    near = row.nearest and (row.nearest.count, row.nearest.limit)

    assert (row.is_spared, near) == expected


def test_the_ban_that_lasts_longest_is_told_with_whom_it_keeps_out() -> None:
    short, wide = ban("192.0.2.10/32"), ban("192.0.2.0/24", lasts=2 * ban().lasts)
    found = seen(View(), inputs(CROWD), bans=(wide, short))

    assert found.bans == (wide, short)
    assert [row.ban for row in found.rows] == [wide, wide, wide, None]
    over = ban("192.0.2.10/32", begins=NOW - 2 * ban().lasts)
    assert {row.ban for row in seen(View(), inputs(CROWD), bans=(over,)).rows} == {None}


def test_without_sockets_or_a_policy_the_rest_is_told() -> None:
    blind = picture_of(View(order=Order.LIMIT), Moment(now=NOW, sample=None, known=None))
    assert (blind.sockets, blind.rows, blind.services) == (0, (), ())

    ports = picture_of(View(order=Order.LIMIT), Moment(now=NOW, sample=CROWD, known=None))
    assert ports.services == ("port 22", "port 80", "port 8443")
    assert [row.nearest for row in ports.rows] == [None] * 4


views = st.builds(
    View,
    order=st.sampled_from(Order),
    states=st.frozensets(st.sampled_from([State.ESTABLISHED, State.SYN_RECV]), max_size=2),
    service=st.sampled_from(["", "web", "ssh", "port 80"]),
    prefix=st.none() | prefixes,
    most=st.integers(0, 40),
)


def _counted(view: View, found: Sample) -> tuple[Counter[Prefix], Counter[tuple[Prefix, State]]]:
    """Count as simply as can be: address by address."""
    ports = {"": {22, 80}, "web": {80}, "ssh": {22}, "port 80": {80}}[view.service]
    lines, states = Counter[Prefix](), Counter[tuple[Prefix, State]]()
    for (family, state, port, packed), count in found.tallies[SOCKETS].items():
        address = unpack(family, packed)
        is_in = (
            view.prefix is None or covers(view.prefix, line_of(address)) or (address in view.prefix)
        )
        if port in ports and is_in and (not view.states or State(state) in view.states):
            lines[line_of(address)] += count
            states[line_of(address), State(state)] += count
    return lines, states


@given(view=views, moment=moments(), by=policies())
@SETTINGS
def test_the_counts_are_those_of_the_sample(view: View, moment: Inputs, by: Policy) -> None:
    found = seen(view, moment, by)
    lines, states = _counted(view, moment.sample)

    assert found.matching == len(lines)
    assert len(found.rows) == min(view.most, len(lines))
    for row in found.rows:
        assert row.sockets == lines[row.source.prefix]
        for state, count in row.states.items():
            assert count == states[row.source.prefix, state]
        assert sum(row.states.values()) == row.sockets
    if view.order is Order.SOCKETS:
        order = [(-row.sockets, row.source.order) for row in found.rows]
        everybody = sorted(-count for count in lines.values())
        assert order == sorted(order)
        assert [sockets for sockets, _ in order] == everybody[: view.most]


def _share(line: Prefix, moment: Inputs, by: Policy) -> float:
    """Weigh one source by all rules, as whoever explains it does; 0 where nothing counts."""
    shares, members = [0.0], {rule.name: rule.members for rule in by.rules}
    for scales in scales_for(line, by, Memory()):
        for case in scales.cases(moment, NOW):
            is_counted = any(line_of(unpack(row.family, row.packed)) == line for row in case.rows)
            is_judged = case.hosts >= members[case.rule.name] and not case.grant.is_exemption
            if is_counted and is_judged:
                shares.append(case.count / case.limit)
    return max(shares)


@given(moment=moments(), by=policies(), most=st.integers(1, 12))
@SETTINGS
def test_nearest_to_a_limit_agrees_with_weighing_each_source(
    moment: Inputs, by: Policy, most: int
) -> None:
    found = seen(View(order=Order.LIMIT, most=most), moment, by)
    lines = {line_of(unpack(key[0], key[3])) for key in moment.sample.tallies[SOCKETS]}
    everybody = {line: _share(line, moment, by) for line in lines}
    told = [row.nearest.share if row.nearest else 0.0 for row in found.rows]

    for row, share in zip(found.rows, told, strict=True):
        assert row.is_spared or share == everybody[row.source.prefix]
    assert told == sorted(everybody.values(), reverse=True)[:most]
    order = [(-share, row.source.order) for row, share in zip(found.rows, told, strict=True)]
    assert order == sorted(order)
    other = seen(View(most=99), moment, by)
    assert {row.source: row.nearest for row in found.rows}.items() <= {
        row.source: row.nearest for row in other.rows
    }.items()
