"""SYN_SENT: a scanner, a dead upstream, or what happens."""

from ipaddress import ip_address
from typing import Any

import pytest

from agent.desk.doctor.calling import calling
from agent.desk.doctor.values import Grade
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, Socket
from tests.desk.doctor.sick import facts, sock, sockets


def called(count: int, state: State = State.SYN_SENT, **fields: object) -> list[Socket]:
    """Call as many addresses."""
    given: dict[str, object] = {"port": OUTGOING, "tries": 1, "remote_port": 23}
    return [
        sock(state, **(given | {"remote": ip_address(0x0A000000 + number)} | fields))
        for number in range(count)
    ]


ONE: dict[str, Any] = {"remote": ip_address("192.0.2.1"), "remote_port": 5432}


@pytest.mark.parametrize(
    ("those", "grade"),
    [
        pytest.param([], Grade.FINE, id="none"),
        pytest.param(called(100), Grade.WRONG, id="a-scanner"),
        pytest.param(called(99), Grade.FINE, id="no-pile"),
        pytest.param(called(500, tries=0), Grade.FINE, id="all-of-this-second"),
        pytest.param(
            called(100) + called(100, State.ESTABLISHED), Grade.FINE, id="a-crawler-of-old-names"
        ),
        pytest.param(
            called(100) + called(5_000, State.ESTABLISHED, inode=8),
            Grade.WRONG,
            id="a-scanner-beside-a-proxy",
        ),
        pytest.param(called(100, **ONE), Grade.WRONG, id="a-dead-upstream"),
        pytest.param(
            called(100, **ONE) + called(1, State.ESTABLISHED, **ONE), Grade.FINE, id="a-slow-one"
        ),
    ],
)
def test_calls_without_an_answer_are_judged_by_process_and_by_destination(
    those: list[Socket], grade: Grade
) -> None:
    (found,) = calling(facts(sockets(those)))
    assert found.grade is grade
    if grade is Grade.WRONG:
        assert "held by api (pid 70): 100" in found.says


def test_a_scanner_and_a_dead_upstream_are_told_apart() -> None:
    (scanner,) = calling(facts(sockets(called(100))))
    (upstream,) = calling(facts(sockets(called(100, **ONE))))

    assert "calls 100 addresses that do not answer, port 23," in scanner.says
    assert upstream.says.startswith("192.0.2.1 port 5432 answers none of 100 calls")
