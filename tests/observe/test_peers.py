"""The sockets of one prefix, asked for by a filter that the kernel runs."""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from agent.errors import ObserveError
from agent.model.sample import State
from agent.observe.owners import parse_socket, read_owners
from agent.observe.peers import Peers, read_peers, request_for
from tests.builders import prefix
from tests.observe.recorded_sockets import DUMP
from tests.range import Hosts, connect, in_namespace, serve

BYTES = bytes.fromhex(DUMP)


@pytest.fixture
def talk() -> Iterator[tuple[int, list[socket.socket]]]:
    """Give a port on loopback and both ends of three connections to it; one has unread bytes."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = server.getsockname()[1]
        ends = []
        for _ in range(3):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            ends += [client, stack.enter_context(server.accept()[0])]
        ends[0].sendall(b"x" * 100)
        ends[3].sendall(b"y" * 7)
        ends[1].recv(1, socket.MSG_PEEK)
        ends[2].recv(1, socket.MSG_PEEK)
        yield port, ends


def test_the_filter_is_one_condition_on_the_far_end() -> None:
    asked = request_for(prefix("192.0.2.0/24"))
    head = struct.pack("=IHHIIBBBB48xII", 76 + 24 - 4, 18, 0x301, 1, 0, 0, 0, 0, 0, 0xB7E, 0)
    condition = struct.pack("=BBxxi4s", 2, 24, -1, bytes([192, 0, 2, 0]))
    program = struct.pack("=BBH", 8, 16, 20) + condition
    assert asked == head + struct.pack("=HH", 20, 1) + program


def test_inbound_and_outgoing_are_told_apart_with_what_waits_in_them(
    talk: tuple[int, list[socket.socket]],
) -> None:
    port, ends = talk
    found = read_peers(prefix("127.0.0.1/32"), frozenset({port}))
    mine = {os.fstat(one.fileno()).st_ino for one in ends}

    assert (found.inbound.unread, found.inbound.unread_most) == (100, 100)
    assert found.outgoing[State.ESTABLISHED, port] == 3
    assert found.outbound.unread >= 7
    assert mine <= found.inodes
    assert read_peers(prefix("127.9.9.9/32"), frozenset({port})).sockets == 0


def test_the_processes_of_sockets_are_found_and_others_are_not(
    talk: tuple[int, list[socket.socket]],
) -> None:
    _, ends = talk
    inodes = [os.fstat(one.fileno()).st_ino for one in ends]
    found = read_owners([*inodes, 1])
    (process,) = [one for one in found.sockets if one[0] == os.getpid()]

    assert found.sockets[process] == 6
    assert found.unknown == 1
    assert read_owners([]).sockets == {}


@pytest.mark.parametrize("target", ["/dev/null", "socket:[x]", "pipe:[12]", "12]", "socket:[²]"])
def test_what_is_no_socket_has_no_inode(target: str) -> None:
    assert parse_socket(target) is None
    assert parse_socket("socket:[12]") == 12


def test_an_answer_cut_off_anywhere_is_whole_rows_or_an_error() -> None:
    for end in range(1, 132):
        with pytest.raises(ObserveError):
            Peers(frozenset()).take(BYTES[:end])


@pytest.mark.root
def test_a_prefix_has_its_own_sockets_alone_mapped_ones_among_them(hosts: Hosts) -> None:
    sources = ["198.18.7.1", "198.18.7.2", "198.18.8.1"]
    with (
        serve(hosts.server, 80),
        connect(hosts.client, sources, (hosts.server4, 80), each=4),
        connect(hosts.client, ["2001:db8:18:7::1"], (hosts.server6, 80), each=5),
        in_namespace(hosts.server),
    ):
        ports = frozenset({80})
        assert read_peers(prefix("198.18.7.1/32"), ports).sockets == 4
        assert read_peers(prefix("198.18.7.0/24"), ports).sockets == 8
        assert read_peers(prefix("198.18.0.0/16"), ports).sockets == 12
        assert read_peers(prefix("2001:db8:18:7::/64"), ports).sockets == 5
        assert read_peers(prefix("2001:db8:18:8::/64"), ports).sockets == 0
