"""CLOSE_WAIT: leaked, or only passing."""

import pytest

from agent.desk.doctor.unclosed import unclosed
from agent.desk.doctor.values import Finding, Grade
from agent.model.sample import State
from agent.observe.owners import Holders
from agent.observe.table.values import OUTGOING, Socket
from tests.desk.doctor.sick import facts, once, sock, sockets

OLD = {"acked_ms": 61_000}


def closed(count: int, **fields: object) -> list[Socket]:
    return [sock(State.CLOSE_WAIT, **(OLD | fields)) for _ in range(count)]


def only(*arguments: object, **fields: object) -> Finding:
    (found,) = unclosed(facts(*arguments, **fields))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("those", "grade"),
    [
        pytest.param([], Grade.FINE, id="none"),
        pytest.param(closed(100), Grade.WRONG, id="a-pile"),
        pytest.param(closed(7), Grade.WRONG, id="more-than-a-browser"),
        pytest.param(closed(6), Grade.FINE, id="a-browser"),
        pytest.param(closed(99, port=OUTGOING), Grade.FINE, id="a-clients-pool"),
        pytest.param(closed(100, port=OUTGOING), Grade.WRONG, id="a-clients-leak"),
        pytest.param(closed(100, acked_ms=59_000), Grade.WRONG, id="a-pile-of-this-minute"),
        pytest.param(closed(99, acked_ms=59_000), Grade.ADVICE, id="less-of-this-minute"),
        pytest.param(closed(6, acked_ms=59_000), Grade.FINE, id="a-browser-of-this-minute"),
        pytest.param(closed(500, acked_ms=500), Grade.FINE, id="something-is-still-sent"),
        pytest.param(closed(500, inode=0), Grade.FINE, id="not-accepted-yet"),
        pytest.param(closed(100, acked_ms=None), Grade.WRONG, id="age-not-told"),
        pytest.param(closed(1, stands_for=128), Grade.WRONG, id="one-that-speaks-for-many"),
    ],
)
def test_age_and_number_tell_a_leak_from_what_passes(those: list[Socket], grade: Grade) -> None:
    assert only(sockets(those)).grade is grade


def test_the_process_is_named_and_nothing_of_its_name_reaches_the_terminal() -> None:
    found = only(sockets(closed(100, inode=8)))

    assert "db\\x1b[2J (pid 80): 100" in found.says
    assert "more than 1m ago, the first 1m1s ago" in found.says
    assert found.do[0] == "restart that process: nothing else closes them"


def test_of_what_stands_still_for_less_than_a_minute_nobody_is_told_that_it_leaks() -> None:
    found = only(sockets(closed(100, acked_ms=59_000)))

    assert "stood still for the" in found.says
    assert found.do[0].startswith("look again in a minute")


def test_a_process_that_reads_nothing_may_hang() -> None:
    assert "it may hang" in only(sockets(closed(100, unread=1))).says
    assert "It has read that they ended" in only(sockets(closed(100))).says


def test_a_user_who_may_not_look_is_told_to_ask_as_root() -> None:
    found = only(sockets(closed(100, uid=33)), holders=Holders(hidden=40))

    assert found.grade is Grade.WRONG
    assert "held by a process of uid 33, which only root may look into: 100" in found.says
    assert any("sudo abuse-agent doctor" in line for line in found.do)


def test_others_at_the_second_look_are_no_leak() -> None:
    assert only(sockets(closed(100)), sockets([sock()] * 100)).grade is Grade.FINE


def test_one_look_alone_blames_nobody() -> None:
    (found,) = unclosed(once(facts(sockets(closed(500)))))
    assert (found.grade, found.value) == (Grade.FINE, "500")
