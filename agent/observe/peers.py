"""The sockets that one prefix holds, whatever their direction, with what waits in them.

The kernel is given a filter, a program of one condition, so that it tells of nobody else;
it walks its whole table all the same, in some 0.1 s for 100,000 sockets. A row of the
dump is the payload of a netlink message::

    offset 0   family 1 | state 1 | timer 1 | retransmissions 1
           4   local port 2 | remote port 2, both big-endian
           8   local address 16 | remote address 16 | interface index 4 | cookie 8
           52  expires 4 | received and not read 4 | sent and not acknowledged 4
           64  uid 4 | inode 4

Source: include/uapi/linux/inet_diag.h (``inet_diag_bc_op``, ``inet_diag_hostcond``),
net/ipv4/inet_diag.c, inet_diag_bc_run(): a condition for IPv4 holds for mapped addresses too.
"""

from collections import Counter
from dataclasses import dataclass, field
from struct import Struct

from agent.kernel.ask import ask
from agent.kernel.netlink import request
from agent.model.address import AF_INET, AF_INET6, Prefix
from agent.model.sample import State
from agent.observe.inet_diag import TCPDIAG_GETSOCK, rows

MOST_INODES = 20_000
"""Whose owners are looked for: of whoever holds more, some tell enough."""

_NETLINK_SOCK_DIAG = 4
_BYTECODE = 1
_DESTINATION = 8
_ANY_PORT = -1
_PORTS, _QUEUES = Struct(">xBxxHH"), Struct("=56xII4xI")
_OPERATION, _CONDITION = Struct("=BBH"), Struct("=BBxxi")
_ATTRIBUTE = Struct("=HH")
_STATE_OF = {int(state): state for state in State}
_STATES = sum(1 << state for state in State if state not in {State.LISTEN, State.CLOSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """What waits in some sockets, in bytes.

    Attributes:
        unread: Received, and not read by the application: the sum (Recv-Q).
        unread_most: That of the socket with most.
        unsent: Sent, or to be, and not acknowledged: the sum (Send-Q).
        unsent_most: That of the socket with most.
    """

    unread: int = 0
    unread_most: int = 0
    unsent: int = 0
    unsent_most: int = 0

    def with_one(self, unread: int, unsent: int) -> "Queues":
        """Give these with one socket's added."""
        return Queues(
            unread=self.unread + unread,
            unread_most=max(self.unread_most, unread),
            unsent=self.unsent + unsent,
            unsent_most=max(self.unsent_most, unsent),
        )


@dataclass(slots=True)
class Peers:
    """One answer; feed it with `take` until that is true.

    Attributes:
        listening: Local ports with a listening socket: what is on another was opened from here.
        inbound: Queues of the sockets on those ports.
        outbound: Queues of the others.
        outgoing: How many of these, by (state, remote port).
        inodes: Of inbound and outbound sockets that a process has, some.
        sockets: How many there are in all.
    """

    listening: frozenset[int]
    inbound: Queues = field(default_factory=Queues)
    outbound: Queues = field(default_factory=Queues)
    outgoing: Counter[tuple[State, int]] = field(default_factory=Counter)
    inodes: set[int] = field(default_factory=set)
    sockets: int = 0

    def take(self, chunk: bytes) -> bool:
        """Add up the rows of a chunk; true when it ends the answer.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        for payload in rows(chunk):
            if payload is None:
                return True
            self._add(payload)
        return False

    def _add(self, payload: bytes) -> None:
        state, local, remote = _PORTS.unpack_from(payload)
        unread, unsent, inode = _QUEUES.unpack_from(payload)
        self.sockets += 1
        if local in self.listening:
            self.inbound = self.inbound.with_one(unread, unsent)
        else:
            self.outbound = self.outbound.with_one(unread, unsent)
            self.outgoing[_STATE_OF.get(state, State.SYN_RECV), remote] += 1
        if inode and len(self.inodes) < MOST_INODES:
            self.inodes.add(inode)


def read_peers(prefix: Prefix, listening: frozenset[int]) -> Peers:
    """Read the sockets whose remote address is in `prefix`.

    Raises:
        RefusedError: The kernel has no sock_diag, or not for us.
        ObserveError: The answer did not come, or can't be read.
    """
    peers = Peers(listening)
    ask(_NETLINK_SOCK_DIAG, request_for(prefix), peers.take)
    return peers


def request_for(prefix: Prefix) -> bytes:
    """Write the question: both families in one walk, those alone whose far end is in `prefix`."""
    family = AF_INET if prefix.version == 4 else AF_INET6  # noqa: PLR2004
    condition = _CONDITION.pack(family, prefix.prefixlen, _ANY_PORT)
    condition += prefix.network_address.packed
    # Where it does not hold, the jump leads behind the end: that socket is not told.
    size = _OPERATION.size + len(condition)
    program = _OPERATION.pack(_DESTINATION, size, size + _OPERATION.size) + condition
    head = Struct("=BBBB48sII").pack(0, 0, 0, 0, bytes(48), _STATES, 0)
    attribute = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(program), _BYTECODE) + program
    return request(TCPDIAG_GETSOCK, head + attribute)
