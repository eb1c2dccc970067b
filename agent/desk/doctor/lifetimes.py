"""Short or long connections: how long one lives here, and in which direction most go."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.lasting import lasting, many
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.model.sample import State
from agent.observe.table.values import Socket
from agent.record.phrases import duration

_OPENS = ("Tcp.PassiveOpens", "Tcp.ActiveOpens")


def lifetimes(facts: Facts) -> Iterator[Finding]:
    """Tell of ESTABLISHED: how many, whose, how fast they come, and how long they stay."""
    live = facts.sockets.total(State.ESTABLISHED).count
    out = facts.sockets.outgoing(State.ESTABLISHED).count
    yield Finding(
        topic=Topic.STATES,
        name=State.ESTABLISHED.name,
        grade=Grade.FINE,
        value=str(live),
        says=f"open connections: {live - out} to services here, {out} opened from here"
        if live
        else "no connection is open",
    )
    if facts.before is not None and facts.watched_s > 0:
        yield _living(facts, facts.before.total(State.ESTABLISHED).count, live)


def _living(facts: Facts, then: int, live: int) -> Finding:
    is_counted = any(name in facts.counters for name in _OPENS)
    opened = sum(facts.grown.get(name, 0) for name in _OPENS)
    stayed = many(lasting(facts, _is_open))
    watched = duration(round(facts.watched_s, 1))
    parts = [f"in {watched} {opened} were opened" if is_counted else f"watched for {watched}"]
    if then:
        parts.append(f"of {then} open at first {min(stayed, then)} still are")
    if opened:
        # Little's law: as many as there are = how fast they come x how long they stay.
        mean_s = (then + live) / 2 / (opened / facts.watched_s)
        parts.append(f"so one stays for {duration(round(mean_s, 1))} on average")
    return Finding(
        topic=Topic.CONNECTIONS,
        name="lifetime",
        grade=Grade.FINE,
        value=f"{opened / facts.watched_s:.1f}/s" if is_counted else "",
        says=", ".join(parts),
    )


def _is_open(was: Socket, now: Socket) -> bool:
    return was.state is now.state is State.ESTABLISHED
