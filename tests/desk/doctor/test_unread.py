"""Recv-Q of connections."""

import pytest

from agent.desk.doctor.unread import unread
from agent.desk.doctor.values import Grade
from agent.model.sample import State
from agent.observe.table.values import TIMER_WINDOW, Socket
from tests.desk.doctor.sick import facts, once, sock, sockets

ASKING_ON = [sock(unread=100, unsent=900, timer=TIMER_WINDOW)] * 7
LEFT = [sock(unread=100)] * 7


@pytest.mark.parametrize(
    ("before", "now", "grade"),
    [
        pytest.param(LEFT, LEFT, Grade.WRONG, id="nothing-read"),
        pytest.param(ASKING_ON, ASKING_ON, Grade.FINE, id="a-slow-readers-next-request"),
        pytest.param(LEFT[1:], LEFT[1:], Grade.FINE, id="of-one-browser"),
        pytest.param(LEFT, [sock(unread=50)] * 7, Grade.FINE, id="being-read"),
        pytest.param([sock()] * 7, LEFT, Grade.FINE, id="has-just-come"),
        pytest.param(LEFT * 15, LEFT * 15 + [sock()] * 999, Grade.WRONG, id="a-pile-among-idle"),
        pytest.param(LEFT, LEFT + [sock()] * 7, Grade.FINE, id="as-many-are-read"),
        pytest.param(
            [sock(unread=9, inode=0)] * 7,
            [sock(unread=9, inode=0)] * 7,
            Grade.FINE,
            id="not-accepted-yet",
        ),
        pytest.param(
            [sock(State.CLOSE_WAIT, unread=1)] * 7,
            [sock(State.CLOSE_WAIT, unread=1)] * 7,
            Grade.FINE,
            id="is-told-as-close-wait",
        ),
    ],
)
def test_what_is_left_unread_on_most_connections_is_an_illness(
    before: list[Socket], now: list[Socket], grade: Grade
) -> None:
    (found,) = unread(facts(sockets(now), sockets(before)))
    assert found.grade is grade


def test_the_process_and_its_clients_are_named() -> None:
    (found,) = unread(facts(sockets(LEFT)))

    assert "of 7 connections at port 80, 7 hold 700 bytes" in found.says
    assert "held by api (pid 70): 7" in found.says
    assert "198.51.100.1: 7" in found.why


def test_one_look_alone_blames_nobody() -> None:
    (found,) = unread(once(facts(sockets(LEFT))))
    assert found.grade is Grade.FINE
