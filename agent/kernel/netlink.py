"""Messages of netlink, the kernel's own protocol. Parsing only; no sockets here.

Everything is in host order. A message begins with a header of 16 bytes and is
padded to a multiple of four::

    length 4 | type 2 | flags 2 | sequence 4 | port 4 | payload ...

Source: include/uapi/linux/netlink.h, RFC 3549, netlink(7).
"""

import errno
import os
from collections.abc import Iterator
from struct import Struct

from agent.errors import ObserveError, RefusedError

HEADER = Struct("=IHHII")
NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP_INTR = 0x10
NLM_F_DUMP = 0x300

ERROR, DONE = 2, 3
_STATUS = Struct("=i")

_REFUSALS = frozenset(
    {
        errno.EPERM,
        errno.EACCES,
        errno.ENOENT,  # the kernel has no handler for it: a module that is not there
        errno.EOPNOTSUPP,
        errno.EAFNOSUPPORT,
        errno.EPROTONOSUPPORT,
    }
)


def request(kind: int, body: bytes) -> bytes:
    """Write the request for a dump of everything of that kind."""
    return HEADER.pack(HEADER.size + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body


def order(kind: int, body: bytes, sequence: int) -> bytes:
    """Write a message that has something done, and the outcome acknowledged."""
    length = HEADER.size + len(body)
    head = HEADER.pack(length, kind, NLM_F_REQUEST | NLM_F_ACK, sequence, 0)
    return head + body + bytes(padded(length) - length)


def acknowledgements(chunk: bytes) -> Iterator[tuple[int, int]]:
    """Give of each answer to an order its sequence, and the errno: 0 when it was done.

    Raises:
        ObserveError: The chunk is malformed, or holds something else.
    """
    offset = 0
    while offset < len(chunk):
        length, kind, _ = header(chunk, offset)
        if kind != ERROR:
            raise ObserveError(f"netlink: a message of type {kind} in place of an acknowledgement")
        if length < HEADER.size + _STATUS.size:
            raise ObserveError(f"netlink: an acknowledgement of {length} bytes")
        sequence = HEADER.unpack_from(chunk, offset)[3]
        yield sequence, abs(_STATUS.unpack_from(chunk, offset + HEADER.size)[0])
        offset += padded(length)


def failure(number: int, what: str) -> ObserveError:
    """Give the error for this errno: a refusal where asking again can't help."""
    kind = RefusedError if number in _REFUSALS else ObserveError
    return kind(f"{what}: {os.strerror(number)}")


def padded(length: int) -> int:
    """Give the bytes that something of this length takes up."""
    return length + 3 & ~3


def header(chunk: bytes, offset: int) -> tuple[int, int, int]:
    """Read the header at `offset`: the length of its message, its type and its flags.

    Raises:
        ObserveError: Not a whole message begins here.
    """
    left = len(chunk) - offset
    if left < HEADER.size:
        raise ObserveError(f"netlink: {left} bytes are no header")
    length, kind, flags, _, _ = HEADER.unpack_from(chunk, offset)
    if not HEADER.size <= length <= left:
        raise ObserveError(f"netlink: a message of {length} bytes in {left}")
    return length, kind, flags


def check_end(kind: int, payload: bytes) -> None:
    """Pass when a message that is no row says that the dump is complete.

    Raises:
        RefusedError: It says that the kernel won't tell.
        ObserveError: It says that the dump failed, or it is something else.
    """
    if kind not in {ERROR, DONE}:
        raise ObserveError(f"netlink: a message of type {kind} in the answer")
    if len(payload) < _STATUS.size:
        raise ObserveError(f"netlink: a status of {len(payload)} bytes, not {_STATUS.size}")
    (status,) = _STATUS.unpack_from(payload)
    if kind == ERROR or status < 0:
        raise failure(abs(status), "netlink: the kernel answered")


def messages(chunk: bytes, wanted: int) -> Iterator[bytes | None]:
    """Give the payload of each message of type `wanted`, and None for the end of the dump.

    Raises:
        RefusedError: The kernel says that it won't tell.
        ObserveError: The kernel says that it failed, or the chunk is malformed.
    """
    offset = 0
    while offset < len(chunk):
        length, kind, _ = header(chunk, offset)
        payload = chunk[offset + HEADER.size : offset + length]
        if kind != wanted:
            check_end(kind, payload)
            yield None
            return
        yield payload
        offset += padded(length)
