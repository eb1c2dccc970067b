"""What is read out of saved listings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.model.address import Address
from agent.observe.inet_diag import Raw


class Reason(StrEnum):
    """Why a line can't be read, and what would be right."""

    JUNK = "no line of netstat, ss or /proc/net/tcp"
    LONG = "longer than any line of netstat or ss"
    CUT = "ends before all of a socket is told"
    NAMES = "has names instead of numbers; save it with -n, as netstat -n or ss -n"
    TRUNCATED = "may hold an IPv6 address that was cut to its column; save it with netstat -W or ss"
    ADDRESS = "holds no valid address"
    STATE = "has a TCP state that is not known here"
    FOREIGN = "was written by the netstat of another system than Linux"
    FULL = "is one socket too many that differs from all others of its moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One line that could not be read.

    Attributes:
        where: The stream and the line counted from 1, as ``netstat.txt:7``.
        text: The line, shortened, whatever a terminal would obey made visible.
        reason: Why it can't be read.
    """

    where: str
    text: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """The lines that could not be read.

    Attributes:
        count: How many.
        reasons: How many for each reason.
        examples: A few of them, at most two for a reason.
    """

    count: int = 0
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The sockets that one listing shows.

    Every line is either a socket, another line or unread.

    Attributes:
        where: The stream and the line that it begins with, as ``netstat.txt:1``.
        raw: The sockets, listening ones included. Mapped addresses are IPv4; there is
            no interface beside a link-local address.
        own: The local addresses in it, which are this machine's own.
        lines: How many lines are sockets: the sum over `raw`.
        others: Headers, blank lines, sockets that are not TCP.
        unread: What can't be read.
        is_stateless: Whether some lines were without a state, as ``ss state
            established`` writes them, and got the one that the caller named.
    """

    where: str
    raw: Raw
    own: frozenset[Address]
    lines: int
    others: int
    unread: Unread
    is_stateless: bool
