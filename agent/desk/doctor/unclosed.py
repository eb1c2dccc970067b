"""CLOSE_WAIT: the other end has closed, and the application here has not."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.lasting import lasting, many
from agent.desk.doctor.scale import BROWSER, PILE, forgotten_ms, is_forgotten
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.doctor.who import as_root, held_by
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, Socket
from agent.record.phrases import counted, duration

_WHY = (
    "No setting of the kernel ends it: each takes an open file of the process until that "
    "closes it, and at its limit the process can't accept or open anything any more."
)


def unclosed(facts: Facts) -> Iterator[Finding]:
    """Tell of CLOSE_WAIT: which process does not close, unless it is on the way to."""
    total = facts.sockets.total(State.CLOSE_WAIT).count
    standing = tuple(one for one in lasting(facts, _still) if _is_silent(facts, one))
    old = tuple(one for one in standing if is_forgotten(facts, one))
    grade = _grade(standing, old)
    if grade is Grade.FINE:
        yield _passing(total, many(old))
        return
    is_leak = _is_leak(old)
    those = old if is_leak else standing
    holders = held_by(facts, those)
    yield Finding(
        topic=Topic.STATES,
        name=State.CLOSE_WAIT.name,
        grade=grade,
        value=str(total),
        says=f"{_leaked(facts, old, total) if is_leak else _stuck(facts, standing, total)}"
        f"{holders}{_unread(those)}",
        why=_WHY,
        do=(*_do(holders, is_leak=is_leak), *as_root(facts, holders)),
    )


def _passing(total: int, left: int) -> Finding:
    kept = f"; {left} of them for long, as a pool of connections may" if left else ""
    says = f"the other end has closed {counted(total, 'connection')}, and is awaited here{kept}"
    return Finding(
        topic=Topic.STATES,
        name=State.CLOSE_WAIT.name,
        grade=Grade.FINE,
        value=str(total),
        says=says if total else "every connection that the other end closed is closed here",
    )


def _leaked(facts: Facts, old: tuple[Socket, ...], total: int) -> str:
    return (
        f"{many(old)} of {total} were closed by the other end more than "
        f"{duration(forgotten_ms(facts) / 1000)} ago, the first {_first(old)}, "
        "and the application does not close them"
    )


def _stuck(facts: Facts, standing: tuple[Socket, ...], total: int) -> str:
    return (
        f"{many(standing)} of {total} stood still for the {duration(round(facts.watched_s))} that "
        "this looked: the other end has closed, and the application neither closes nor sends"
    )


def _still(was: Socket, now: Socket) -> bool:
    # What nobody has accepted yet is the accept queue's matter: no process has it.
    return was.state is now.state is State.CLOSE_WAIT and bool(now.inode)


def _is_silent(facts: Facts, one: Socket) -> bool:
    """Whether nothing went out on it between the looks: who still sends has a reason to wait."""
    return one.acked_ms is None or one.acked_ms >= facts.watched_s * 1000


def _grade(standing: tuple[Socket, ...], old: tuple[Socket, ...]) -> Grade:
    if _is_leak(old) or many(standing) >= PILE:
        return Grade.WRONG
    return Grade.ADVICE if _inbound(standing) > BROWSER else Grade.FINE


def _is_leak(old: tuple[Socket, ...]) -> bool:
    """Whether these are more than chance; a client keeps a few in its pool until it needs one."""
    return many(old) >= PILE or _inbound(old) > BROWSER


def _inbound(those: tuple[Socket, ...]) -> int:
    return many(one for one in those if one.port != OUTGOING)


def _first(old: tuple[Socket, ...]) -> str:
    """Say how long ago the other end of the oldest one was last heard of."""
    known = [one.acked_ms for one in old if one.acked_ms is not None]
    return f"{duration(max(known) // 1000)} ago" if known else "at a time not told"


def _unread(old: tuple[Socket, ...]) -> str:
    """Say whether the application has noticed: an end that was not read stands as one byte."""
    unread = many(one for one in old if one.unread)
    if unread * 2 > many(old):
        return ". It has not even read that they ended: it may hang"
    return ". It has read that they ended"


def _do(holders: str, *, is_leak: bool) -> tuple[str, ...]:
    which = "that process" if holders else "the application"
    return (
        f"restart {which}: nothing else closes them"
        if is_leak
        else "look again in a minute: who is still there then will never be closed",
        "have it mended: it must close a connection once read() gives 0",
        "ss -tnp state close-wait",
    )
