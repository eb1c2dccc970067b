"""Local ports: how many of them the connections to one destination take.

Two connections to the same address and port there need different ports here, and the
kernel chooses them from net.ipv4.ip_local_port_range. So that range limits what goes
to ONE destination; to another the same ports serve again.

Source: net/ipv4/inet_hashtables.c, __inet_hash_connect(): from a random port on, it
tries every second one of the range and then those between, leaves out reserved ports
and those that somebody has bound, and takes one in TIME_WAIT only by tcp_tw_reuse.
"""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.scale import MOST_PORTS, RESERVED, TIMESTAMPS, TW_REUSE, number
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import as_root, held_by
from agent.observe.table.values import OUTGOING, Destination, Uses

_NAME = "local ports"
_LOOPBACK_ONLY = 2
_LAST_SHARE = 20
"""With a twentieth of the range left, connect() has to look at twenty ports on average; and
a second's worth more of connections than usual takes what is left."""


def ways_out(facts: Facts) -> Iterator[Finding]:
    """Tell of destinations to which the local ports run out."""
    first, last = facts.sockets.port_range
    there = _available(facts)
    uses = sorted(
        ((_taken(facts, to, used), to, used) for to, used in facts.sockets.destinations.items()),
        key=lambda one: -one[0],
    )
    short = [one for one in uses if one[0] * _LAST_SHARE >= there * (_LAST_SHARE - 1)]
    if not short:
        busiest = uses[0] if uses else None
        yield Finding(
            topic=Topic.CONNECTIONS,
            name=_NAME,
            grade=Grade.FINE,
            value=f"{busiest[0] if busiest else 0} of {there}",
            says=f"ports {first} to {last} serve each destination anew"
            + (f"; most go to {_way(busiest[1])}" if busiest else ""),
        )
    yield from (_exhausted(facts, *one, there) for one in short[:MOST_PORTS])


def _available(facts: Facts) -> int:
    """Count the ports of the range that are neither reserved nor listened on; at least 1."""
    first, last = facts.sockets.port_range
    ports = range(first, last + 1)
    off = {one.port for one in facts.sockets.listening if one.port in ports}
    for begin, end in reserved(facts.settings.get(RESERVED, "")):
        off.update(range(max(first, begin), min(last, end) + 1))
    return max(1, len(ports) - len(off))


def reserved(text: str) -> Iterator[tuple[int, int]]:
    """Give the first and the last port of each part of ``8080,9148-9150``."""
    for part in text.split(","):
        begin, _, end = part.strip().partition("-")
        if begin.isdecimal() and (end or begin).isdecimal():
            yield int(begin), int(end or begin)


def _taken(facts: Facts, to: Destination, used: Uses) -> int:
    return used.live + (0 if _is_reused(facts, to) else used.lingering)


def _is_reused(facts: Facts, to: Destination) -> bool:
    """Whether the kernel takes a port in TIME_WAIT again for this destination."""
    reuse = number(facts, TW_REUSE) or 0
    return reuse == 1 or (reuse == _LOOPBACK_ONLY and to.remote.is_loopback)


def _exhausted(facts: Facts, taken: int, to: Destination, used: Uses, there: int) -> Finding:
    first, last = facts.sockets.port_range
    theirs = tuple(
        one
        for one in facts.sockets.kept.values()
        if one.port == OUTGOING and (one.remote, one.remote_port) == (to.remote, to.port)
    )
    holders = held_by(facts, theirs)
    return Finding(
        topic=Topic.CONNECTIONS,
        name=_NAME,
        grade=Grade.WRONG,
        value=f"{taken} of {there}",
        says=f"of the ports {first} to {last}, connections from {to.local} to {_way(to)} take "
        f"{taken}: {used.live} open, {used.lingering} in TIME_WAIT{holders}",
        why="Without a free one connect() fails with EADDRNOTAVAIL, to this destination only.",
        do=(*_do(facts, used), *as_root(facts, holders)),
    )


def _do(facts: Facts, used: Uses) -> tuple[str, ...]:
    lines = ["keep connections to it open and use them again: a pool, keep-alive"]
    if used.lingering > used.live and number(facts, TW_REUSE) != 1 and _has_timestamps(facts):
        lines.append(f"sysctl -w {TW_REUSE}=1, which is safe for what goes out from here")
    if facts.sockets.port_range[0] > _LOWEST:
        lines.append(f'sysctl -w net.ipv4.ip_local_port_range="{_LOWEST} 60999"')
    lines.append("give the destination, or this machine, one more address: each has all ports")
    return tuple(lines)


def _has_timestamps(facts: Facts) -> bool:
    """Whether the kernel can tell an old packet from a new one, which reuse needs."""
    return number(facts, TIMESTAMPS) != 0


_LOWEST = 10_240
"""Below it most services listen; of those in the range, list the ports as reserved."""


def _way(to: Destination) -> str:
    return f"{to.remote} port {to.port}"
