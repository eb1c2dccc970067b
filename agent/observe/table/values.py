"""What one look at all sockets gives. Its size does not grow with their number."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.model.address import Address
from agent.model.sample import State

OUTGOING = 0
"""The port of what was opened from here, among the keys of `Sockets.groups`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """One listening socket.

    Attributes:
        port: Where.
        waiting: Finished handshakes that the application has not accepted (Recv-Q).
        backlog: How many may wait, and how many half-open ones it keeps (Send-Q).
        inode: Of the socket, to find its process by.
        uid: The user's who made it.
    """

    port: int
    waiting: int
    backlog: int
    inode: int
    uid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The sockets of one state on one listening port, or of one state that go out from here.

    Attributes:
        count: How many.
        unread: How many of them hold bytes that the application has not read.
        unread_bytes: The sum (Recv-Q).
        unsent: How many hold bytes that the other end has not acknowledged.
        unsent_bytes: The sum (Send-Q).
        retried: How many have sent something again, at least once.
        orphans: How many no process has any more.
    """

    count: int = 0
    unread: int = 0
    unread_bytes: int = 0
    unsent: int = 0
    unsent_bytes: int = 0
    retried: int = 0
    orphans: int = 0

    def __add__(self, other: "Group") -> "Group":
        """Give both together."""
        return Group(
            count=self.count + other.count,
            unread=self.unread + other.unread,
            unread_bytes=self.unread_bytes + other.unread_bytes,
            unsent=self.unsent + other.unsent,
            unsent_bytes=self.unsent_bytes + other.unsent_bytes,
            retried=self.retried + other.retried,
            orphans=self.orphans + other.orphans,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One way out: between two sockets on it only the local port differs.

    Attributes:
        local: The address from here.
        remote: The address there.
        port: The port there.
    """

    local: Address
    remote: Address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """The local ports out of `Sockets.port_range` that one destination takes.

    Attributes:
        lingering: Those in TIME_WAIT.
        live: Those in any other state.
    """

    lingering: int
    live: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """One socket.

    Attributes:
        state: Its state.
        port: The listening port, or `OUTGOING`.
        remote: The other end's address.
        remote_port: The other end's port.
        timer: What it waits for: one of the `TIMER_` numbers, or 0.
        tries: How often it has sent the same again, or probed, without an answer.
        unread: Bytes that the application has not read.
        unsent: Bytes that the other end has not acknowledged; its FIN counts as one.
        inode: To find its process by; 0 where no process has it any more.
        uid: The user's who made it.
        acked_ms: Since the other end last acknowledged anything; None when not told.
        received_ms: Since data last came; None when not told.
        stands_for: How many it speaks for: of very many of a kind only some are kept.
    """

    state: State
    port: int
    remote: Address
    remote_port: int
    timer: int = 0
    tries: int = 0
    unread: int = 0
    unsent: int = 0
    inode: int = 0
    uid: int = 0
    acked_ms: int | None = None
    received_ms: int | None = None
    stands_for: int = 1


TIMER_RETRANSMIT, TIMER_KEEPALIVE, TIMER_TIME_WAIT, TIMER_WINDOW = 1, 2, 3, 4
"""Source: sock_diag(7), ``idiag_timer``; the last probes a window that the other end closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """All sockets of one moment.

    Attributes:
        groups: By state, and by listening port or `OUTGOING`.
        listening: Every listening socket.
        kept: Some, or all where there are few, by the kernel's cookie, which tells whether one
            is the same at another look. None that is TIME_WAIT or SYN_RECV.
        destinations: The most used ones. Counts may be too low where there are very many
            destinations, never too high.
        port_range: The first and the last port that the kernel chooses for what goes out.
    """

    groups: Mapping[tuple[State, int], Group] = field(default_factory=dict)
    listening: tuple[Listening, ...] = ()
    kept: Mapping[int, Socket] = field(default_factory=dict)
    destinations: Mapping[Destination, Uses] = field(default_factory=dict)
    port_range: tuple[int, int] = (32_768, 60_999)

    def total(self, *states: State) -> Group:
        """Add up what is in these states, in both directions."""
        return sum((one for key, one in self.groups.items() if key[0] in states), Group())

    def outgoing(self, *states: State) -> Group:
        """Add up what is in these states and was opened from here."""
        return sum((self.groups.get((state, OUTGOING), Group()) for state in states), Group())

    def inbound(self, port: int, *states: State) -> Group:
        """Add up what is in these states on one listening port."""
        return sum((self.groups.get((state, port), Group()) for state in states), Group())

    def inodes(self) -> frozenset[int]:
        """Give what to find the processes of listening and of kept sockets by."""
        listening = (one.inode for one in self.listening)
        kept = (one.inode for one in self.kept.values() if one.inode)
        return frozenset((*listening, *kept))
