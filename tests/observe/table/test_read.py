"""Reading all sockets of a machine."""

import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from agent.errors import ObserveError
from agent.kernel.ask import OverrunError
from agent.model.sample import State
from agent.observe.owners import read_holders
from agent.observe.table import read
from agent.observe.table.read import REQUEST, parse_listening, read_port_range, read_sockets
from agent.observe.table.values import TIMER_WINDOW
from tests.observe.all_states import Server, half_open, make_all_states
from tests.observe.recorded_sockets import DUMP
from tests.range import Hosts, eventually, in_namespace

BYTES = bytes.fromhex(DUMP)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def test_the_request_asks_for_both_families_with_what_tcp_knows() -> None:
    head = struct.pack("=IHHIIBBBB48xII", 76, 18, 0x301, 1, 0, 0, 0, 0, 2, 0xB7E, 0)
    assert head == REQUEST


def test_recorded_listening_sockets_are_read() -> None:
    rows, is_last = parse_listening(BYTES[: 132 + 124])

    assert [(one.port, one.waiting, one.backlog) for one in rows] == [(80, 0, 128), (22, 0, 128)]
    assert all(one.inode for one in rows)
    assert not is_last


@pytest.mark.parametrize(
    ("text", "expected"),
    [("32768\t60999\n", (32_768, 60_999)), ("4000 5000", (4_000, 5_000)), ("x", (32_768, 60_999))],
)
def test_the_port_range_is_read_or_the_kernels_default(
    tmp_path: Path, text: str, expected: tuple[int, int]
) -> None:
    path = tmp_path / "proc/sys/net/ipv4/ip_local_port_range"
    assert read_port_range(tmp_path) == (32_768, 60_999)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert read_port_range(tmp_path) == expected


def test_an_answer_with_a_hole_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def ask(_: int, request: bytes, __: object) -> None:
        asked.append(request)
        raise OverrunError("a hole")

    monkeypatch.setattr(read, "ask", ask)
    with pytest.raises(ObserveError):
        read_sockets()
    assert len(asked) == 3


def test_own_connections_are_found_with_their_process_and_again(stack: ExitStack) -> None:
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=5))
    port = server.getsockname()[1]
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    served = stack.enter_context(server.accept()[0])
    client.sendall(b"x" * 100)
    served.recv(1, socket.MSG_PEEK)
    first = read_sockets()
    second = read_sockets(first.kept)

    inode = os.fstat(served.fileno()).st_ino
    (cookie,) = [one for one, kept in first.kept.items() if kept.inode == inode]
    found = second.kept[cookie]
    assert (found.port, found.unread, found.state) == (port, 100, State.ESTABLISHED)
    assert found.acked_ms is not None
    assert found.received_ms is not None
    (own,) = [one for one in second.listening if one.port == port]
    assert (own.waiting, own.backlog) == (0, 5)
    holders = read_holders(second.inodes())
    assert holders.of[inode][0] == holders.of[own.inode][0] == os.getpid()
    assert read_holders([]).of == {}


@pytest.mark.root
def test_every_state_is_counted_as_psutil_does(hosts: Hosts, stack: ExitStack) -> None:
    server = Server(hosts, stack)
    make_all_states(server, [f"198.18.1.{n}" for n in range(1, 20)], 80)
    half_open(server)
    with in_namespace(hosts.server):
        theirs = [
            one.status for one in psutil.net_connections("tcp") if one.status != psutil.CONN_LISTEN
        ]
        found = read_sockets()

    for state in {key[0] for key in found.groups}:
        assert found.total(state).count == theirs.count(state.name), state
    assert found.inbound(80, State.CLOSE_WAIT).count == 1
    assert found.outgoing(State.SYN_SENT).count == 1
    assert {one.port for one in found.listening} == {22, 80}


@pytest.mark.root
def test_a_client_that_closed_its_window_is_told_by_the_timer(
    hosts: Hosts, stack: ExitStack
) -> None:
    server = Server(hosts, stack)
    _, served = server.pair("198.18.1.1")
    served.setblocking(False)  # noqa: FBT003 - the standard library's own
    while True:
        try:
            served.send(bytes(1 << 20))
        except BlockingIOError:
            break

    def timer() -> int:
        with in_namespace(hosts.server):
            (one,) = read_sockets().kept.values()
        return one.timer

    assert eventually(lambda: timer() == TIMER_WINDOW)


@pytest.mark.root
def test_queues_are_counted_as_ss_does(hosts: Hosts, stack: ExitStack) -> None:
    server = Server(hosts, stack)
    make_all_states(server, [f"198.18.1.{n}" for n in range(1, 20)], 80)
    client, _ = server.pair("198.18.2.1")
    client.sendall(b"x" * 1_000)
    server.pair("198.18.2.2")[1].sendall(b"y" * 1_000)
    half_open(server)
    with in_namespace(hosts.server):
        ss = ["ss", "-tanH", "exclude", "listening"]
        told = subprocess.run(ss, capture_output=True, text=True, check=True).stdout
        found = read_sockets()

    rows = [line.split() for line in told.splitlines()]
    groups = found.groups.values()
    assert sum(one.count for one in groups) == len(rows)
    assert sum(one.unread_bytes for one in groups) == sum(int(row[1]) for row in rows) > 1_000
    assert sum(one.unsent_bytes for one in groups) == sum(int(row[2]) for row in rows) > 0
