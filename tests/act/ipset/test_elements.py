"""Lines for ipset, and back; the saved text below was recorded from ipset 7.17."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from agent.act.ipset.elements import (
    MOST_S,
    SetTable,
    Tally,
    add_lines,
    allow_lines,
    allowed_in,
    joined,
    lift_lines,
    parse_saved,
)
from agent.act.ipset.names import set_name
from agent.model.plan import Lift
from agent.model.policy import Rate, Scope, Service
from tests.builders import NOW, ban, half_open, held, layout, prefix, throttle

TABLE = SetTable(layout(), (4, 6))
SAVED = """\
create aa4-web hash:net family inet hashsize 1024 maxelem 1048576 timeout 600 comment bucketsize 12
add aa4-web 192.0.2.1 timeout 77 comment "b1 web-connections 1763607600 600"
add aa4-web 192.0.2.0/24 timeout 0
add aa4-web 192.0.2.9 timeout 5 comment "put in by hand"
create aa6-host hash:net family inet6 hashsize 1024 maxelem 1048576 timeout 600 comment
add aa6-host 2001:db8::/64 timeout 9 comment "b2 ssh-logins 1763607600 600"
create aa4-allow hash:net family inet hashsize 1024 maxelem 1048576 bucketsize 12
add aa4-allow 0.0.0.0/1
add aa4-allow 128.0.0.0/1
add aa4-allow 10.0.0.0/8
add aa4-gone 192.0.2.7 timeout 9 comment "b3 web-connections 1763607600 600"
add other 192.0.2.8 timeout 9
"""


def lines(*bans: object, tally: Tally | None = None, table: SetTable = TABLE) -> list[str]:
    return list(add_lines(bans, table, NOW, tally or Tally()))  # type: ignore[arg-type]


def test_what_ipset_saved_is_read() -> None:
    found, lasting = parse_saved(SAVED, TABLE)

    told = [
        (str(one.source), one.target[:2], one.left, one.mark and one.mark.ban_id)
        for one in found.bans
    ]
    assert told == [
        ("192.0.2.1", (Scope.SERVICE, "web"), timedelta(seconds=77), "b1"),
        ("192.0.2.0/24", (Scope.SERVICE, "web"), None, None),
        ("192.0.2.9", (Scope.SERVICE, "web"), timedelta(seconds=5), None),
        ("2001:db8::/64", (Scope.HOST, ""), timedelta(seconds=9), "b2"),
    ]
    assert found.allowed == {prefix("0.0.0.0/0"), prefix("10.0.0.0/8")}
    assert lasting == {"aa4-web": [77, float("inf"), 5], "aa6-host": [9]}


def test_a_throttle_in_the_sets_of_two_rates_is_told_once() -> None:
    two = layout(half_open(), half_open("faster", rate=Rate(count=5, per=timedelta(seconds=1))))
    table = SetTable(two, (4,))
    names = [set_name(one, 4) for one in two.sets if one.rate]

    found, _ = parse_saved("".join(f"add {name} 192.0.2.1 timeout 9\n" for name in names), table)

    assert len(names) == 2
    assert len(found.bans) == 1


@pytest.mark.parametrize(
    ("lasts", "expected"),
    [
        pytest.param(timedelta(milliseconds=1), 1, id="never 0: that is for ever"),
        pytest.param(timedelta(seconds=2, milliseconds=1), 3, id="rounded up"),
        pytest.param(timedelta(days=400), MOST_S, id="not more than ipset takes"),
    ],
)
def test_every_ban_has_a_timeout(lasts: timedelta, expected: int) -> None:
    (line,) = lines(ban(lasts=lasts))

    assert line.startswith(f"add aa4-web 192.0.2.10/32 timeout {expected} comment ")


def test_bans_of_several_cycles_and_lengths_each_keep_their_own_times() -> None:
    minute = timedelta(minutes=1)
    bans = [
        ban("192.0.2.1/32"),
        ban("2001:db8::/64", begins=NOW - minute),
        ban("192.0.2.3/32", begins=NOW - 10 * minute),
        ban("192.0.2.4/32", begins=NOW - minute, lasts=2 * minute),
        ban("::ffff:0:0/96", lasts=2 * minute),
    ]

    written = lines(*bans)

    begun = int(NOW.timestamp())
    assert written == [
        f'add aa4-web 192.0.2.1/32 timeout 600 comment "b1 web-connections {begun} 600"\n',
        f'add aa6-web 2001:db8::/64 timeout 540 comment "b1 web-connections {begun - 60} 600"\n',
        f'add aa4-web 192.0.2.4/32 timeout 60 comment "b1 web-connections {begun - 60} 120"\n',
        f'add aa6-web ::ffff:0.0.0.0/96 timeout 120 comment "b1 web-connections {begun} 120"\n',
    ]


def test_a_throttle_leaves_the_sets_of_the_other_rates() -> None:
    two = layout(half_open(), half_open("faster", rate=Rate(count=5, per=timedelta(seconds=1))))
    first, second = (set_name(one, 4) for one in two.sets if one.rate)

    written = lines(throttle(), table=SetTable(two, (4,)))

    assert [line.split()[:3] for line in written] == [
        ["del", second, "192.0.2.10/32"],
        ["add", first, "192.0.2.10/32"],
    ]


def test_a_ban_without_a_set_is_counted_and_not_written() -> None:
    tally = Tally()
    strange = ban(service=Service(name="gone", ports=frozenset({7})))

    written = lines(strange, ban("2001:db8::/64"), tally=tally, table=SetTable(layout(), (4,)))

    assert (written, tally.unplaced) == ([], 2)


def test_a_ban_is_lifted_only_from_sets_that_are_there() -> None:
    lifts = (Lift(held=held(ban()), reason="test"), Lift(held=held(ban("::1/128")), reason="test"))

    written = list(lift_lines(lifts, TABLE, {"aa4-web"}, Tally()))

    assert written == ["del aa4-web 192.0.2.10/32\n"]


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        pytest.param(["10.0.0.0/8"], ["10.0.0.0/8"], [], id="as it is"),
        pytest.param(
            ["10.0.0.0/8"],
            ["::/1"],
            ["add aa4-allow 10.0.0.0/8\n", "del aa6-allow ::/1\n"],
            id="first what is new",
        ),
        pytest.param(
            ["0.0.0.0/0"],
            ["0.0.0.0/1"],
            ["add aa4-allow 128.0.0.0/1\n"],
            id="everything is two halves",
        ),
    ],
)
def test_the_allow_set_is_changed(
    wanted: Sequence[str], there: Sequence[str], expected: list[str]
) -> None:
    held_now = frozenset(map(prefix, there))

    assert list(allow_lines(map(prefix, wanted), held_now, (4, 6))) == expected


def test_halves_stand_in_the_kernel_and_are_read_as_one() -> None:
    halves = allowed_in(SAVED, (4,))

    assert prefix("0.0.0.0/1") in halves
    assert prefix("0.0.0.0/0") in joined(halves)
