"""FIN_WAIT1, LAST_ACK and CLOSING that pile up."""

from ipaddress import ip_address

import pytest

from agent.desk.doctor.unacknowledged import unacknowledged
from agent.desk.doctor.values import Grade
from agent.model.sample import State
from agent.observe.table.values import TIMER_WINDOW, Group, Socket
from tests.desk.doctor.sick import facts, grades, once, sock, sockets


def stuck(count: int, state: State = State.FIN_WAIT1, **fields: object) -> list[Socket]:
    given: dict[str, object] = {"inode": 0, "tries": 3, "unsent": 11}
    return [sock(state, **(given | fields)) for _ in range(count)]


@pytest.mark.parametrize("state", [State.FIN_WAIT1, State.LAST_ACK, State.CLOSING])
def test_a_pile_is_wrong_and_says_who(state: State) -> None:
    found = list(unacknowledged(facts(sockets(stuck(100, state)))))
    (wrong,) = [one for one in found if one.grade is not Grade.FINE]

    assert (wrong.name, wrong.value) == (state.name, "100")
    assert "198.51.100.1: 100" in wrong.says
    assert "1100 bytes (Send-Q)" in wrong.says
    assert any(line == "abuse-agent explain 198.51.100.1" for line in wrong.do)


@pytest.mark.parametrize(
    ("those", "others"),
    [
        pytest.param(stuck(99), 0, id="no-pile"),
        pytest.param(stuck(100), 100, id="as-many-go-well"),
        pytest.param(stuck(500, tries=0), 0, id="on-their-way"),
    ],
)
def test_vanished_clients_of_every_day_are_no_illness(those: list[Socket], others: int) -> None:
    here = sockets(those, {(State.TIME_WAIT, 80): Group(count=others)})
    assert set(grades(unacknowledged(facts(here))).values()) == {Grade.FINE}


def test_one_look_alone_blames_nobody() -> None:
    told = once(facts(sockets(stuck(500))))
    assert set(grades(unacknowledged(told)).values()) == {Grade.FINE}


def test_closed_windows_are_told() -> None:
    found = next(iter(unacknowledged(facts(sockets(stuck(100, timer=TIMER_WINDOW))))))
    assert "100 of them say that they have no room" in found.says


@pytest.mark.parametrize(("count", "grade"), [(1_023, Grade.FINE), (1_024, Grade.WRONG)])
def test_orphans_are_held_against_the_kernels_limit(count: int, grade: Grade) -> None:
    here = sockets(more={(State.FIN_WAIT1, 80): Group(count=count, orphans=count)})
    told = facts(here, settings={"net.ipv4.tcp_max_orphans": "4096"})

    assert grades(unacknowledged(told))["orphans"] is grade


def test_the_three_worst_are_named_and_the_rest_counted() -> None:
    those = [
        one
        for number in range(1, 6)
        for one in stuck(30 * number, remote=ip_address(f"192.0.2.{number}"))
    ]
    found = next(iter(unacknowledged(facts(sockets(those)))))
    assert "192.0.2.5: 150, 192.0.2.4: 120, 192.0.2.3: 90 and 2 others" in found.says
