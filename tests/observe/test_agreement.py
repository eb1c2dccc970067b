"""Real sockets in every state: sock_diag, psutil and ss tell the same of them."""

import json
import os
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address

import pytest

from agent.model.address import pack, unpack
from agent.model.sample import SOCKETS, Sample, State
from agent.observe.interface import SocketReader
from agent.observe.psutil_table import PsutilTable
from agent.observe.sock_diag import SockDiag
from tests.observe.all_states import Server, half_open, make_all_states
from tests.range import Hosts, eventually, in_namespace, ip
from tests.range.hosts import wait_for_link, wire

pytestmark = pytest.mark.root

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = 65_534
SS_NAMES = {"ESTAB": "ESTABLISHED", "UNCONN": "CLOSE"}
SS_DASHES = {"FIN_WAIT_1": "FIN_WAIT1", "FIN_WAIT_2": "FIN_WAIT2"}


@pytest.fixture
def server(hosts: Hosts) -> Iterator[Server]:
    """Give the listeners; all sockets are closed afterwards."""
    with ExitStack() as stack:
        yield Server(hosts, stack)


def read_in(namespace: str, reader: SocketReader) -> Sample:
    """Read inside the namespace."""
    with in_namespace(namespace):
        return reader.read(NOW)


def seen_by_ss(namespace: str) -> Counter[tuple[str, int, str]]:
    """Count all sockets by state, local port and peer, as ss prints them."""
    with in_namespace(namespace):
        text = subprocess.check_output(["ss", "-tanH"], text=True)
    counts: Counter[tuple[str, int, str]] = Counter()
    for line in text.splitlines():
        state, _, _, local, peer, *_ = line.split()
        state = SS_NAMES.get(state, state.replace("-", "_"))
        host = peer.rpartition(":")[0].strip("[]").removeprefix("::ffff:")
        counts[SS_DASHES.get(state, state), int(local.rpartition(":")[2]), host] += 1
    return counts


def told(sample: Sample) -> Counter[tuple[str, int, str]]:
    """Give the tally as ss would print it."""
    return Counter(
        {
            (State(state).name, port, str(unpack(family, packed))): count
            for (family, state, port, packed), count in sample.tallies[SOCKETS].items()
        }
    )


def agree(hosts: Hosts) -> bool:
    """Whether the three tell the same."""
    kernel, proc = read_in(hosts.server, SockDiag()), read_in(hosts.server, PsutilTable())
    printed = seen_by_ss(hosts.server)
    states: Counter[str] = Counter()
    for (state, _, _), count in printed.items():
        states[state] += count
    of_listening = {key: n for key, n in printed.items() if key[0] != "LISTEN" and key[1] < 100}
    return (
        kernel == proc
        and told(kernel) == of_listening
        and {state.name: count for state, count in kernel.states.items()} == states
    )


def test_every_state_is_told_alike_by_all_three(hosts: Hosts, server: Server) -> None:
    make_all_states(server, [str(hosts.sources4[n]) for n in range(1, 9)], 80)
    make_all_states(server, [str(hosts.sources4[n]) for n in range(11, 19)], 22)
    make_all_states(server, [str(hosts.sources6[n]) for n in range(1, 9)], 80)
    half_open(server)

    assert eventually(lambda: agree(hosts))
    sample = read_in(hosts.server, SockDiag())
    assert sample.listening == {22, 80}
    assert sample.states == {
        State.ESTABLISHED: 3,
        State.SYN_SENT: 1,
        State.SYN_RECV: 4,
        State.FIN_WAIT1: 3,
        State.FIN_WAIT2: 6,
        State.TIME_WAIT: 3,
        State.CLOSE_WAIT: 3,
        State.LAST_ACK: 3,
        State.LISTEN: 2,
        State.CLOSING: 3,
    }


def test_an_ordinary_user_sees_what_root_sees(hosts: Hosts, server: Server) -> None:
    make_all_states(server, [str(hosts.sources4[n]) for n in range(1, 9)], 80)
    half_open(server)
    assert eventually(lambda: agree(hosts))

    for reader in (SockDiag(), PsutilTable()):
        as_root = read_in(hosts.server, reader)
        assert json.loads(read_as_nobody(hosts.server, reader)) == flat(as_root)


def flat(sample: Sample) -> dict[str, int]:
    """Give a sample as something that fits through a pipe."""
    return {str(key): count for key, count in sample.tallies[SOCKETS].items()} | {
        state.name: count for state, count in sample.states.items()
    }


def read_as_nobody(namespace: str, reader: SocketReader) -> str:
    """Read in a child that has given up root, and with it every capability."""
    answer, say = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with in_namespace(namespace):
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                os.write(say, json.dumps(flat(reader.read(NOW))).encode())
        finally:
            os._exit(0)
    os.close(say)
    with os.fdopen(answer) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


def test_mapped_and_plain_connections_of_one_address_are_one_source(
    hosts: Hosts, server: Server
) -> None:
    source = str(hosts.sources4[1])
    server.pair(source)
    server.web.close()
    with in_namespace(hosts.server):
        server.web = server.keep(socket.create_server(("0.0.0.0", 80)))
    server.pair(source)

    sample = read_in(hosts.server, SockDiag())
    family, packed = pack(ip_address(source))
    assert sample.tallies[SOCKETS] == {(family, State.ESTABLISHED, 80, packed): 2}


def test_the_same_bytes_in_both_families_are_two_sources(hosts: Hosts, server: Server) -> None:
    for address, gateway in (("32.1.13.184", hosts.client4), ("2001:db8::", hosts.client6)):
        ip("-n", hosts.server, "route", "add", address, "via", gateway)
        ip("-n", hosts.client, "route", "add", "local", address, "dev", "lo")
    server.pair("32.1.13.184")
    server.pair("2001:db8::")
    server.pair("2001:db8::")

    assert agree(hosts)
    assert told(read_in(hosts.server, SockDiag())) == {
        ("ESTABLISHED", 80, "32.1.13.184"): 1,
        ("ESTABLISHED", 80, "2001:db8::"): 2,
    }


def test_one_link_local_address_on_two_links_is_two_sources(hosts: Hosts, server: Server) -> None:
    wire(hosts.server, "wire2", hosts.client, "wire3")
    wait_for_link(hosts.server, "wire2")
    links = {("wire0", "wire1"): 1, ("wire2", "wire3"): 2}
    expected = {}
    for (there, here), count in links.items():
        ip("-n", hosts.server, "addr", "add", "fe80::1:1/64", "dev", there, "nodad")
        ip("-n", hosts.client, "addr", "add", "fe80::9:9/64", "dev", here, "nodad")
        with in_namespace(hosts.client):
            zone = socket.if_nametoindex(here)
        with in_namespace(hosts.server):
            expected[IPv6Address(f"fe80::9:9%{socket.if_nametoindex(there)}")] = count
        for _ in range(count):
            with in_namespace(hosts.client):
                client = server.keep(socket.socket(socket.AF_INET6))
            client.bind(("fe80::9:9", 0, 0, zone))
            client.connect(("fe80::1:1", 80, 0, zone))

    sample = read_in(hosts.server, SockDiag())
    assert {
        unpack(family, packed): count
        for (family, _, _, packed), count in sample.tallies[SOCKETS].items()
    } == expected
