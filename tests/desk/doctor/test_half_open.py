"""SYN_RECV against what each listener keeps."""

import pytest

from agent.desk.doctor.half_open import half_open
from agent.desk.doctor.values import Grade
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, Group, Listening
from tests.desk.doctor.sick import facts, sockets

WEB = Listening(port=80, waiting=0, backlog=128, inode=1)
COOKIES = {"net.ipv4.tcp_syncookies": "1", "net.ipv4.tcp_max_syn_backlog": "128"}
NO_COOKIES = COOKIES | {"net.ipv4.tcp_syncookies": "0"}
SENT = {"TcpExt.SyncookiesSent": 5}


@pytest.mark.parametrize(
    ("count", "listening", "settings", "grown", "grade"),
    [
        pytest.param(0, [WEB], COOKIES, {}, Grade.FINE, id="none"),
        pytest.param(127, [WEB], COOKIES, {}, Grade.FINE, id="room-for-one"),
        pytest.param(128, [WEB], COOKIES, {}, Grade.WRONG, id="full"),
        pytest.param(96, [WEB], COOKIES, SENT, Grade.WRONG, id="full-in-between"),
        pytest.param(95, [WEB], COOKIES, SENT, Grade.FINE, id="anothers-was-full"),
        pytest.param(96, [WEB], NO_COOKIES, {}, Grade.WRONG, id="without-cookies-three-quarters"),
        pytest.param(200, [WEB, WEB], COOKIES, {}, Grade.FINE, id="two-queues-of-one-port"),
        pytest.param(
            500,
            [Listening(port=80, waiting=129, backlog=128, inode=1)],
            COOKIES,
            {},
            Grade.FINE,
            id="the-application-does-not-accept",
        ),
    ],
)
def test_each_port_is_held_against_its_own_backlog(
    count: int,
    listening: list[Listening],
    settings: dict[str, str],
    grown: dict[str, int],
    grade: Grade,
) -> None:
    here = sockets(more={(State.SYN_RECV, 80): Group(count=count)}, listening=listening)
    (found,) = half_open(facts(here, settings=settings, grown=grown))
    assert found.grade is grade


@pytest.mark.parametrize(("settings", "is_dropped"), [(COOKIES, False), (NO_COOKIES, True)])
def test_cookies_are_switched_on_first_and_nobody_is_banned(
    settings: dict[str, str],
    is_dropped: bool,
) -> None:
    here = sockets(more={(State.SYN_RECV, 80): Group(count=128, retried=100)}, listening=[WEB])
    (found,) = half_open(facts(here, settings=settings))

    assert (found.do[0] == "sysctl -w net.ipv4.tcp_syncookies=1") is is_dropped
    assert not any("abuse-agent ban" in line for line in found.do)
    assert "may be forged" in found.why


def test_a_hundred_pressed_ports_are_told_by_the_worst_ten() -> None:
    more = {(State.SYN_RECV, port): Group(count=128 + port) for port in range(1, 101)}
    listening = [Listening(port=port, waiting=0, backlog=128, inode=port) for port in range(1, 101)]
    found = list(half_open(facts(sockets(more=more, listening=listening))))

    assert len(found) == 10
    assert "port 100 " in found[0].says


def test_a_simultaneous_open_from_here_has_no_listener() -> None:
    here = sockets(more={(State.SYN_RECV, OUTGOING): Group(count=500)})
    (found,) = half_open(facts(here))
    assert found.grade is Grade.FINE
