"""All that is told of sockets, in the order of telling."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

from agent.desk.doctor.accepting import accepting
from agent.desk.doctor.calling import calling
from agent.desk.doctor.facts import Facts
from agent.desk.doctor.half_closed import half_closed
from agent.desk.doctor.half_open import half_open
from agent.desk.doctor.lifetimes import lifetimes
from agent.desk.doctor.lingering import lingering
from agent.desk.doctor.unacknowledged import unacknowledged
from agent.desk.doctor.unclosed import unclosed
from agent.desk.doctor.unread import unread
from agent.desk.doctor.unsent import unsent
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.ways_out import ways_out

Look: TypeAlias = Callable[[Facts], Iterator[Finding]]

LOOKS: tuple[Look, ...] = (
    lifetimes,
    calling,
    half_open,
    unclosed,
    unacknowledged,
    half_closed,
    lingering,
    ways_out,
    accepting,
    unread,
    unsent,
)


def of_sockets(facts: Facts) -> Iterator[Finding]:
    """Tell of all sockets; where they could not be read, of that alone."""
    if "sockets" in facts.unread:
        yield Finding(
            topic=Topic.STATES,
            name="sockets",
            grade=Grade.UNKNOWN,
            value="",
            says=f"the kernel does not tell of its sockets: {facts.unread['sockets']}",
            do=("run it in the network namespace to look at, on a kernel with inet_diag",),
        )
        return
    for look in LOOKS:
        yield from look(facts)
