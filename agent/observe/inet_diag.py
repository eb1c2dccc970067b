"""The answer to a dump of TCP sockets, counted as it comes. Parsing only; no sockets here.

A row is a netlink message of at least 88 bytes; attributes may follow::

    offset 16  family 1 | state 1 | timer 1 | retransmissions 1
           20  local port 2 | remote port 2, both big-endian
           24  local address 16 | remote address 16 (IPv4 in the first four, the others zero)
           56  interface index 4 | cookie 8 | expires, queues, uid, inode: 20

The remote address and the interface index are neighbours, so that one field of
20 bytes takes both; it is a packed address as `agent.model.address` has it.

Source: include/uapi/linux/inet_diag.h, net/ipv4/inet_diag.c.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from struct import Struct
from typing import TypeAlias

from agent.errors import ObserveError
from agent.kernel import netlink

Raw: TypeAlias = Counter[tuple[int, int, int, bytes]]
"""Sockets by (family, state, local port, packed remote address), as the kernel told them."""

TCPDIAG_GETSOCK = 18
_ROW_BYTES = 88
_HEAD_BYTES = 8
_TYPE_AT = 4
_ROW_TYPE = Struct("=H").pack(TCPDIAG_GETSOCK)
_END_BYTES = 20
_END = Struct("=IH").pack(_END_BYTES, netlink.DONE)
_KEY = ">16xBB2xH2x16x20s"
_KEY_BYTES = 60
_ALL_STATES = 0xFFE
"""TCP states 1 to 11. Bound sockets that were never connected (13) are no one's connection."""

REQUEST = netlink.request(
    TCPDIAG_GETSOCK, Struct("=BBBB48sII").pack(0, 0, 0, 0, bytes(48), _ALL_STATES, 0)
)
"""``struct inet_diag_req`` with the family 0: both families in one walk over the table,
where SOCK_DIAG_BY_FAMILY walks it twice."""


class Dump:
    """One answer. Feed it with `take` until that is true.

    Attributes:
        raw: What was counted so far. Rows of a family or state that this program does
            not know, which a later kernel may send, are counted like all others; `tally`
            ignores them.
        interrupted: Whether the kernel said that the table changed under its walk.
    """

    def __init__(self) -> None:
        self.raw: Raw = Counter()
        self.interrupted = False
        self._steps: dict[bytes, int] = {}

    def take(self, chunk: bytes) -> bool:
        """Count the rows of a chunk; true when it ends the answer.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        step = self._steps.get(chunk[:_HEAD_BYTES])
        if step and _is_uniform(chunk, step):
            self.raw.update(_row(step).iter_unpack(chunk))
            return False
        keys, end = self._walk(chunk)
        self.raw.update(keys)
        return end < len(chunk)

    def _walk(self, chunk: bytes) -> tuple[list[tuple[int, int, int, bytes]], int]:
        """Give the keys in a chunk of rows of any length, and where the rows end.

        Unpacking each is faster than cutting out the keys and unpacking their join.
        """
        keys: list[tuple[int, int, int, bytes]] = []
        add, unpack, steps = keys.append, _row(_ROW_BYTES).unpack_from, self._steps
        offset, last_row = 0, len(chunk) - _ROW_BYTES
        while offset <= last_row:
            step = steps.get(chunk[offset : offset + _HEAD_BYTES]) or self._meet(chunk, offset)
            if not step:
                return keys, offset
            add(unpack(chunk, offset))
            offset += step
        if offset > len(chunk):
            raise ObserveError("inet_diag: the last row of a chunk is cut off")
        if offset < len(chunk):
            self._meet(chunk, offset)
        return keys, offset

    def _meet(self, chunk: bytes, offset: int) -> int:
        """Check a header that this answer has not had yet; give the row's length, 0 for the end.

        Headers differ only by length, type and flags, so that some three are checked
        here, and 100,000 rows only compared with them.
        """
        length, kind, flags = netlink.header(chunk, offset)
        self.interrupted |= bool(flags & netlink.NLM_F_DUMP_INTR)
        if kind != TCPDIAG_GETSOCK:
            netlink.check_end(kind, chunk[offset + netlink.HEADER.size : offset + length])
            return 0
        if length < _ROW_BYTES:
            raise ObserveError(f"inet_diag: a row of {length} bytes, not {_ROW_BYTES}")
        step = netlink.padded(length)
        self._steps[chunk[offset : offset + _HEAD_BYTES]] = step
        return step


def rows(chunk: bytes) -> Iterator[bytes | None]:
    """Give the payload of each row in a chunk, and None for the end of the answer.

    Raises:
        RefusedError: The kernel says that it won't tell.
        ObserveError: The kernel says that it failed, or the chunk is malformed.
    """
    least = _ROW_BYTES - netlink.HEADER.size
    for payload in netlink.messages(chunk, TCPDIAG_GETSOCK):
        if payload is not None and len(payload) < least:
            raise ObserveError(f"inet_diag: a row of {len(payload)} bytes, not {least}")
        yield payload


def may_end(chunk: bytes) -> bool:
    """Whether a chunk of an answer might be its last, by a look that is cheap.

    An error stands alone, and the end is the last message of its chunk. The bytes of a
    row may look like an end: only `Dump.take` tells.
    """
    return not chunk.startswith(_ROW_TYPE, _TYPE_AT) or chunk.startswith(_END, -_END_BYTES)


def _is_uniform(chunk: bytes, step: int) -> bool:
    """Whether a chunk holds nothing but messages with the length, type and flags of its first."""
    count, rest = divmod(len(chunk), step)
    return not rest and all(
        chunk[at::step] == chunk[at : at + 1] * count for at in range(_HEAD_BYTES)
    )


@cache
def _row(length: int) -> Struct:
    """Give what reads the key out of a row of that many bytes."""
    return Struct(f"{_KEY}{length - _KEY_BYTES}x")
