"""Where SYNs press: which ports keep no more half-open connections, by the kernel's own signs.

The counters are those of the whole network namespace: they tell that some queue was
full, and the half-open connections of each port tell whose. One alone could be aimed:
a flood at one service must not have sources throttled at another, and whoever is
merely busy has no queue that the kernel calls full.

An application that accepts too slowly looks alike, and is no flood: its clients have
finished their handshakes, stand as SYN_RECV until there is room for them, and are not
to be slowed down for that. So while the kernel drops what finds an accept queue full,
half-open connections of a socket whose accept queue is used up count for nothing. That
switches nothing off: such a socket drops SYNs before it makes half-open connections of
them. A queue that is kept nearly full, and never overflows, excuses nobody.

Source: net/ipv4/tcp_input.c, tcp_conn_request() and tcp_syn_flood_action();
net/ipv4/tcp_ipv4.c, tcp_v4_syn_recv_sock().
"""

from collections.abc import Mapping
from typing import TypeAlias

from agent.model.inputs import Counters, Inputs, Sysctls
from agent.model.sample import SOCKETS, Sample, State

HalfOpen: TypeAlias = Mapping[int, int]
"""How many half-open connections, by local port."""

COOKIES = "net.ipv4.tcp_syncookies"
MAX_SYN_BACKLOG = "net.ipv4.tcp_max_syn_backlog"

UNKNOWN_BACKLOG = 64
"""What a listener is taken to keep where nobody tells its backlog: little, so that the
rules go on to act there; few rules have a lower limit."""


def growth(before: Counters, after: Counters) -> Counters:
    """Give by how much each counter grew; of one that was not there before, nothing is known."""
    return {name: max(0, count - before[name]) for name, count in after.items() if name in before}


def refused(grown: Counters, sysctls: Sysctls) -> int:
    """Give how many SYNs found a queue of half-open connections full.

    Those were answered with a cookie, or dropped. Without cookies the kernel keeps the
    last quarter of tcp_max_syn_backlog for peers that it knows, and counts what it
    drops for that nowhere but among all of a listener's drops.
    """
    dropped = grown.get("TCPReqQFullDrop", 0)
    if not sysctls.get(COOKIES):
        others = grown.get("ListenDrops", 0) - grown.get("ListenOverflows", 0)
        dropped = max(dropped, others)
    return grown.get("SyncookiesSent", 0) + dropped


def half_open_of(sample: Sample) -> HalfOpen:
    """Count the half-open connections of a sample."""
    counts: dict[int, int] = {}
    if sample.states.get(State.SYN_RECV):
        wanted = State.SYN_RECV.value
        for (_, state, port, _), count in sample.tallies.get(SOCKETS, {}).items():
            if state == wanted:
                counts[port] = counts.get(port, 0) + count
        for (state, port), count in sample.others.items():
            if state == wanted:
                counts[port] = counts.get(port, 0) + count
    return counts


def pressed_ports(grown: Counters, inputs: Inputs, half_open: HalfOpen) -> frozenset[int]:
    """Give the ports whose queues of half-open connections are full at this moment.

    Args:
        grown: By how much the counters grew since the last moment.
        inputs: This moment. Where it has no counters at all, as in some containers,
            only a queue that is seen to be full tells.
        half_open: Its half-open connections.
    """
    is_blind = not inputs.counters
    if not (is_blind or refused(grown, inputs.sysctls)):
        return frozenset()
    if is_blind:
        known = {port: count for port, count in half_open.items() if port in inputs.listeners}
        return frozenset(
            port for port, count in known.items() if count >= kept(port, grown, inputs)
        )
    # The queue is seen between two moments: some have just been dropped, or came through.
    return frozenset(
        port for port, count in half_open.items() if count * 4 >= kept(port, grown, inputs) * 3
    )


def kept(port: int, grown: Counters, inputs: Inputs) -> int:
    """Give how many half-open connections fill a queue of that port; at least 1.

    Several sockets on one port have a queue each, and the smallest is full first. What
    waits for room in an accept queue that overflows has to be there beside them.
    """
    queue, most = inputs.listeners.get(port), inputs.sysctls.get(MAX_SYN_BACKLOG)
    backlog = queue.smallest if queue else UNKNOWN_BACKLOG
    if most is not None and inputs.sysctls.get(COOKIES) == 0:
        backlog = min(backlog, most - most // 4)
    return max(1, backlog) + (queue.full if queue and grown.get("ListenOverflows") else 0)


def slow_ports(grown: Counters, inputs: Inputs) -> frozenset[int]:
    """Give the ports whose applications let finished handshakes wait until some are dropped."""
    if not grown.get("ListenOverflows"):
        return frozenset()
    return frozenset(port for port, queue in inputs.listeners.items() if queue.full)


def places_of(
    ports: frozenset[int], services: Mapping[str, frozenset[int]]
) -> dict[str, frozenset[int]]:
    """Give the services that these ports belong to, each with all of its ports.

    Args:
        ports: Some ports.
        services: The policy's, by name. A port that none of them has is a place of its own.
    """
    found = {name: own for name, own in services.items() if not own.isdisjoint(ports)}
    strange = ports.difference(*services.values())
    return found | {f"port {port}": frozenset({port}) for port in sorted(strange)}
