"""FIN_WAIT2: closed here, acknowledged there, and the other end has not closed."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.lasting import lasting, many
from agent.desk.doctor.scale import PILE, forgotten_ms, is_forgotten
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import as_root, held_by
from agent.model.sample import State
from agent.observe.table.values import Socket
from agent.record.phrases import duration


def half_closed(facts: Facts) -> Iterator[Finding]:
    """Tell of FIN_WAIT2: those that a process holds never end by themselves."""
    total = facts.sockets.total(State.FIN_WAIT2)
    old = tuple(one for one in lasting(facts, _is_held) if is_forgotten(facts, one))
    ends = duration(forgotten_ms(facts) / 1000)
    if many(old) < PILE:
        yield Finding(
            topic=Topic.STATES,
            name=State.FIN_WAIT2.name,
            grade=Grade.FINE,
            value=str(total.count),
            says=f"closed here, and the other end is awaited; {total.orphans} of {total.count} "
            f"have no process any more, and end after {ends} at most"
            if total.count
            else "none",
        )
        return
    holders = held_by(facts, old)
    yield Finding(
        topic=Topic.STATES,
        name=State.FIN_WAIT2.name,
        grade=Grade.WRONG,
        value=str(total.count),
        says=f"{many(old)} of {total.count} were shut down here by shutdown() more than {ends} ago,"
        f" and the other end does not close{holders}",
        why="As long as a process holds them, net.ipv4.tcp_fin_timeout does not apply: they stay "
        "until the other end closes, and each takes an open file.",
        do=(
            "have the application close() after a time-out once it has called shutdown()",
            "restart that process: what is closed ends by itself",
            *as_root(facts, holders),
        ),
    )


def _is_held(was: Socket, now: Socket) -> bool:
    return was.state is now.state is State.FIN_WAIT2 and bool(now.inode)
