"""Reading all sockets, in two questions: who listens, and everything else.

Source: sock_diag(7).
"""

from collections.abc import Collection
from pathlib import Path
from struct import Struct

from agent.kernel.ask import OverrunError, ask
from agent.kernel.netlink import request
from agent.model.sample import State
from agent.observe.inet_diag import TCPDIAG_GETSOCK, rows
from agent.observe.listeners import REQUEST as LISTENING
from agent.observe.table.count import Count
from agent.observe.table.rows import ASKED, ROW
from agent.observe.table.values import Listening, Sockets

_NETLINK_SOCK_DIAG = 4
_TRIES = 3
_RANGE = "proc/sys/net/ipv4/ip_local_port_range"
_DEFAULT_RANGE = (32_768, 60_999)
_STATES = sum(1 << state for state in State if state not in {State.LISTEN, State.CLOSE})

REQUEST = request(TCPDIAG_GETSOCK, Struct("=BBBB48sII").pack(0, 0, 0, ASKED, bytes(48), _STATES, 0))
"""``struct inet_diag_req`` with the family 0: both families in one walk, with ages."""


def read_sockets(watched: Collection[int] = (), root: Path = Path("/")) -> Sockets:
    """Look at every TCP socket of this network namespace.

    Args:
        watched: Cookies, the keys of an earlier look's `Sockets.kept`: who of them is
            still there is kept again.
        root: Where the tree with ``proc`` begins.

    Raises:
        RefusedError: The kernel has no sock_diag, or not for us.
        ObserveError: The answer did not come, or can't be read.
    """
    for _ in range(_TRIES - 1):
        try:
            return _read(frozenset(watched), root)
        except OverrunError:
            continue
    return _read(frozenset(watched), root)


def _read(watched: Collection[int], root: Path) -> Sockets:
    count = Count(_listening(), read_port_range(root), watched)
    ask(_NETLINK_SOCK_DIAG, REQUEST, count.take)
    return count.result()


def _listening() -> tuple[Listening, ...]:
    told: list[Listening] = []

    def take(chunk: bytes) -> bool:
        found, is_last = parse_listening(chunk)
        told.extend(found)
        return is_last

    ask(_NETLINK_SOCK_DIAG, LISTENING, take)
    return tuple(told)


def parse_listening(chunk: bytes) -> tuple[list[Listening], bool]:
    """Give the listening sockets of a chunk, and whether the answer ends there.

    Raises:
        RefusedError: The kernel says that it won't tell.
        ObserveError: The kernel says that it failed, or the chunk is malformed.
    """
    found: list[Listening] = []
    for payload in rows(chunk):
        if payload is None:
            return found, True
        row = ROW.unpack_from(payload)
        waiting, backlog, uid, inode = row[9:]
        port = int.from_bytes(row[4])
        found.append(Listening(port=port, waiting=waiting, backlog=backlog, uid=uid, inode=inode))
    return found, False


def read_port_range(root: Path) -> tuple[int, int]:
    """Give the ports that the kernel chooses for what goes out: its own default if not told."""
    try:
        first, last = map(int, (root / _RANGE).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return _DEFAULT_RANGE
    return first, last
