"""FIN_WAIT1, LAST_ACK and CLOSING: our end is closed, and the other does not say so."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.lasting import lasting, many
from agent.desk.doctor.scale import MAX_ORPHANS, PILE, number
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import busiest, remotes
from agent.model.sample import State
from agent.observe.table.values import TIMER_WINDOW, Group, Socket

_STATES = {
    State.FIN_WAIT1: "closed here first, and our FIN is on its way",
    State.LAST_ACK: "closed there first, and our FIN is on its way",
    State.CLOSING: "closed at both ends at once, and our FIN is on its way",
}
_ORPHAN_SHARE = 4
"""The kernel counts an orphan that has been unanswered for long up to four times against its
limit. Source: net/ipv4/tcp_timer.c, tcp_out_of_resources()."""


def unacknowledged(facts: Facts) -> Iterator[Finding]:
    """Tell of what was closed here, and is not acknowledged there."""
    yield from (_of_state(facts, state, means) for state, means in _STATES.items())
    yield _orphans(facts)


def _of_state(facts: Facts, state: State, means: str) -> Finding:
    total = facts.sockets.total(state)
    stuck = tuple(one for one in lasting(facts, _is_stuck) if one.state is state and one.tries)
    well = facts.sockets.total(State.ESTABLISHED, State.TIME_WAIT).count
    # Clients that vanish are everyday: it is a fault where more ends fail than go well.
    is_wrong = many(stuck) >= PILE and many(stuck) > well
    if not is_wrong:
        return Finding(
            topic=Topic.STATES,
            name=state.name,
            grade=Grade.FINE,
            value=str(total.count),
            says=f"{means}{_vanished(stuck)}" if total.count else "none",
        )
    return Finding(
        topic=Topic.STATES,
        name=state.name,
        grade=Grade.WRONG,
        value=str(total.count),
        says=f"{many(stuck)} connections are closed here, and the other end does not acknowledge "
        f"it: {remotes(stuck)}. {_unsent(total)} wait to be taken{_window(stuck)}",
        why="More ends of connections fail than go well: packets are lost on the way, or these "
        "clients are gone, or mean it. Each keeps memory for up to some two minutes.",
        do=_do(stuck, state),
    )


def _is_stuck(was: Socket, now: Socket) -> bool:
    return was.state is now.state


def _vanished(stuck: tuple[Socket, ...]) -> str:
    gone = many(stuck)
    return f"; {gone} have not been answered, as when a client vanishes" if gone else ""


def _unsent(total: Group) -> str:
    return f"{total.unsent_bytes} bytes (Send-Q)"


def _window(stuck: tuple[Socket, ...]) -> str:
    closed = many(one for one in stuck if one.timer == TIMER_WINDOW)
    return f"; {closed} of them say that they have no room (window 0)" if closed else ""


def _do(stuck: tuple[Socket, ...], state: State) -> tuple[str, ...]:
    first, _ = busiest(stuck)
    return (
        f"ss -tno state {state.name.lower().replace('_', '-').replace('wait1', 'wait-1')}",
        f"abuse-agent explain {first}",
        "look for a firewall between, or here, that drops what belongs to open connections",
    )


def _orphans(facts: Facts) -> Finding:
    # What is left of FIN_WAIT2 without a process is kept like TIME_WAIT, and no orphan.
    count = facts.sockets.total(*_STATES).orphans
    most = number(facts, MAX_ORPHANS)
    is_wrong = most is not None and count * _ORPHAN_SHARE >= most > 0
    return Finding(
        topic=Topic.STATES,
        name="orphans",
        grade=Grade.WRONG if is_wrong else Grade.FINE,
        value=f"{count} of {most}" if most is not None else str(count),
        says=f"connections that no process has any more, of {most}: from a quarter on the kernel "
        "resets what is slow to end"
        if is_wrong
        else "connections that no process has any more, on their way to their end",
        why="Data that was already sent may not reach clients." if is_wrong else "",
        do=(
            "sysctl -w net.ipv4.tcp_orphan_retries=3, which ends each after some seconds",
            "ss -tno state fin-wait-1, which shows whose they are",
        )
        if is_wrong
        else (),
    )
