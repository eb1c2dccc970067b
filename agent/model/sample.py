"""One reading of the machine's sockets at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TypeAlias


class State(IntEnum):
    """A TCP state, by the kernel's number and the name that netstat prints.

    Source: include/net/tcp_states.h. A request socket (12 there) is told as SYN_RECV.
    """

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11


Tally: TypeAlias = Mapping[tuple[int, int, int, bytes], int]
"""How much of each: (family, state, local port, packed remote address) to a count."""

SOCKETS = "sockets"
"""The name of the tally that counts sockets, in `Sample.tallies`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the readers counted at one moment.

    Attributes:
        taken_at: Aware, UTC.
        sockets: TCP sockets of this network namespace, whatever their direction.
        states: The same by state.
        listening: Local ports with a listening socket.
        tallies: By name, one for each kind of thing that a reader counts. In
            every tally only listening ports occur, mapped addresses are IPv4, and
            an interface index stands only beside a link-local address.
        others: Sockets by (state, local port) that no tally has, though they are on listening
            ports: a tape does not keep every source. None of a live machine's.
    """

    taken_at: datetime
    sockets: int
    states: Mapping[State, int]
    listening: frozenset[int]
    tallies: Mapping[str, Tally]
    others: Mapping[tuple[int, int], int] = field(default_factory=dict)
