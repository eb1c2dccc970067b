"""The kernel's counters of SYN pressure.

Source: /proc/net/netstat; net/ipv4/proc.c and Documentation/networking/snmp_counter.rst.
"""

from pathlib import Path

from agent.errors import ObserveError
from agent.model.inputs import Counters

WANTED = (
    "SyncookiesSent",
    "SyncookiesRecv",
    "SyncookiesFailed",
    "TCPReqQFullDoCookies",
    "TCPReqQFullDrop",
    "ListenOverflows",
    "ListenDrops",
)
"""What tells that a listener's queue of half-open connections is full. SYN_RECV sockets
do not: their number stops growing at the listener's backlog."""

_FILE = "proc/net/netstat"
_PREFIX = "TcpExt:"


def read_counters(root: Path = Path("/")) -> Counters:
    """Read the counters of this network namespace; empty where they can't be had.

    Some sandboxes hide the file, or leave it empty: without it only the half-open
    connections themselves tell of pressure, and all that does not need it goes on.

    Args:
        root: Where the tree with ``proc`` begins.
    """
    try:
        return parse_netstat((root / _FILE).read_text(encoding="ascii", errors="replace"))
    except (OSError, ObserveError):
        return {}


def parse_netstat(text: str) -> Counters:
    """Give those of `WANTED` that this kernel has.

    Args:
        text: Pairs of lines that begin with the same word: names, then as many values.

    Raises:
        ObserveError: TcpExt is missing, or is no such pair.
    """
    lines = [line.split()[1:] for line in text.splitlines() if line.startswith(_PREFIX)]
    try:
        names, values = lines
        found = dict(zip(names, map(int, values), strict=True))
    except ValueError as error:
        raise ObserveError(f"/{_FILE}: {_PREFIX} is no pair of names and numbers") from error
    return {name: found[name] for name in WANTED if name in found}
