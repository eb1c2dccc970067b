"""Whose sockets they are: the process at this end, the address at the other."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from agent.desk.doctor.facts import Facts
from agent.observe.owners import Process
from agent.observe.table.values import Listening, Socket
from agent.record.phrases import counted, printable

_Key = TypeVar("_Key")
_MOST = 3
_ROOT_ONLY = "which only root may look into"


def held_by(facts: Facts, sockets: Iterable[Socket]) -> str:
    """Say which processes hold them, most first, to end a sentence; empty where none does."""
    counts: Counter[Process] = Counter()
    hidden: Counter[int] = Counter()
    for one in sockets:
        holder = facts.holders.of.get(one.inode)
        if holder is not None:
            counts[holder] += one.stands_for
        elif one.inode:
            hidden[one.uid] += one.stands_for
    told = _told(counts, process)
    if facts.holders.hidden:
        told += _told(hidden, lambda uid: f"a process of uid {uid}, {_ROOT_ONLY}")
    return f"; held by {', '.join(told)}" if told else ""


def process(one: Process) -> str:
    """Name a process."""
    number, name = one
    return f"{printable(name)} (pid {number})"


def listener(facts: Facts, one: Listening) -> str:
    """Name the process that listens, or say why it can't be named."""
    holder = facts.holders.of.get(one.inode)
    if holder is not None:
        return process(holder)
    hidden = facts.holders.hidden
    return f"a process of uid {one.uid}, {_ROOT_ONLY}," if hidden else "a process that is not found"


def as_root(facts: Facts, told: str) -> tuple[str, ...]:
    """Give what to do where processes are hidden."""
    is_hidden = _ROOT_ONLY in told and facts.holders.hidden
    return ("sudo abuse-agent doctor, which names the process",) if is_hidden else ()


def remotes(sockets: Iterable[Socket]) -> str:
    """Say which addresses hold most of them."""
    counts: Counter[str] = Counter()
    for one in sockets:
        counts[str(one.remote)] += one.stands_for
    told = _told(counts, str)
    rest = len(counts) - len(told)
    return ", ".join(told) + (f" and {counted(rest, 'other')}" if rest else "")


def busiest(sockets: Iterable[Socket]) -> tuple[str, int]:
    """Give the address that holds most of them, and how many."""
    counts: Counter[str] = Counter()
    for one in sockets:
        counts[str(one.remote)] += one.stands_for
    return counts.most_common(1)[0] if counts else ("", 0)


def _told(counts: Counter[_Key], name: Callable[[_Key], str]) -> list[str]:
    return [f"{name(one)}: {count}" for one, count in counts.most_common(_MOST)]
