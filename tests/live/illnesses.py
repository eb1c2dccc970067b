"""Illnesses of a server, each really made, and the healthy siblings that look like them.

Each is a context: the illness is there while it is open. What it gives is what a doctor
has to name: a port, a process, an address.
"""

import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from agent.model.sample import State
from agent.observe.table.read import read_sockets
from tests.range import Hosts, connect, eventually, forge_syns, in_namespace, ip, serve
from tests.range.hosts import set_sysctl

SOURCE = "198.18.7.9"
MANY = 120
"""Above what the doctor calls a pile."""

Ends = list[tuple[socket.socket, socket.socket]]


def counts(hosts: Hosts, state: State) -> int:
    """Count the server's sockets in a state."""
    with in_namespace(hosts.server):
        return read_sockets().total(state).count


def wait_for(hosts: Hosts, state: State, count: int) -> None:
    """Wait until the server has so many sockets in that state.

    Raises:
        AssertionError: It has not in ten seconds.
    """
    assert eventually(lambda: counts(hosts, state) >= count), (state, counts(hosts, state))


def forget_soon(hosts: Hosts) -> None:
    """Have the server call a connection forgotten after a second."""
    set_sysctl(hosts.server, "ipv4/tcp_fin_timeout", "1")


@contextmanager
def pairs(hosts: Hosts, count: int, port: int = 80) -> Iterator[Ends]:
    """Give both ends of so many connections, the client's first; this process has them all."""
    with ExitStack() as stack:
        with in_namespace(hosts.server):
            server = stack.enter_context(socket.create_server((hosts.server4, port), backlog=4096))
        ends = []
        for _ in range(count):
            with in_namespace(hosts.client):
                client = stack.enter_context(socket.socket())
            client.bind((SOURCE, 0))
            client.connect((hosts.server4, port))
            ends.append((client, stack.enter_context(server.accept()[0])))
        yield ends


@contextmanager
def never_closing(hosts: Hosts, count: int = MANY) -> Iterator[str]:
    """A server that does not close what its clients have closed."""
    forget_soon(hosts)
    with serve(hosts.server, 80) as server:
        with connect(hosts.client, [SOURCE], (hosts.server4, 80), each=count) as clients:
            assert clients.connected == count
        wait_for(hosts, State.CLOSE_WAIT, count)
        time.sleep(1.2)
        yield f"pid {server.pid}"


@contextmanager
def not_accepting(hosts: Hosts) -> Iterator[str]:
    """A server that accepts nobody."""
    with in_namespace(hosts.server):
        server = socket.create_server((hosts.server4, 80), backlog=5)
    to = (hosts.server4, 80)
    with server, connect(hosts.client, [SOURCE], to, each=20, within_s=1.5):
        yield f"pid {os.getpid()}"


@contextmanager
def half_open(hosts: Hosts, count: int = 300) -> Iterator[str]:
    """A server whose queue of half-open connections is full of forged ones."""
    with serve(hosts.server, 80, backlog=64):
        sources = [str(hosts.silent4[number]) for number in range(1, count + 1)]
        forge_syns(hosts.client, sources, (hosts.server4, 80))
        wait_for(hosts, State.SYN_RECV, min(count, 64))
        yield "port 80"


@contextmanager
def calling_out(hosts: Hosts, each: int = 100) -> Iterator[str]:
    """A client on the server that takes all local ports for one destination."""
    set_sysctl(hosts.server, "ipv4/ip_local_port_range", "40000 40099")
    with (
        serve(hosts.client, 9000, closes=True),
        connect(hosts.server, [hosts.server4], (hosts.client4, 9000), each=each) as clients,
    ):
        yield f"pid {clients.pid}"


@contextmanager
def lingering_out(hosts: Hosts) -> Iterator[str]:
    """The same, by connections that are closed already."""
    set_sysctl(hosts.server, "ipv4/ip_local_port_range", "40000 40099")
    set_sysctl(hosts.server, "ipv4/tcp_tw_reuse", "0")
    with serve(hosts.client, 9000, closes=True):
        with connect(hosts.server, [hosts.server4], (hosts.client4, 9000), each=100):
            pass
        wait_for(hosts, State.TIME_WAIT, 95)
        yield f"{hosts.client4} port 9000"


@contextmanager
def calling(hosts: Hosts, to: Iterable[tuple[str, int]]) -> Iterator[str]:
    """A process that calls, and is not answered."""
    with ExitStack() as stack:
        with in_namespace(hosts.server):
            for one in to:
                sock = stack.enter_context(socket.socket())
                sock.settimeout(0)
                sock.connect_ex(one)
        time.sleep(1.3)
        yield f"pid {os.getpid()}"


@contextmanager
def scanning(hosts: Hosts) -> Iterator[str]:
    """A scanner: many addresses drop what it sends."""
    to = [(str(hosts.silent4[number]), 23) for number in range(1, MANY + 1)]
    with calling(hosts, to) as told:
        yield told


@contextmanager
def dead_upstream(hosts: Hosts) -> Iterator[str]:
    """An application whose one upstream drops what it sends."""
    with calling(hosts, [(str(hosts.silent4[1]), 5432)] * MANY) as told:
        yield told


@contextmanager
def not_taking(hosts: Hosts, count: int = 20, port: int = 80) -> Iterator[str]:
    """Clients that ask for a long page and take nothing of it."""
    with ExitStack() as stack:
        for _ in range(count):
            with in_namespace(hosts.client):
                client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.bind((SOURCE, 0))
            client.connect((hosts.server4, port))
            client.sendall(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(1.0)
        yield SOURCE


@contextmanager
def not_reading(hosts: Hosts, count: int = 10) -> Iterator[str]:
    """A server that accepts, and reads nothing of what clients send."""
    with pairs(hosts, count) as ends:
        for client, _ in ends:
            client.sendall(b"x" * 100)
        yield f"pid {os.getpid()}"


@contextmanager
def deaf(hosts: Hosts) -> Iterator[None]:
    """A firewall on the client that drops all that the server sends."""
    with in_namespace(hosts.client):
        ip(
            "netns",
            "exec",
            hosts.client,
            "nft",
            "add table ip deaf; add chain ip deaf in "
            "{ type filter hook input priority 0; }; add rule ip deaf in drop",
        )
    yield


@contextmanager
def unacknowledged(hosts: Hosts, count: int = MANY) -> Iterator[str]:
    """A server that closes, while a firewall over there drops what it sends: FIN_WAIT1."""
    with pairs(hosts, count) as ends, deaf(hosts):
        for _, served in ends:
            served.close()
        time.sleep(0.7)
        yield SOURCE


@contextmanager
def last_acknowledgement(hosts: Hosts, count: int = MANY) -> Iterator[str]:
    """The same where the client closed first: LAST_ACK."""
    with pairs(hosts, count) as ends:
        for client, _ in ends:
            client.close()
        wait_for(hosts, State.CLOSE_WAIT, count)
        with deaf(hosts):
            for _, served in ends:
                served.close()
            time.sleep(0.7)
            yield SOURCE


@contextmanager
def half_closed(hosts: Hosts, count: int = MANY) -> Iterator[str]:
    """A server that only shuts down, and clients that do not close: FIN_WAIT2."""
    forget_soon(hosts)
    with pairs(hosts, count) as ends:
        for _, served in ends:
            served.shutdown(socket.SHUT_WR)
        wait_for(hosts, State.FIN_WAIT2, count)
        time.sleep(1.2)
        yield f"pid {os.getpid()}"


@contextmanager
def lingering(hosts: Hosts, count: int = 150, most: int = 100) -> Iterator[str]:
    """A server that closes first, more often than the kernel remembers."""
    set_sysctl(hosts.server, "ipv4/tcp_max_tw_buckets", str(most))
    with pairs(hosts, count) as ends:
        for client, served in ends:
            served.close()
            client.close()
        wait_for(hosts, State.TIME_WAIT, min(count, most))
        yield str(most)
