"""SYN_RECV: half-open connections, against what each listener keeps of them."""

from collections.abc import Iterator

from agent.decide.machine.pressure import refused
from agent.desk.doctor.accepting import full_ports
from agent.desk.doctor.facts import Facts
from agent.desk.doctor.scale import MAX_SYN_BACKLOG, MOST_PORTS, SYNCOOKIES, number
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.model.sample import State
from agent.observe.table.values import OUTGOING

_FORGED = (
    "Half-open connections prove nobody: their addresses may be forged, so banning "
    "them one by one would hit innocents."
)


def half_open(facts: Facts) -> Iterator[Finding]:
    """Tell of each listener whose queue of half-open connections is full, and of all others."""
    total = facts.sockets.total(State.SYN_RECV)
    slow = full_ports(facts)
    full = sorted(_full(facts, slow), key=lambda one: -one[1])[:MOST_PORTS]
    if not full:
        waits = f"; port {', '.join(map(str, sorted(slow)))} has no room for them" if slow else ""
        yield Finding(
            topic=Topic.STATES,
            name=State.SYN_RECV.name,
            grade=Grade.FINE,
            value=str(total.count),
            says=f"clients that have begun, and not finished, a handshake{waits}"
            if total.count
            else "no handshake is left half-way",
        )
    yield from (_pressed(facts, *one) for one in full)


def _full(facts: Facts, slow: frozenset[int]) -> Iterator[tuple[int, int, int]]:
    """Give each full port with its half-open connections and how many it keeps."""
    grown = {name.removeprefix("TcpExt."): count for name, count in facts.grown.items()}
    cookies = number(facts, SYNCOOKIES)
    is_refused = refused(grown, {} if cookies is None else {SYNCOOKIES: cookies}) > 0
    most = number(facts, MAX_SYN_BACKLOG)
    for (state, port), group in facts.sockets.groups.items():
        if state is not State.SYN_RECV or port == OUTGOING or port in slow:
            continue
        backlogs = [one.backlog for one in facts.sockets.listening if one.port == port]
        # Each socket of a port has a queue of its own. The counters tell that one was full, and
        # between two looks some are dropped, or come through; without them all have to be.
        keeps = min(backlogs) if is_refused else sum(backlogs)
        if most is not None and cookies == 0:
            # Without cookies the kernel keeps the last quarter for peers that it knows.
            keeps = min(keeps, most - most // 4)
        share = 3 if is_refused else 4
        if group.count * 4 >= max(1, keeps) * share:
            yield port, group.count, keeps


def _pressed(facts: Facts, port: int, count: int, keeps: int) -> Finding:
    cookies = number(facts, SYNCOOKIES)
    if cookies == 0:
        outcome = "What comes beyond that is dropped: clients are not let in"
        do: tuple[str, ...] = (f"sysctl -w {SYNCOOKIES}=1",)
    else:
        outcome = "What comes beyond that is answered with SYN cookies: clients still get in"
        do = ()
    retried = facts.sockets.inbound(port, State.SYN_RECV).retried
    return Finding(
        topic=Topic.STATES,
        name=State.SYN_RECV.name,
        grade=Grade.WRONG,
        value=f"{count} of {keeps}",
        says=f"port {port} keeps {keeps} half-open connections, and has {count}; {retried} have "
        f"not answered for a second or more. {outcome}",
        why=_FORGED,
        do=(
            *do,
            f"ban nobody for it; a half_open rule of abuse-agent slows down port {port}'s new SYNs",
            (
                f"have the application on port {port} ask for a longer queue in listen(), and "
                "raise net.core.somaxconn to that, if these are real clients"
            ),
        ),
    )
