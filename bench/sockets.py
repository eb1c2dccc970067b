"""Fabricate a table of sockets to measure readers with: no peers, no packets.

``TCP_REPAIR`` makes a socket ESTABLISHED at once, 100,000 of them in under two
seconds; they live in child processes, because a process may hold only so many
descriptors. All of it belongs into a network namespace of its own::

    enter_private_namespace()
    with sockets(100_000, 12_000), sockets(1_000, 500, kind=Kind.MAPPED):
        ...

Source: tcp(7), Documentation/admin-guide/checkpoint (repair), ip-route(8) (AnyIP).
"""

import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from ipaddress import ip_address

PORT = 80
"""Where all of the sockets are listened for."""

_CLONE_NEWNET = 0x40000000
_TCP_REPAIR = 19
_SOCKETS_OF_A_PROCESS = 15_000
_FIRST_PORT = 1024
_BATCH_OF_TIME_WAIT = 64

SETUP = """
link set lo up
addr add 10.0.0.1/32 dev lo
addr add 10.0.0.2/32 dev lo
addr add 2001:db8::1/128 dev lo nodad
route add 20.0.0.0/8 dev lo
route add 2001:db8:20::/48 dev lo
route add local 30.0.0.0/8 dev lo
"""
"""What a namespace needs for it, as lines for ``ip -batch``."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the sockets of a kind are made."""

    family: socket.AddressFamily
    server: str
    first_source: str

    def source(self, number: int) -> str:
        """Give the address of that number."""
        return str(ip_address(self.first_source) + number)


class Kind(Enum):
    """Which addresses the sockets have: the local one, and the first of the sources."""

    IPV4 = _Shape(socket.AF_INET, "10.0.0.1", "20.0.0.1")
    IPV6 = _Shape(socket.AF_INET6, "2001:db8::1", "2001:db8:20::1")
    MAPPED = _Shape(socket.AF_INET6, "::ffff:10.0.0.2", "::ffff:20.0.0.1")


def enter_private_namespace() -> None:
    """Move this process into a new network namespace that has the routes needed here.

    Raises:
        OSError: It may not be made; that takes root.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "-batch", "-"], input=SETUP, text=True, check=True)


@contextmanager
def sockets(
    count: int, sources: int, *, kind: Kind = Kind.IPV4, time_wait: int = 0
) -> Iterator[None]:
    """Hold `count` ESTABLISHED sockets on port 80, spread evenly over `sources` addresses.

    Args:
        count: At most some 60,000 for each source.
        sources: How many addresses; the same ones in every call of a kind.
        kind: Of which addresses. Each kind once at a time: it has a listener.
        time_wait: So many TIME_WAIT sockets beside them, from other IPv4 sources and
            only with `Kind.IPV4`. The kernel keeps them for a minute, whatever we do.

    Raises:
        RuntimeError: A child could not make its share.
    """
    shape: _Shape = kind.value
    listener = socket.socket(shape.family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((shape.server, PORT))
    listener.listen(_BATCH_OF_TIME_WAIT)
    stay, leave = os.pipe()
    children: list[int] = []
    try:
        for begin in range(0, count, _SOCKETS_OF_A_PROCESS):
            numbers = range(begin, min(count, begin + _SOCKETS_OF_A_PROCESS))
            children.append(_fork(partial(_repaired, shape, numbers, sources), stay, leave))
        if time_wait:
            _leave_time_wait(listener, time_wait, sources)
        yield
    finally:
        os.close(leave)
        for child in children:
            os.waitpid(child, 0)
        os.close(stay)
        listener.close()


def _fork(make: Callable[[], object], stay: int, leave: int) -> int:
    """Start a child that holds what `make` gives until the other end of `stay` is closed."""
    answer, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(leave)
        _hold(make, stay, ready)
    os.close(ready)
    with os.fdopen(answer, "rb") as pipe:
        said = pipe.read(1)
    if not said:
        os.waitpid(child, 0)
        raise RuntimeError("a child could not make its sockets")
    return child


def _hold(make: Callable[[], object], stay: int, ready: int) -> None:
    """Be the child: never returns. The end of the parent is the end of the pipe."""
    status = 1
    try:
        held = make()
        os.write(ready, b"k")
        os.close(ready)
        os.read(stay, 1)
        status = int(held is None)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
    finally:
        os._exit(status)


def _repaired(shape: _Shape, numbers: range, sources: int) -> list[socket.socket]:
    """Make the sockets of these numbers; in repair mode nothing is sent, and nothing at the end."""
    held = []
    for number in numbers:
        sock = socket.socket(shape.family)
        # It also lets many sockets bind to one port; SO_REUSEADDR after it would undo that.
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
        sock.bind((shape.server, PORT))
        sock.connect((shape.source(number % sources), _FIRST_PORT + number // sources))
        held.append(sock)
    return held


def _leave_time_wait(listener: socket.socket, count: int, sources: int) -> None:
    """Make real connections over loopback that the server ends first."""
    for number in range(count):
        client = socket.socket()
        source = str(ip_address("30.0.0.1") + number % sources)
        client.bind((source, _FIRST_PORT + number // sources))
        client.connect((Kind.IPV4.value.server, PORT))
        served, _ = listener.accept()
        served.close()
        client.close()
