import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.service import clock
from agent.service.sd_notify import Supervisor, take_supervisor


@pytest.fixture(params=["a file", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """The other end, as the service manager has it."""
    kinds = {"a file": str(tmp_path / "notify"), "abstract": f"\0abuse-agent-{os.getpid()}"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(kinds[request.param])
        made.settimeout(0)
        yield made


@pytest.fixture
def supervisor(listener: socket.socket) -> Supervisor:
    return take_supervisor({"NOTIFY_SOCKET": address_of(listener)})


def address_of(listener: socket.socket) -> str:
    """As the environment has it."""
    name = listener.getsockname()
    return f"@{name[1:].decode()}" if isinstance(name, bytes) else str(name)


def heard(listener: socket.socket) -> list[list[str]]:
    """What was told since the last call, a list of lines each."""
    messages = []
    while True:
        try:
            messages.append(listener.recv(65_536).decode().split("\n"))
        except BlockingIOError:
            return messages


def test_the_start_is_over_with_the_first_completed_cycle(
    supervisor: Supervisor, listener: socket.socket
) -> None:
    supervisor.cycle_completed("3 sources")
    supervisor.cycle_completed()

    assert heard(listener) == [["READY=1", "WATCHDOG=1", "STATUS=3 sources"], ["WATCHDOG=1"]]


def test_the_start_is_told_again_until_it_was_heard(
    supervisor: Supervisor, listener: socket.socket
) -> None:
    while supervisor.notify("STATUS=fills the queue"):
        pass
    supervisor.cycle_completed()
    heard(listener)
    supervisor.cycle_completed()
    supervisor.cycle_completed()

    assert heard(listener) == [["READY=1", "WATCHDOG=1"], ["WATCHDOG=1"]]


def test_a_reload_has_a_beginning_with_a_time_and_an_end(
    supervisor: Supervisor, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "stopwatch", lambda: 12.5)
    supervisor.cycle_completed()
    supervisor.reload_began()
    supervisor.reload_ended("rejected")

    assert heard(listener)[1:] == [
        ["RELOADING=1", "MONOTONIC_USEC=12500000"],
        ["READY=1", "STATUS=rejected"],
    ]


def test_a_reload_during_the_start_does_not_end_the_start(
    supervisor: Supervisor, listener: socket.socket
) -> None:
    supervisor.reload_ended()

    assert heard(listener) == []


def test_a_status_can_make_no_assignment_of_its_own(
    supervisor: Supervisor, listener: socket.socket
) -> None:
    supervisor.say("one\nSTOPPING=1\r\n two")
    supervisor.stopping()

    assert heard(listener) == [["STATUS=one STOPPING=1 two"], ["STOPPING=1"]]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("", id="unset"),
        pytest.param("/nonexistent/notify", id="nobody-listens"),
        pytest.param("@nobody-listens-here", id="nobody-listens-abstract"),
        pytest.param("/" + "x" * 200, id="too-long"),
        pytest.param("/a\0b", id="a-zero-byte"),
        pytest.param("relative", id="relative"),
        pytest.param("vsock:2:1234", id="not-a-unix-socket"),
    ],
)
def test_nobody_to_tell_is_no_error(address: str) -> None:
    supervisor = take_supervisor({"NOTIFY_SOCKET": address})

    supervisor.cycle_completed("well")
    supervisor.reload_began()
    supervisor.reload_ended()
    supervisor.stopping()
    assert supervisor.notify("READY=1") is False


def test_without_an_address_no_socket_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "socket")

    Supervisor().cycle_completed("well")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        pytest.param({}, None, id="unset"),
        pytest.param({"WATCHDOG_USEC": "3000000"}, 3.0, id="for-whoever-reads-it"),
        pytest.param({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "own"}, 0.5, id="for-us"),
        pytest.param({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None, id="for-another"),
        pytest.param({"WATCHDOG_USEC": "0"}, None, id="zero"),
        pytest.param({"WATCHDOG_USEC": "-1"}, None, id="negative"),
        pytest.param({"WATCHDOG_USEC": "soon"}, None, id="no-number"),
        pytest.param({"WATCHDOG_USEC": "²"}, None, id="no-ascii-digit"),
    ],
)
def test_the_watchdog_is_read(environ: dict[str, str], seconds: float | None) -> None:
    own = {key: value.replace("own", str(os.getpid())) for key, value in environ.items()}

    assert take_supervisor(own).watchdog_s == seconds


def test_no_child_process_inherits_it() -> None:
    environ = {
        "NOTIFY_SOCKET": "/run/systemd/notify",
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "1",
        "PATH": "/bin",
    }

    take_supervisor(environ)

    assert environ == {"PATH": "/bin"}
