"""TIME_WAIT: what a connection leaves at the end that closed it first."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.scale import MAX_BUCKETS, number
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.model.sample import State
from agent.observe.table.values import OUTGOING

_OVERFLOW = "TcpExt.TCPTimeWaitOverflow"
_HARMLESS = (
    "whoever closes first keeps this for a minute, without a process, so that late packets of "
    "the old connection can't reach a new one. It is no load and no fault, however many tutorials "
    "fear it"
)


def lingering(facts: Facts) -> Iterator[Finding]:
    """Tell of TIME_WAIT against how many the kernel keeps."""
    group = facts.sockets.groups
    count = facts.sockets.total(State.TIME_WAIT).count
    # Without a process, FIN_WAIT2 takes such a place too. Source: net/ipv4/tcp.c, __tcp_close().
    kept = count + facts.sockets.total(State.FIN_WAIT2).orphans
    most = number(facts, MAX_BUCKETS)
    lost = facts.grown.get(_OVERFLOW, 0)
    out = facts.sockets.outgoing(State.TIME_WAIT).count
    grade = _grade(kept, most, lost)
    split = f"; {out} of {count} went out from here" if (State.TIME_WAIT, OUTGOING) in group else ""
    is_fine = grade is Grade.FINE
    yield Finding(
        topic=Topic.STATES,
        name=State.TIME_WAIT.name,
        grade=grade,
        value=f"{kept} of {most}" if most is not None else str(count),
        says=f"{_HARMLESS}{split}" if is_fine else _says(kept, most, lost),
        why=""
        if is_fine
        else "Without it a late packet of an old connection may end a new one "
        "between the same two ports; nothing else breaks.",
        do=() if is_fine else _do(facts, most),
    )


def _grade(kept: int, most: int | None, lost: int) -> Grade:
    if lost or (most is not None and kept >= most):
        return Grade.WRONG
    # A third more, as between an ordinary and a busy hour, and the kernel drops them.
    if most is not None and kept * 4 >= most * 3:
        return Grade.ADVICE
    return Grade.FINE


def _says(kept: int, most: int | None, lost: int) -> str:
    if lost:
        return (
            f"the kernel ended {lost} of them early while we looked: it keeps no more than {most}"
        )
    return f"{kept} are kept, and the kernel ends what is above {most} at once"


def _do(facts: Facts, most: int | None) -> tuple[str, ...]:
    # Each is some 250 bytes of the kernel's memory: struct tcp_timewait_sock and its bucket.
    more = 2 * (most or 0)
    kilobytes = more // 4
    fits = not facts.machine.memory_bytes or kilobytes * 1024 < facts.machine.memory_bytes // 64
    room = (f"sysctl -w {MAX_BUCKETS}={more}",) if more and fits else ()
    return (
        *room,
        "let clients close first, or keep connections alive: fewer end here then",
    )
