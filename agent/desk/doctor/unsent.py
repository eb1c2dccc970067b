"""Send-Q of connections: what the application sent, and the other end does not take.

The kernel tells who is at fault. Where the other end has closed its window, it probes that
window: the reader there is slow, or pretends to be. Where it sends again, nothing comes back.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.lasting import lasting, many
from agent.desk.doctor.scale import BROWSER, MOST_PORTS, PILE
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import busiest, held_by, remotes
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, TIMER_RETRANSMIT, TIMER_WINDOW, Socket
from agent.record.phrases import counted

_NAME = "Send-Q"
_OPEN = (State.ESTABLISHED, State.CLOSE_WAIT)
_AGAIN = 3
"""Sent again so often, a segment has been without an answer for more than a second: each
time the kernel waits twice as long, from 0.2 s on."""


def unsent(facts: Facts) -> Iterator[Finding]:
    """Tell of clients that do not take what is sent to them, and of ways that are cut."""
    slow = lasting(facts, _is_shut)
    wrong = sorted(_slow_ports(facts, slow), key=lambda one: -many(one[1]))
    total = facts.sockets.total(*_OPEN)
    if not wrong:
        yield Finding(
            topic=Topic.QUEUES,
            name=_NAME,
            grade=Grade.FINE,
            value=str(total.unsent_bytes),
            says=f"bytes on their way, on {counted(total.unsent, 'connection')}"
            + (f"; {many(slow)} wait for a client that takes nothing now" if slow else "")
            if total.unsent
            else "the other ends have taken all that was sent",
        )
    yield from (_slow(facts, *one) for one in wrong[:MOST_PORTS])
    yield _again(facts)


def _is_shut(was: Socket, now: Socket) -> bool:
    """Whether the other end's window was closed at both looks."""
    is_open = was.state is now.state and now.state in _OPEN and now.port != OUTGOING
    return is_open and was.timer == now.timer == TIMER_WINDOW and now.unsent > 0


_Port: TypeAlias = tuple[int, tuple[Socket, ...], Grade]


def _slow_ports(facts: Facts, slow: Iterable[Socket]) -> Iterator[_Port]:
    """Give the ports where one address stalls more than a browser could, or most are stalled."""
    by_port: dict[int, list[Socket]] = defaultdict(list)
    for one in slow:
        by_port[one.port].append(one)
    for port, those in by_port.items():
        most = busiest(those)[1]
        is_most = many(those) * 2 > facts.sockets.inbound(port, *_OPEN).count
        if most > BROWSER or (many(those) > BROWSER and is_most):
            yield port, tuple(those), Grade.WRONG
        elif is_most:
            # A few that pause may be all who are there: nothing is broken by that.
            yield port, tuple(those), Grade.ADVICE


def _slow(facts: Facts, port: int, those: tuple[Socket, ...], grade: Grade) -> Finding:
    waits = sum(one.unsent * one.stands_for for one in those)
    holders = held_by(facts, those)
    first, _ = busiest(those)
    return Finding(
        topic=Topic.QUEUES,
        name=_NAME,
        grade=grade,
        value=str(waits),
        says=f"at port {port} whoever is at the other end of {counted(many(those), 'connection')} "
        f"asked, and takes nothing: {waits} bytes wait there, for {remotes(those)}{holders}",
        why="A reader this slow holds a worker of the application, and memory, for as long as it "
        "likes; a browser opens six connections to one host at most.",
        do=(
            f"abuse-agent explain {first}",
            "ban it only if it is no crowd behind one address",
            (
                "give the application a time-out for sending (nginx: send_timeout; "
                "Apache: mod_reqtimeout, Timeout)"
            ),
            f"ss -tno state established sport = :{port}",
        ),
    )


def _again(facts: Facts) -> Finding:
    cut = lasting(facts, _is_unheard)
    total = facts.sockets.total(State.ESTABLISHED)
    is_wrong = many(cut) >= PILE and many(cut) * 2 > total.count
    return Finding(
        topic=Topic.QUEUES,
        name="retransmissions",
        grade=Grade.WRONG if is_wrong else Grade.FINE,
        value=str(total.retried),
        says=f"{many(cut)} of {total.count} open connections get no answer to what is sent again "
        f"and again: {remotes(cut)}"
        if is_wrong
        else "open connections that are sending something again"
        if total.retried
        else "no open connection has to send anything again",
        why="Most ways out of here are cut, or lose much." if is_wrong else "",
        do=("ss -tnoi state established", "look at the link, and at firewalls on the way")
        if is_wrong
        else (),
    )


def _is_unheard(was: Socket, now: Socket) -> bool:
    is_open = was.state is now.state is State.ESTABLISHED
    return is_open and now.timer == TIMER_RETRANSMIT and now.tries >= _AGAIN
