"""The accept queue: finished handshakes that wait for the application."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.scale import MOST_PORTS
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import as_root, listener
from agent.observe.table.values import Listening

_NAME = "accept queues"


def accepting(facts: Facts) -> Iterator[Finding]:
    """Tell of listeners whose application does not accept as fast as clients come."""
    full = sorted(_full(facts), key=lambda one: -one.waiting)
    if not full:
        most = max(facts.sockets.listening, default=None, key=lambda one: one.waiting)
        waits = f"port {most.port}: {most.waiting} of {most.backlog} wait" if most else ""
        is_empty = most is None or not most.waiting
        yield Finding(
            topic=Topic.QUEUES,
            name=_NAME,
            grade=Grade.FINE,
            value=str(sum(one.waiting for one in facts.sockets.listening)),
            says="nobody waits to be accepted" if is_empty else f"most at {waits}",
        )
    yield from (_overfull(facts, one) for one in full[:MOST_PORTS])


def full_ports(facts: Facts) -> frozenset[int]:
    """Give the ports that have a listener without room for finished handshakes."""
    return frozenset(one.port for one in _full(facts))


def _full(facts: Facts) -> list[Listening]:
    """Give the listeners that are full at both looks.

    An application takes one now and then, so that a queue is seldom seen quite full; a
    burst that is over by the second look is what a queue is for.
    """
    if facts.before is None:
        return []
    then = {one.inode for one in facts.before.listening if _is_nearly_full(one)}
    return [one for one in facts.sockets.listening if one.inode in then and _is_nearly_full(one)]


def _is_nearly_full(one: Listening) -> bool:
    return one.waiting > 0 and one.waiting * 4 >= one.backlog * 3


def _overfull(facts: Facts, one: Listening) -> Finding:
    holder = listener(facts, one)
    return Finding(
        topic=Topic.QUEUES,
        name=_NAME,
        grade=Grade.WRONG,
        value=f"{one.waiting} of {one.backlog}",
        says=f"at port {one.port} {one.waiting} clients have connected and wait to be accepted, "
        f"and its queue holds {one.backlog}: {holder} does not accept as fast as they come",
        why="Who comes when it is full is not let in, and waits for seconds. A longer queue only "
        "makes them wait longer, unless it is a burst.",
        do=(
            f"look what {holder} is busy with; give it more workers",
            (
                f"if it is idle between bursts, have it ask for more than {one.backlog} in "
                "listen(), and raise net.core.somaxconn to that"
            ),
            *as_root(facts, holder),
        ),
    )
