"""SYN_SENT: what this machine calls, and who does not answer."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.lasting import many
from agent.desk.doctor.scale import PILE
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import as_root, held_by
from agent.model.sample import State
from agent.observe.owners import Process
from agent.observe.table.values import OUTGOING, Socket


def calling(facts: Facts) -> Iterator[Finding]:
    """Tell of calls that nobody answers: to many addresses, or to one that is dead."""
    unheard = tuple(
        # The first SYN is sent again after a second.
        one
        for one in facts.sockets.kept.values()
        if one.state is State.SYN_SENT and one.tries
    )
    found = _scanning(facts, unheard) or _dead(facts, unheard)
    if found is not None:
        yield found
        return
    total = facts.sockets.total(State.SYN_SENT)
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


def _scanning(facts: Facts, unheard: tuple[Socket, ...]) -> Finding | None:
    """Tell of the processes that more addresses do not answer than do."""
    answering = _hosts(facts, (one for one in facts.sockets.kept.values() if _is_answered(one)))
    silent = _hosts(facts, unheard)
    guilty = {
        process
        for process, hosts in silent.items()
        if hosts >= PILE and hosts > answering.get(process, 0)
    }
    if not guilty:
        return None
    theirs = tuple(one for one in unheard if facts.holders.of.get(one.inode) in guilty)
    holders = held_by(facts, theirs)
    ports = Counter(one.remote_port for one in theirs)
    named = ", ".join(str(port) for port, _ in ports.most_common(3))
    return Finding(
        topic=Topic.STATES,
        name=State.SYN_SENT.name,
        grade=Grade.WRONG,
        value=str(facts.sockets.total(State.SYN_SENT).count),
        says=f"this machine calls {sum(silent[process] for process in guilty)} addresses that do "
        f"not answer, port {named}, more than answer the same process{holders}",
        why="So looks a machine that scans others, as after a break-in; or one whose way out is "
        "cut off.",
        do=(
            "if that process is not meant to: cut the machine off, and look for a break-in",
            "if it is: look whether a firewall drops what goes out",
            "ss -tnp state syn-sent",
            *as_root(facts, holders),
        ),
    )


def _is_answered(one: Socket) -> bool:
    return one.port == OUTGOING and one.state is State.ESTABLISHED


def _hosts(facts: Facts, sockets: Iterable[Socket]) -> dict[Process | None, int]:
    """Count the different other ends by process; those of unknown processes together."""
    ends: dict[Process | None, dict[object, int]] = defaultdict(dict)
    for one in sockets:
        ends[facts.holders.of.get(one.inode)][one.remote] = one.stands_for
    return {process: sum(those.values()) for process, those in ends.items()}


def _dead(facts: Facts, unheard: tuple[Socket, ...]) -> Finding | None:
    """Tell of the destination that is called most and answers none."""
    answering = {_end(one) for one in facts.sockets.kept.values() if _is_answered(one)}
    calls: Counter[tuple[object, int]] = Counter()
    for one in unheard:
        if _end(one) not in answering:
            calls[_end(one)] += one.stands_for
    if not calls:
        return None
    (to, count), *_ = calls.most_common(1)
    if count < PILE:
        return None
    theirs = tuple(one for one in unheard if _end(one) == to)
    holders = held_by(facts, theirs)
    return Finding(
        topic=Topic.STATES,
        name=State.SYN_SENT.name,
        grade=Grade.WRONG,
        value=str(facts.sockets.total(State.SYN_SENT).count),
        says=f"{to[0]} port {to[1]} answers none of {many(theirs)} calls{holders}",
        why="Whoever needs it waits for each until net.ipv4.tcp_syn_retries is used up: two "
        "minutes by default.",
        do=(
            f"look whether {to[0]} is up, and whether a firewall drops what goes to port {to[1]}",
            "give the application a time-out for connecting",
            *as_root(facts, holders),
        ),
    )


def _end(one: Socket) -> tuple[object, int]:
    return one.remote, one.remote_port
