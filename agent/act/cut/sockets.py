"""TCP sockets that bans reach, found in the kernel's table and destroyed.

Two messages of sock_diag. A row of the table has at least 88 bytes::

    offset 16  family 1 | state 1 | timer 1 | retransmissions 1
           20  identity 48: local port 2 | remote port 2, both big-endian
               | local address 16 | remote address 16 | interface index 4 | cookie 8
           68  expires, queues, uid, inode: 20

and the order to destroy a socket has the family, the protocol and that identity. The
cookie is in it, so that never another socket is meant: where the one asked for is gone,
the kernel would find the listener of its port.

Source: include/uapi/linux/inet_diag.h, net/ipv4/inet_diag.c, net/ipv4/tcp.c (tcp_abort).
"""

import errno
import socket
from dataclasses import dataclass, field, replace
from struct import Struct

from agent.act.cut.reach import NOTHING, Reaches
from agent.act.cut.removal import Removal, removal_of
from agent.errors import ObserveError
from agent.kernel import netlink
from agent.kernel.ask import OverrunError, ask
from agent.kernel.tell import tell
from agent.model.sample import State

_NETLINK_SOCK_DIAG = 4
_TCPDIAG_GETSOCK = 18
_SOCK_DESTROY = 21

_ROW = Struct("=IHH8xBB2x2s2x16x16s")
_ROW_BYTES = 88
_LIVE = Struct("=BB2x2s2x16x16s4x8s")
"""Of a row, from its family up to and with its cookie: what an order is made of."""

_LIVE_AT, _LIVE_END = 16, 68
_IDENTITY_AT = 4
_LISTEN = int(State.LISTEN)
_ORDER = Struct("=BBxxI48s")
_NO_COOKIE = b"\xff" * 8
"""It stands for any socket in an order, and for none in a row."""

_STATES = sum(1 << state for state in State if state not in {State.SYN_SENT, State.CLOSE})
"""LISTEN tells what is inbound; what SYN_SENT and CLOSE are about is our own doing."""

REQUEST = netlink.request(
    _TCPDIAG_GETSOCK, Struct("=BBBB48sII").pack(0, 0, 0, 0, bytes(48), _STATES, 0)
)
"""``struct inet_diag_req`` with the family 0: both families in one walk."""

_SMALL = frozenset({State.TIME_WAIT, State.FIN_WAIT2})
"""Of these a small socket may be left, which ends within a minute, and which older kernels
than those tried here do not destroy."""

_NO_DESTROY = "this kernel can't destroy sockets (CONFIG_INET_DIAG_DESTROY)"
_WALKS = 3


@dataclass(slots=True)
class Table:
    """One answer. Feed it with `take` until that is true.

    Attributes:
        reaches: Of the bans.
        interrupted: Whether the kernel said that the table changed under its walk.
    """

    reaches: Reaches
    interrupted: bool = False
    _listening: set[bytes] = field(default_factory=set)
    _live: list[bytes] = field(default_factory=list)

    def take(self, chunk: bytes) -> bool:
        """Note what listens and what an address in reach holds; true when the answer ends.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        unpack, reaches, listening = _ROW.unpack_from, self.reaches, self._listening
        offset, last_row, marks = 0, len(chunk) - _ROW_BYTES, 0
        while offset <= last_row:
            length, kind, flags, family, state, port, address = unpack(chunk, offset)
            if kind != _TCPDIAG_GETSOCK or length < _ROW_BYTES:
                break
            if state == _LISTEN:
                listening.add(port)
            elif reaches[family, address] is not NOTHING:
                self._live.append(chunk[offset + _LIVE_AT : offset + _LIVE_END])
            marks |= flags
            offset += length + 3 & ~3  # as netlink.padded: no call for each row
        self.interrupted |= bool(marks & netlink.NLM_F_DUMP_INTR)
        return self._ends(chunk, offset)

    def _ends(self, chunk: bytes, offset: int) -> bool:
        """Check what follows the rows: nothing, or the end of the answer."""
        if offset == len(chunk):
            return False
        if offset > len(chunk):
            raise ObserveError("inet_diag: the last row of a chunk is cut off")
        length, kind, flags = netlink.header(chunk, offset)
        if kind == _TCPDIAG_GETSOCK:
            raise ObserveError(f"inet_diag: a row of {length} bytes, not {_ROW_BYTES}")
        netlink.check_end(kind, chunk[offset + netlink.HEADER.size : offset + length])
        self.interrupted |= bool(flags & netlink.NLM_F_DUMP_INTR)
        return True

    def found(self) -> list[bytes]:
        """Give family to cookie of the inbound sockets in reach, once the answer has ended."""
        return [live for live in self._live if self._is_meant(live)]

    def _is_meant(self, live: bytes) -> bool:
        family, _, port, address, cookie = _LIVE.unpack(live)
        return (
            port in self._listening
            and self.reaches[family, address].covers(int.from_bytes(port))
            and cookie != _NO_COOKIE
        )


def destroy_sockets(reaches: Reaches) -> Removal:
    """Destroy the inbound sockets that are in reach.

    Both ends get to know it at once: the process here finds an error, a reset goes out.

    Raises:
        PrivilegeError: This process may not destroy sockets.
        RefusedError: The kernel has no sock_diag, or not for us.
        ObserveError: The table did not come, or can't be read.
    """
    removed, last = 0, Removal()
    for walk in range(1, _WALKS + 1):
        try:
            table = _read(reaches)
            last = _destroy(table.found())
        except OverrunError:
            if walk == _WALKS:
                raise
            continue
        removed += last.removed
        if not table.interrupted:
            break
    return replace(last, removed=removed)


def _read(reaches: Reaches) -> Table:
    table = Table(reaches)
    ask(_NETLINK_SOCK_DIAG, REQUEST, table.take)
    return table


def _destroy(found: list[bytes]) -> Removal:
    numbers = tell(_NETLINK_SOCK_DIAG, _SOCK_DESTROY, map(order_of, found))
    told = zip(found, numbers, strict=True)
    counted = (number for live, number in told if not _ends_soon(live, number))
    return removal_of("sockets", counted, {errno.EOPNOTSUPP: _NO_DESTROY})


def order_of(live: bytes) -> bytes:
    """Write the order to destroy this socket."""
    family, *_ = _LIVE.unpack(live)
    return _ORDER.pack(family, socket.IPPROTO_TCP, 0, live[_IDENTITY_AT:])


def _ends_soon(live: bytes, number: int) -> bool:
    _, state, *_ = _LIVE.unpack(live)
    return number == errno.EOPNOTSUPP and state in _SMALL
