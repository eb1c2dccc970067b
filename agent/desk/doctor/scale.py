"""What counts as many, and on what that rests."""

from agent.desk.doctor.facts import Facts
from agent.observe.table.values import Socket

PILE = 100
"""From here on a count is no chance any more (that of 100 independent ones spreads by a tenth),
and in one process takes a tenth of the 1,024 open files that it gets unless told otherwise.
Source: prlimit(2), systemd's ``DefaultLimitNOFILE=1024:...``."""

BROWSER = 6
"""Connections that one browser opens to one host at most, over HTTP/1.1. Source: Chromium's
``kMaxSocketsPerGroup``, Firefox's ``network.http.max-persistent-connections-per-server``."""

MOST_PORTS = 10
"""Ports, or destinations, that are told one by one: the worst."""

FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
MAX_ORPHANS = "net.ipv4.tcp_max_orphans"
MAX_BUCKETS = "net.ipv4.tcp_max_tw_buckets"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
TW_REUSE = "net.ipv4.tcp_tw_reuse"
RESERVED = "net.ipv4.ip_local_reserved_ports"
SYNCOOKIES = "net.ipv4.tcp_syncookies"
MAX_SYN_BACKLOG = "net.ipv4.tcp_max_syn_backlog"

LIMITS = (
    FIN_TIMEOUT,
    MAX_ORPHANS,
    MAX_BUCKETS,
    TIMESTAMPS,
    TW_REUSE,
    RESERVED,
    SYNCOOKIES,
    MAX_SYN_BACKLOG,
)
"""Settings of the kernel that sockets are held against."""

_FIN_TIMEOUT_S = 60


def number(facts: Facts, name: str) -> int | None:
    """Give a setting that is a number; None where it is not known."""
    text = facts.settings.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else None


def is_forgotten(facts: Facts, one: Socket) -> bool:
    """Whether the other end's system has forgotten it by now, or that can't be told."""
    return one.acked_ms is None or one.acked_ms > forgotten_ms(facts)


def forgotten_ms(facts: Facts) -> int:
    """Give after how long a system that closed first forgets the connection, whoever waits.

    The other end's own setting is not known; most have what is the default here.
    """
    seconds = number(facts, FIN_TIMEOUT)
    return 1000 * (_FIN_TIMEOUT_S if seconds is None else seconds)
