"""What this machine does, in a line or two, before anything is said of how it is. Pure."""

from collections.abc import Iterator

from agent.desk.doctor.facts import Facts
from agent.model.sample import State
from agent.record.phrases import counted, duration

_PORTS_NAMED = 10
_OPENS = ("Tcp.PassiveOpens", "Tcp.ActiveOpens")
_MEBIBYTE = 1 << 20
_GIBIBYTE = 1 << 30


def about(facts: Facts) -> Iterator[str]:
    """Tell what was looked at: the machine, and what its sockets do."""
    machine = facts.machine
    parts = [
        *([f"Linux {machine.kernel}"] if machine.kernel else []),
        counted(machine.processors, "processor"),
        *([_memory(machine.memory_bytes)] if machine.memory_bytes else []),
    ]
    yield ", ".join(parts)
    if "sockets" not in facts.unread:
        yield _connections(facts)
        yield _ports(facts)


def _connections(facts: Facts) -> str:
    live = facts.sockets.total(State.ESTABLISHED).count
    out = facts.sockets.outgoing(State.ESTABLISHED).count
    told = f"{counted(live - out, 'connection')} to services here, {out} opened from here"
    if not facts.watched_s or not facts.counters:
        return told
    opened = sum(facts.grown.get(name, 0) for name in _OPENS)
    return f"{told}; in {duration(round(facts.watched_s))} {opened} were opened"


def _ports(facts: Facts) -> str:
    ports = sorted({one.port for one in facts.sockets.listening})
    if not ports:
        return "nothing listens"
    more = len(ports) - _PORTS_NAMED
    named = ", ".join(map(str, ports[:_PORTS_NAMED]))
    return f"listening ports: {named}{f' and {more} more' if more > 0 else ''}"


def _memory(size: int) -> str:
    if size >= _GIBIBYTE:
        return f"{size / _GIBIBYTE:.1f} GiB of memory"
    return f"{size // _MEBIBYTE} MiB of memory"
