"""Send-Q of connections."""

from ipaddress import ip_address

import pytest

from agent.desk.doctor.unsent import unsent
from agent.desk.doctor.values import Grade
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, TIMER_RETRANSMIT, TIMER_WINDOW, Socket
from tests.desk.doctor.sick import facts, grades, once, sock, sockets


def shut(count: int, **fields: object) -> list[Socket]:
    given: dict[str, object] = {"timer": TIMER_WINDOW, "unsent": 1_000}
    return [sock(State.ESTABLISHED, **(given | fields)) for _ in range(count)]


def crowd(count: int) -> list[Socket]:
    """Give one from each of many addresses."""
    return [shut(1, remote=ip_address(0x0A000000 + number))[0] for number in range(count)]


@pytest.mark.parametrize(
    ("those", "grade"),
    [
        pytest.param(shut(7), Grade.WRONG, id="more-than-a-browser"),
        pytest.param(shut(6), Grade.ADVICE, id="a-browser-that-pauses-alone"),
        pytest.param(shut(6) + [sock()] * 6, Grade.FINE, id="a-browser-that-pauses"),
        pytest.param(shut(7) + [sock()] * 500, Grade.WRONG, id="of-one-address-among-many"),
        pytest.param(crowd(7), Grade.WRONG, id="most-of-them"),
        pytest.param(crowd(7) + [sock()] * 7, Grade.FINE, id="viewers-that-pause"),
        pytest.param(shut(50, timer=TIMER_RETRANSMIT), Grade.FINE, id="downloads-on-their-way"),
        pytest.param(shut(50, port=OUTGOING), Grade.FINE, id="uploads-from-here"),
    ],
)
def test_readers_that_take_nothing_are_told_from_slow_ways(
    those: list[Socket], grade: Grade
) -> None:
    assert grades(unsent(facts(sockets(those))))["Send-Q"] is grade


def test_a_window_that_opened_in_between_is_a_slow_reader_and_no_attack() -> None:
    told = facts(sockets(shut(9)), sockets(shut(9, timer=TIMER_RETRANSMIT)))
    assert grades(unsent(told))["Send-Q"] is Grade.FINE
    assert grades(unsent(once(told)))["Send-Q"] is Grade.FINE


def test_who_takes_nothing_is_named_and_no_ban_is_advised() -> None:
    found, _ = unsent(facts(sockets(shut(20))))

    assert "198.51.100.1: 20" in found.says
    assert "20000 bytes wait" in found.says
    assert not any(line.startswith("abuse-agent ban") for line in found.do)


@pytest.mark.parametrize(
    ("those", "grade"),
    [
        pytest.param(shut(100, timer=TIMER_RETRANSMIT, tries=3), Grade.WRONG, id="most-cut-off"),
        pytest.param(shut(100, timer=TIMER_RETRANSMIT, tries=2), Grade.FINE, id="of-this-second"),
        pytest.param(
            shut(100, timer=TIMER_RETRANSMIT, tries=3) + [sock()] * 100, Grade.FINE, id="half"
        ),
    ],
)
def test_a_way_that_is_cut_shows_on_most_connections(those: list[Socket], grade: Grade) -> None:
    assert grades(unsent(facts(sockets(those))))["retransmissions"] is grade
