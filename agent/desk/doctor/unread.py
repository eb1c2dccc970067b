"""Recv-Q of connections: what came, and the application has not read."""

from collections import defaultdict
from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.lasting import lasting, many
from agent.desk.doctor.scale import BROWSER, MOST_PORTS, PILE
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import as_root, held_by, remotes
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, TIMER_WINDOW, Socket
from agent.record.phrases import counted, duration

_NAME = "Recv-Q"


def unread(facts: Facts) -> Iterator[Finding]:
    """Tell of applications that leave what came unread, on most connections or a pile."""
    by_port: dict[int, list[Socket]] = defaultdict(list)
    for one in lasting(facts, _is_left):
        by_port[one.port].append(one)
    wrong = [
        (many(those), port, tuple(those))
        for port, those in by_port.items()
        if many(those) >= PILE
        or (many(those) > BROWSER and many(those) * 2 > _open_at(facts, port))
    ]
    total = facts.sockets.total(State.ESTABLISHED)
    if not wrong:
        left = sum(map(many, by_port.values()))
        yield Finding(
            topic=Topic.QUEUES,
            name=_NAME,
            grade=Grade.FINE,
            value=str(total.unread_bytes),
            says=f"bytes that came and are not read yet, on {counted(total.unread, 'connection')}"
            + (f"; on {left} nothing of it was read while we looked" if left else "")
            if total.unread
            else "applications have read all that came",
        )
    for _, port, those in sorted(wrong, key=lambda one: -one[0])[:MOST_PORTS]:
        yield _left(facts, port, those)


def _open_at(facts: Facts, port: int) -> int:
    return facts.sockets.groups[State.ESTABLISHED, port].count


def _is_left(was: Socket, now: Socket) -> bool:
    """Whether nothing was read in between: what was there still is, in a process's hands.

    Who asks again, and does not take the answer, is a slow reader: nobody reads on for him.
    """
    is_open = was.state is now.state is State.ESTABLISHED and now.timer != TIMER_WINDOW
    return is_open and bool(now.inode) and 0 < was.unread <= now.unread


def _left(facts: Facts, port: int, those: tuple[Socket, ...]) -> Finding:
    holders = held_by(facts, those)
    at = "opened from here" if port == OUTGOING else f"at port {port}"
    waits = sum(one.unread * one.stands_for for one in those)
    return Finding(
        topic=Topic.QUEUES,
        name=_NAME,
        grade=Grade.WRONG,
        value=str(waits),
        says=f"of {_open_at(facts, port)} connections {at}, {many(those)} hold {waits} bytes of "
        f"which the application has read nothing in {duration(round(facts.watched_s, 1))}{holders}",
        why="It hangs, or is far too slow: those who sent wait, and once the queue is full they "
        f"can't send. They are {remotes(those)}.",
        do=(
            "look what that process does: its log, and strace -p PID",
            "restart it if it hangs",
            *as_root(facts, holders),
        ),
    )
