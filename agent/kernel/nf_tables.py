"""What a table of nf_tables holds, as its dumps over netlink tell.

The tool ``nft`` reads every element of every set before it prints one rule, and prints
times in whole seconds; the kernel is asked for what is needed, and tells milliseconds.
Numbers in attributes are big-endian.

Source: include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h; net/netfilter/nf_tables_api.c.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import TypeAlias

from agent.errors import ObserveError
from agent.kernel import netlink
from agent.kernel.ask import ask

Attributes: TypeAlias = dict[int, bytes]
"""Values by their type, which is a number of the kind they belong to."""

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10 << 8
_NFPROTO_INET = 1
_HEAD = Struct("=BBxx")
_ATTRIBUTE = Struct("=HH")
_TYPE_BITS = 0x3FFF
_LIST_ITEM = 1
_TRIES = 5


class Kind(IntEnum):
    """What can be dumped: the type of an answer's messages; a request's is one more."""

    TABLE = 0
    CHAIN = 3
    RULE = 6
    SET = 9
    ELEMENTS = 12


class InterruptedDumpError(ObserveError):
    """The table changed under the kernel's walk: something may be missing or there twice."""


@dataclass(slots=True)
class Dump:
    """One answer. Feed it with `take` until that is true.

    Attributes:
        kind: What was asked for.
        rows: The attributes of each message so far, not taken apart.
        interrupted: Whether the kernel said that it was changed in between.
    """

    kind: Kind
    rows: list[bytes] = field(default_factory=list)
    interrupted: bool = False

    def take(self, chunk: bytes) -> bool:
        """Take the rows of a chunk; true when it ends the answer.

        Raises:
            RefusedError: The kernel says that it won't tell, or there is no such table.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        offset = 0
        while offset < len(chunk):
            length, kind, flags = netlink.header(chunk, offset)
            payload = chunk[offset + netlink.HEADER.size : offset + length]
            self.interrupted |= bool(flags & netlink.NLM_F_DUMP_INTR)
            if kind != _SUBSYSTEM | self.kind:
                netlink.check_end(kind, payload)
                return True
            self.rows.append(payload[_HEAD.size :])
            offset += netlink.padded(length)
        return False


def request(kind: Kind, table: str, name: str = "") -> bytes:
    """Write the request for a dump; `name` is that of the set whose elements are asked for."""
    body = _HEAD.pack(_NFPROTO_INET, 0)
    for number, text in enumerate((table, name), 1):
        body += _attribute(number, text.encode() + b"\0") if text else b""
    return netlink.request(_SUBSYSTEM | kind + 1, body)


def dump(kind: Kind, table: str, name: str = "") -> list[bytes]:
    """Ask for everything of a kind in a table of the family inet, again when it changed meanwhile.

    Returns:
        The attributes of each, for `attributes`. Tables, and on some kernels chains, of
        other names are among them.

    Raises:
        RefusedError: The kernel does not let us ask, or there is no such table or set.
        ObserveError: No answer, one that can't be read, or none that was whole.
    """
    asked = request(kind, table, name)
    for _ in range(_TRIES):
        answer = Dump(kind)
        ask(_NETLINK_NETFILTER, asked, answer.take)
        if not answer.interrupted:
            return answer.rows
    raise InterruptedDumpError(f"nf_tables: {table} is changed all the time")


def attributes(value: bytes) -> Attributes:
    """Take a run of attributes apart; of one type the last is kept.

    Raises:
        ObserveError: It is malformed.
    """
    return dict(_walk(value))


def items(value: bytes) -> Iterator[bytes]:
    """Give each item of a list.

    Raises:
        ObserveError: It is malformed.
    """
    for kind, item in _walk(value):
        if kind == _LIST_ITEM:
            yield item


def text(value: bytes | None) -> str:
    """Read a name, which a zero ends; empty when it is not there."""
    return (value or b"").rstrip(b"\0").decode(errors="replace")


def number(value: bytes | None) -> int:
    """Read a number of any size; 0 when it is not there."""
    return int.from_bytes(value or b"", "big")


def comment(userdata: bytes | None) -> str | None:
    """Read the comment that ``nft`` keeps beside a rule or an element; None without one."""
    at, value = 0, userdata or b""
    while at + 2 <= len(value):
        kind, length = value[at], value[at + 1]
        if kind == 0:
            return text(value[at + 2 : at + 2 + length])
        at += 2 + length
    return None


def _walk(value: bytes) -> list[tuple[int, bytes]]:
    """Give each attribute; in a list, which for so few is faster than one after the other."""
    found, at, size = [], 0, len(value)
    unpack = _ATTRIBUTE.unpack_from
    while at + 4 <= size:
        length, kind = unpack(value, at)
        if not 4 <= length <= size - at:  # noqa: PLR2004 - the header's own length
            raise ObserveError(f"nf_tables: an attribute of {length} bytes in {size - at}")
        found.append((kind & _TYPE_BITS, value[at + 4 : at + length]))
        at += length + 3 & ~3
    return found


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(netlink.padded(length) - length)
