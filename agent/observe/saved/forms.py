"""The forms in which a line tells of a TCP socket, each with patterns for many lines at once.

Sockets of one source differ by their remote port, which counts nowhere. So lines are
brought to *keys*, of which there are few, and only keys that differ are parsed. There
are two ways, and `keys_of` gives a key for each line, line feeds left out:

* *lean*: every remote port is written as 00000, and a key is the whole of its line. It
  takes half the time, as long as nothing behind a row differs from line to line;
* otherwise a pattern gives those parts of a row that count, and their join is the key;
  it is empty for every line that is no plain row.

What is no row to `row_of` is read by itself, in `lines`. A form takes less than `lines`
does, and never anything else.

A cell with an IPv6 address that fills netstat's 23 columns may have been cut, so that
the narrow form leaves it to `lines`; the wide one is for a listing with a cell that is
wider still, as only ``netstat -W`` writes one.

Source: netstat.c of net-tools 2.10 (tcp_do_one, addr_do_one), networking/netstat.c of
busybox, misc/ss.c of iproute2 6.1, net/ipv4/tcp_ipv4.c (get_tcp4_sock).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from agent.model.sample import State
from agent.observe.saved.cells import (
    Packed,
    local_of,
    local_of_hex,
    packed_of,
    packed_of_hex,
)
from agent.observe.saved.states import OF_NETSTAT, OF_PROC, OF_SS
from agent.observe.saved.values import Reason

Row: TypeAlias = tuple[tuple[int, int, int, bytes], Packed]
"""The key of `Raw` that a socket counts under, and its local address."""

CUT_CELL = 23
"""As wide as an address and a port are that netstat may have cut."""
LINE_BYTES = 65_536
"""Nothing longer is a row: ss names every process of a socket, of 30 bytes each."""

CELL_BYTES = 100
"""Nothing longer is an address with brackets, an interface and a port."""
_KEY_BYTES = 256
"""Longer ones are not worth to be kept."""
_NO_PORT = b":00000 "
"""As wide as any port, so that a cell that may have been cut is seen as one."""
_REST = rb"(?=[ \t\r\n])[^\n]{0,60000}\n|[^\n]*\n"
_PORT = rb"(?:[0-9]{1,5}+|\*)"
_IPV4 = rb"[0-9.]++:[0-9]++ ++[0-9.]++:"
_QUEUES = rb"[0-9]++ ++[0-9]++ ++"
_NARROW = rb"(?![0-9a-fA-F.:]{23})"
_IPV6 = rb"[0-9a-fA-F.:]+:"
_CELLS = rb"[^ \t\r\n]+:[0-9]++ ++[^ \t\r\n]+:"


REMOTE_PORT = re.compile(_PORT)
"""It counts nowhere; so much tells that the address before it is whole."""


class Tool(Enum):
    """What writes a form; a row of another one is of another moment."""

    NETSTAT = auto()
    SS = auto()
    PROC = auto()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Form:
    """One way to write a row.

    Attributes:
        tool: What writes so.
        rows: Gives for each line the parts of its key, all empty if it is no plain row.
        parse: Reads such a key; the state is that of sockets without one.
        port: A remote port and the blanks behind it; None where there is no lean way.
        is_stateless: Whether rows have no state.
    """

    tool: Tool
    rows: re.Pattern[bytes]
    parse: Callable[[bytes, State], Row | Reason]
    port: re.Pattern[bytes] | None = None
    is_stateless: bool = False


def keys_of(form: Form, piece: bytes, *, is_lean: bool) -> list[bytes]:
    """Give the key of each line.

    Args:
        form: Of the rows that are expected.
        piece: Whole lines, the last one with its line feed too.
        is_lean: Whether a key is a line without its remote port.
    """
    if is_lean and form.port:
        return form.port.sub(_NO_PORT, piece).split(b"\n")[:-1]
    return [*map(b"".join, form.rows.findall(piece))]


def row_of(form: Form, key: bytes, stateless: State, *, is_lean: bool) -> Row | None:
    """Read a key; None for one that is no plain row.

    Args:
        form: As given to `keys_of`.
        key: From there.
        stateless: The state of a socket without one.
        is_lean: As given to `keys_of`.
    """
    if len(key) > _KEY_BYTES:
        return None
    if is_lean and form.port:
        key = _parts(form, key)
    row = form.parse(key, stateless) if key else None
    return None if isinstance(row, Reason) else row


def _parts(form: Form, line: bytes) -> bytes:
    """Give the parts of a line without its remote port; empty if it must be seen as it was."""
    found = form.rows.match(line + b"\n")
    key = b"".join(found.groups(b"")) if found else b""
    return b"" if _NO_PORT in key else key  # it was the local port


def _row(
    state: int | None, local: tuple[Packed, int] | None, remote: Packed | None
) -> Row | Reason:
    if state is None:
        return Reason.STATE
    if local is None or remote is None:
        return Reason.ADDRESS
    return (remote[0], state, local[1], remote[1]), local[0]


def _of_netstat(key: bytes, _: State) -> Row | Reason:
    """Read ``192.0.2.1:80  198.51.100.7:ESTABLISHED``."""
    cells, _colon, state = key.rpartition(b":")
    local, remote = cells.split()
    return _row(OF_NETSTAT.get(state), local_of(local), packed_of(remote))


def _of_ss(key: bytes, _: State) -> Row | Reason:
    """Read ``ESTAB 192.0.2.1:80  198.51.100.7:``."""
    state, local, remote = key.split()
    return _row(OF_SS.get(state), local_of(local), packed_of(remote[:-1]))


def _of_stateless_ss(key: bytes, state: State) -> Row | Reason:
    """Read ``192.0.2.1:80  198.51.100.7:``."""
    local, remote = key.split()
    return _row(int(state), local_of(local), packed_of(remote[:-1]))


def _of_proc(key: bytes, _: State) -> Row | Reason:
    """Read ``010200C0:0050 076433C6:01``."""
    cells, _colon, state = key.rpartition(b":")
    local, remote = cells.split()
    return _row(OF_PROC.get(state), local_of_hex(local), packed_of_hex(remote))


def _netstat(narrow: bytes) -> re.Pattern[bytes]:
    ipv6 = narrow + _IPV6 + rb"[0-9]++ ++" + narrow + _IPV6
    cells = rb"(" + _IPV4 + rb"|" + ipv6 + rb")" + _PORT
    return re.compile(rb"tcp6?+ ++" + _QUEUES + cells + rb" ++([^ \t\r\n]++)" + _REST)


def _ss(state: bytes, rest: bytes) -> re.Pattern[bytes]:
    cells = rb"(" + _IPV4 + rb"|" + _CELLS + rb")" + _PORT
    return re.compile(state + _QUEUES + cells + rest)


_HEX = rb"(?:[0-9A-F]{8}|[0-9A-F]{32})"

# What follows is a state; also one that begins with a letter that is not Latin.
_PORT_OF_NETSTAT = re.compile(rb":[0-9]{1,5}+ ++(?=[A-Z\x80-\xff])")
_PORT_OF_SS = re.compile(rb":[0-9]{1,5}+ *+\r?+$", re.MULTILINE)

NETSTAT = Form(tool=Tool.NETSTAT, rows=_netstat(_NARROW), parse=_of_netstat, port=_PORT_OF_NETSTAT)
NETSTAT_WIDE = Form(tool=Tool.NETSTAT, rows=_netstat(b""), parse=_of_netstat, port=_PORT_OF_NETSTAT)
SS = Form(
    tool=Tool.SS,
    rows=_ss(rb"(?:tcp ++)?+([A-Z12-]++ ) *+", _REST),
    parse=_of_ss,
    port=_PORT_OF_SS,
)
_STATELESS_REST = rb"(?! ++[A-Z_])" + _REST
"""A word in capitals there is a state, and so the row one of netstat."""
SS_STATELESS = Form(
    tool=Tool.SS,
    rows=_ss(rb"()", _STATELESS_REST),
    parse=_of_stateless_ss,
    port=_PORT_OF_SS,
    is_stateless=True,
)
SS_STATELESS_NETID = Form(
    tool=Tool.SS,
    rows=_ss(rb"tcp ++()", _STATELESS_REST),
    parse=_of_stateless_ss,
    port=_PORT_OF_SS,
    is_stateless=True,
)
PROC = Form(
    tool=Tool.PROC,
    rows=re.compile(
        rb" *+[0-9]++: ++(" + _HEX + rb":[0-9A-F]{4} ++" + _HEX + rb":)[0-9A-F]{4} ++"
        rb"([0-9A-F]{2}) ++[0-9A-F]{8}:" + _REST.removeprefix(rb"(?=[ \t\r\n])")
    ),
    parse=_of_proc,
)
