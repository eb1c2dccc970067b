"""One question to the kernel over netlink, and its answer chunk by chunk."""

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.errors import ObserveError
from agent.kernel.netlink import failure

_BUFFER_BYTES = 65_536
"""Twice what the kernel puts into one chunk of a dump."""

_TIMEOUT_S = 2.0
KERNEL = (0, 0)


class OverrunError(ObserveError):
    """The kernel had no memory for a chunk: the answer has a hole. Asking again may help."""


def ask(protocol: int, request: bytes, take: Callable[[bytes], bool]) -> None:
    """Send `request` and hand over chunk after chunk, until `take` says that it was the last.

    Args:
        protocol: Of netlink, as ``NETLINK_ROUTE``.
        request: One whole message that asks for a dump.
        take: Gets each chunk as it came. What it raises ends the exchange.

    Raises:
        RefusedError: The kernel does not let us ask.
        OverrunError: Part of the answer was lost.
        ObserveError: No answer within two seconds, or one that was cut off.
    """
    with connected(protocol) as netlink:
        netlink.send(request)
        for chunk in chunks(netlink):
            if take(chunk):
                return


@contextmanager
def connected(protocol: int) -> Iterator[socket.socket]:
    """Give a socket to speak with the kernel; what fails on it is told as below.

    It is fresh, so that nothing of an earlier answer is in it, and connected to the
    kernel, so that no other process can send to it.

    Raises:
        RefusedError: The kernel does not speak with us.
        OverrunError: Part of the answer was lost.
        ObserveError: No answer within two seconds.
    """
    try:
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        ) as netlink:
            netlink.settimeout(_TIMEOUT_S)
            netlink.connect(KERNEL)
            yield netlink
    except TimeoutError as error:
        raise ObserveError(f"netlink: no answer within {_TIMEOUT_S:g} s") from error
    except OSError as error:
        if error.errno == errno.ENOBUFS:
            raise OverrunError("netlink: part of the answer was lost") from error
        raise failure(error.errno or 0, "netlink") from error


def chunks(netlink: socket.socket) -> Iterator[bytes]:
    """Give what comes, chunk after chunk, for as long as it is asked for.

    Raises:
        ObserveError: A chunk was cut off.
    """
    buffer = bytearray(_BUFFER_BYTES)
    view = memoryview(buffer)
    while True:
        # With MSG_TRUNC the kernel tells how long the chunk was, also when it did not fit.
        size = netlink.recv_into(buffer, 0, socket.MSG_TRUNC)
        if not 0 < size <= _BUFFER_BYTES:
            raise ObserveError(f"netlink: a chunk of {size} bytes, not of 1 to {_BUFFER_BYTES}")
        yield bytes(view[:size])
