"""What is there at both looks: one alone can't tell what passes from what stays."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from agent.desk.doctor.facts import Facts
from agent.observe.table.values import Socket


def lasting(facts: Facts, is_alike: Callable[[Socket, Socket], bool]) -> tuple[Socket, ...]:
    """Give the sockets of both looks that are alike, as they are now; none after a single look.

    Args:
        facts: Both looks.
        is_alike: Gets a socket as it was, and as it is.
    """
    if facts.before is None:
        return ()
    now = facts.sockets.kept
    pairs = ((was, now.get(cookie)) for cookie, was in facts.before.kept.items())
    return tuple(
        # Of those there now the second look may have kept another share.
        replace(there, stands_for=was.stands_for)
        for was, there in pairs
        if there is not None and was.stands_for and is_alike(was, there)
    )


def many(sockets: Iterable[Socket]) -> int:
    """Give how many these are, with those that they speak for."""
    return sum(one.stands_for for one in sockets)
