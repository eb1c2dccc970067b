"""Flows that bans reach, found in the kernel's table of connections and removed.

An entry begins with where its first packet came from and went to::

    header 16 | family 1, version 1, resource 2
    | CTA_TUPLE_ORIG head 4 | CTA_TUPLE_IP head 4 | source head 4 | source 4 or 16 | ...

Where the kernel translates addresses (REDIRECT, DNAT), the port that the socket has is
the one that answers: the source port of CTA_TUPLE_REPLY.

Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h,
net/netfilter/nf_conntrack_netlink.c (ctnetlink_fill_info, ctnetlink_del_conntrack).
"""

import socket
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from struct import Struct

from agent.act.cut.reach import NOTHING, Reach, Reaches
from agent.act.cut.removal import Removal, removal_of
from agent.errors import ObserveError
from agent.kernel import netlink
from agent.kernel.ask import ask
from agent.kernel.attributes import TYPE_BITS, attributes, value
from agent.kernel.tell import tell

COUNT = Path("/proc/sys/net/netfilter/nf_conntrack_count")
"""How many entries this network namespace has; not there while nothing is tracked."""

_NETLINK_NETFILTER = 12
_NEW, _GET, _DELETE = 0x100, 0x101, 0x102
_FAMILY = Struct("=Bxxx")
REQUEST = netlink.request(_GET, _FAMILY.pack(socket.AF_UNSPEC))

_ORIGINAL, _REPLY, _ID, _ZONE = 1, 2, 12, 18
_ADDRESSES, _PROTOCOL = 1, 2
_NUMBER, _FROM_PORT, _TO_PORT = 1, 2, 3

_ROW = Struct("=IHH8xBxxx12s16s")
_ATTRIBUTES_AT = netlink.HEADER.size + _FAMILY.size
_HEADS = Struct("=2xH2xHHH")
_SOURCES = {(8, 1): 4, (20, 3): 16}
"""Length and type of the attribute with the source: how many bytes it has."""

_MOST_SEEN = 262_144
"""Entries that are looked at, in some 0.8 s: all of a table of the usual size."""

_MOST_REMOVED = 50_000
"""Entries that are removed, in a second at most. Those left are no way in, for the ban holds,
and end by themselves; a cycle must not wait for them."""


@dataclass(slots=True)
class Flows:
    """One answer. Feed it with `take` until that is true.

    Attributes:
        reaches: Of the bans.
        orders: What to tell the kernel to have the flows in reach removed.
        left: In reach as well, and too many to be removed.
        is_cut_short: Whether there may have been more than are looked at.
    """

    reaches: Reaches
    orders: list[bytes] = field(default_factory=list)
    left: int = 0
    is_cut_short: bool = False
    _seen: int = 0

    def take(self, chunk: bytes) -> bool:
        """Note the flows in reach; true when the answer ends, or is long enough.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        unpack, reaches = _ROW.unpack_from, self.reaches
        offset, last_row = 0, len(chunk) - _ROW.size
        while offset <= last_row:
            length, kind, _, family, heads, address = unpack(chunk, offset)
            if kind != _NEW or length < _ROW.size:
                break
            reach = reaches[family, address[: _source_bytes(heads)]]
            if reach is not NOTHING:
                self._note(chunk[offset : offset + length], reach)
            self._seen += 1
            offset += length + 3 & ~3  # as netlink.padded: no call for each row
        return self._ends(chunk, offset)

    def _note(self, entry: bytes, reach: Reach) -> None:
        if not is_within(entry, reach):
            return
        if len(self.orders) < _MOST_REMOVED:
            self.orders.append(order_of(entry))
        else:
            self.left += 1

    def _ends(self, chunk: bytes, offset: int) -> bool:
        """Check what follows the entries: nothing, or the end of the answer."""
        if offset > len(chunk):
            raise ObserveError("conntrack: the last entry of a chunk is cut off")
        if offset == len(chunk):
            self.is_cut_short = self._seen >= _MOST_SEEN
            return self.is_cut_short
        length, kind, _ = netlink.header(chunk, offset)
        if kind == _NEW:
            raise ObserveError(f"conntrack: an entry of {length} bytes")
        netlink.check_end(kind, chunk[offset + netlink.HEADER.size : offset + length])
        return True


def is_within(entry: bytes, reach: Reach) -> bool:
    """Whether an entry whose source has this reach is covered: of a service only its TCP.

    Raises:
        ObserveError: The entry is malformed.
    """
    found = attributes(entry[_ATTRIBUTES_AT:])
    asked, answering = _tuple(found, _ORIGINAL), _tuple(found, _REPLY)
    if asked.get(_NUMBER) != bytes([socket.IPPROTO_TCP]):
        return reach.spared is not None
    return reach.covers(_port(asked, _TO_PORT), _port(answering, _FROM_PORT))


def _tuple(found: dict[int, bytes], kind: int) -> dict[int, bytes]:
    """Give protocol and ports of one direction."""
    inner = attributes(value(found.get(kind, b"")))
    return {one: value(text) for one, text in attributes(value(inner.get(_PROTOCOL, b""))).items()}


def _port(found: dict[int, bytes], kind: int) -> int:
    return int.from_bytes(found.get(kind, b""))


def order_of(entry: bytes) -> bytes:
    """Write the order to remove this entry, and no other that may have come in its place."""
    found = attributes(entry[_ATTRIBUTES_AT:])
    body = entry[netlink.HEADER.size : _ATTRIBUTES_AT]
    for kind in (_ORIGINAL, _ID, _ZONE):
        text = found.get(kind, b"")
        body += text + bytes(netlink.padded(len(text)) - len(text))
    return body


@lru_cache(64)
def _source_bytes(heads: bytes) -> int:
    """Read the three heads that an entry begins with: how long the source behind them is."""
    first, second, length, kind = _HEADS.unpack(heads)
    size = _SOURCES.get((length, kind & TYPE_BITS))
    if (first & TYPE_BITS, second & TYPE_BITS) != (_ORIGINAL, _ADDRESSES) or size is None:
        raise ObserveError("conntrack: an entry does not begin with its source")
    return size


def remove_flows(reaches: Reaches, count: Path = COUNT) -> Removal:
    """Remove the flows that are in reach, if any are tracked at all.

    Raises:
        PrivilegeError: This process may not remove them.
        RefusedError: The kernel does not tell of them, or not to us.
        ObserveError: The table did not come, or can't be read.
    """
    if not _tracked(count):
        return Removal()
    flows = Flows(reaches)
    ask(_NETLINK_NETFILTER, REQUEST, flows.take)
    removal = removal_of("flows", tell(_NETLINK_NETFILTER, _DELETE, flows.orders))
    return replace(
        removal,
        left=removal.left + flows.left,
        failure=removal.failure or _why_not_all(flows),
    )


def _why_not_all(flows: Flows) -> str | None:
    if flows.left:
        return f"only the first {_MOST_REMOVED:,} flows were removed"
    if flows.is_cut_short:
        return f"only the first {_MOST_SEEN:,} flows were looked at"
    return None


def _tracked(count: Path) -> int:
    """Read how many entries there are, which loads no module; 0 where nothing is tracked."""
    try:
        return int(count.read_text())
    except (OSError, ValueError):
        return 0
