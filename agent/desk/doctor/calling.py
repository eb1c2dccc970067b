"""SYN_SENT: what this machine calls, and who does not answer."""

from collections import Counter
from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.lasting import many
from agent.desk.doctor.scale import PILE
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import as_root, processes
from agent.model.address import Address
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, Socket


def calling(facts: Facts) -> Iterator[Finding]:
    """Tell of calls that nobody answers: to many addresses, or to one that is dead."""
    total = facts.sockets.total(State.SYN_SENT)
    unheard = tuple(
        one for one in facts.sockets.kept.values() if one.state is State.SYN_SENT and one.tries
    )
    live = facts.sockets.outgoing(State.ESTABLISHED).count
    if facts.sockets.called >= PILE and total.retried > live:
        yield _scanning(facts, unheard, total.count)
        return
    dead = _dead(facts, unheard)
    if dead is not None:
        yield dead
        return
    yield Finding(
        topic=Topic.STATES,
        name=State.SYN_SENT.name,
        grade=Grade.FINE,
        value=str(total.count),
        says=f"called from here; {total.retried} of {total.count} have had no answer to their "
        "first SYN"
        if total.count
        else "nobody is being called",
    )


def _scanning(facts: Facts, unheard: tuple[Socket, ...], total: int) -> Finding:
    holders = processes(facts, unheard)
    ports = Counter(one.remote_port for one in unheard)
    named = ", ".join(str(port) for port, _ in ports.most_common(3))
    hosts = f"{'more than ' if facts.sockets.called_is_least else ''}{facts.sockets.called}"
    return Finding(
        topic=Topic.STATES,
        name=State.SYN_SENT.name,
        grade=Grade.WRONG,
        value=str(total),
        says=f"this machine calls {hosts} addresses that do not answer (port {named}), more than "
        f"answer it; {holders}",
        why="So looks a machine that scans others, as after a break-in; or one whose way out is "
        "cut off.",
        do=(
            "if that process is not meant to: cut the machine off, and look for a break-in",
            "if it is: look whether a firewall drops what goes out",
            "ss -tnp state syn-sent",
            *as_root(facts, holders),
        ),
    )


def _dead(facts: Facts, unheard: tuple[Socket, ...]) -> Finding | None:
    """Tell of the destination that is called most and answers none."""
    calls: Counter[tuple[Address, int]] = Counter()
    for one in unheard:
        calls[one.remote, one.remote_port] += one.stands_for
    answering = {
        (one.remote, one.remote_port)
        for one in facts.sockets.kept.values()
        if one.port == OUTGOING and one.state is State.ESTABLISHED
    }
    silent = [(count, to) for to, count in calls.items() if to not in answering]
    count, to = max(silent, default=(0, None), key=lambda one: one[0])
    if to is None or count < PILE:
        return None
    theirs = tuple(one for one in unheard if (one.remote, one.remote_port) == to)
    holders = processes(facts, theirs)
    return Finding(
        topic=Topic.STATES,
        name=State.SYN_SENT.name,
        grade=Grade.WRONG,
        value=str(facts.sockets.total(State.SYN_SENT).count),
        says=f"{to[0]} port {to[1]} answers none of {many(theirs)} calls; {holders}",
        why="Whoever needs it waits for each until net.ipv4.tcp_syn_retries is used up: two "
        "minutes by default.",
        do=(
            f"look whether {to[0]} is up, and whether a firewall drops what goes to port {to[1]}",
            "give the application a time-out for connecting",
            *as_root(facts, holders),
        ),
    )
