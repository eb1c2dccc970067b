"""Looking at a machine, twice, and telling what was found. Nothing is changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from agent.desk.doctor.counted import counted
from agent.desk.doctor.facts import Counts, Facts, Machine
from agent.desk.doctor.host.of_host import of_host
from agent.desk.doctor.host.read import HostReader
from agent.desk.doctor.of_sockets import of_sockets
from agent.desk.doctor.settings.of_settings import of_settings
from agent.desk.doctor.settings.table import NAMES
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.where import Where
from agent.errors import ObserveError
from agent.observe.machine import kernel_release, memory_bytes, processors
from agent.observe.owners import Holders, read_holders
from agent.observe.sysctls import of_interfaces, read_texts
from agent.observe.table.read import read_sockets
from agent.observe.table.values import Sockets
from agent.observe.tables import read_tables
from agent.observe.written import read_written
from agent.record.phrases import printable

Look: TypeAlias = Callable[[Facts], Iterator[Finding]]

LOOKS: tuple[Look, ...] = (of_sockets, counted, of_settings, of_host)
"""Each tells of one part of the facts."""

_SEVERITY = {Grade.WRONG: 0, Grade.ADVICE: 1, Grade.UNKNOWN: 2, Grade.FINE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a machine was found to be like.

    Attributes:
        facts: What was looked at.
        findings: In the order of topics.
    """

    facts: Facts
    findings: tuple[Finding, ...]

    def of(self, *grades: Grade) -> tuple[Finding, ...]:
        """Give the findings of these grades, the worst first, in the order of topics."""
        found = (one for one in self.findings if one.grade in grades)
        return tuple(sorted(found, key=lambda one: _SEVERITY[one.grade]))


@dataclass(slots=True)
class _Reading:
    """Reads, and keeps why something could not be read."""

    root: Path
    unread: dict[str, str] = field(default_factory=dict)

    def sockets(self, watched: Sockets | None = None) -> Sockets:
        """Look at the sockets; none where the kernel does not tell of them."""
        try:
            return read_sockets(watched.kept if watched else (), self.root)
        except ObserveError as error:
            self.unread.setdefault("sockets", str(error))
            return Sockets()

    def counters(self) -> Counts:
        """Read the kernel's counters; none where it does not tell of them."""
        try:
            return read_tables(self.root)
        except ObserveError as error:
            self.unread.setdefault("counters", str(error))
            return {}

    def machine(self) -> Machine:
        """Tell what this machine is."""
        return Machine(
            memory_bytes=memory_bytes(self.root),
            processors=processors(),
            kernel=printable(kernel_release(self.root)),
        )


def examine(
    where: Where, watch: timedelta, pause: Callable[[float], None], root: Path = Path("/")
) -> Examination:
    """Look at this machine and at its agent, and tell what was found.

    Args:
        where: Of the agent.
        watch: Between the two looks at sockets and counters; none for a single look.
        pause: Waits for so many seconds.
        root: Where the tree with ``proc`` begins.
    """
    facts = _facts(where, watch, pause, root)
    found = [one for look in LOOKS for one in look(facts)]
    order = {topic: number for number, topic in enumerate(Topic)}
    return Examination(facts=facts, findings=tuple(sorted(found, key=lambda one: order[one.topic])))


def _facts(where: Where, watch: timedelta, pause: Callable[[float], None], root: Path) -> Facts:
    reading, begun = _Reading(root), where.stopwatch()
    before: Sockets | None = None
    first: Counts = {}
    if watch:
        before, first = reading.sockets(), reading.counters()
        pause(watch.total_seconds())
    ended = where.stopwatch()
    sockets, counters = reading.sockets(before), reading.counters()
    return Facts(
        now=where.now + timedelta(seconds=ended - begun),
        watched_s=ended - begun if watch else 0.0,
        counters=counters,
        grown=grown(first, counters),
        settings=read_texts((*NAMES, *of_interfaces("rp_filter", root)), root),
        written=read_written(root),
        machine=reading.machine(),
        sockets=sockets,
        before=before,
        holders=read_holders(sockets.inodes(), root) if sockets.inodes() else Holders(),
        host=HostReader(where, root, reading.unread).read(),
        unread=reading.unread,
    )


def grown(before: Counts, after: Counts) -> Counts:
    """Give by how much each counter has grown: only what has, and was there before."""
    return {
        name: number - before[name]
        for name, number in after.items()
        if name in before and number > before[name]
    }
