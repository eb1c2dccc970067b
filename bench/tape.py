"""What a tape costs: a cycle's share, bytes a frame, how long 200 MB last, and reading it again."""

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from agent.act.dry_run import DryRun
from agent.loop import Loop
from agent.model.inputs import Counters
from agent.model.policy import Policy
from agent.model.sample import SOCKETS, Sample
from agent.observe.counters import read_counters
from agent.observe.interface import SocketReader
from agent.observe.lookout import Lookout
from agent.observe.sock_diag import SockDiag
from agent.policy import load_policy
from agent.ports import Ports
from agent.record.ledger import MemoryLedger
from agent.record.tape.interface import Moment
from agent.record.tape.reader import read_tape
from agent.record.tape.writer import TapeWriter
from agent.service import clock
from bench.crowds import Crowd, Kind
from bench.rounds import load, machine, now
from bench.sockets import enter_private_namespace, sockets

CYCLES_AN_HOUR = 720
TAPE_BYTES = 200_000_000
LOADS = ((100_000, 12_000), (10_000, 1_200))
HOURS = {"night": (0.2, 7), "morning": (0.6, 5), "day": (1.0, 8), "evening": (0.8, 4)}
"""Of a day: the share of the crowd that is here, and hours."""

FLAT = {"all day": (1.0, 24)}


def visitors(number: int) -> Kind:
    """Give people who look at pages for minutes."""
    return Kind(count=number, stay=36, sockets=(1, 8), restless=0.1)


def heavy(number: int) -> Kind:
    """Give proxies and offices, which stay for half an hour."""
    return Kind(count=number, stay=360, sockets=(11, 60), restless=0.5)


CROWDS: Mapping[str, tuple[tuple[Kind, ...], Mapping[str, tuple[float, int]]]] = {
    "10,000, of which 500 are heavy": ((visitors(9_500), heavy(500)), HOURS),
    "200, of which 10 are heavy": ((visitors(190), heavy(10)), HOURS),
    "one": ((visitors(1),), FLAT),
    "an attack of 12,000 heavy ones": ((heavy(12_000),), FLAT),
    "the same, others every 2 minutes": ((replace(heavy(12_000), stay=12),), FLAT),
}


@dataclass(slots=True)
class Timed:
    """A tape whose work is timed apart.

    Attributes:
        writer: The tape.
        taken: Seconds of each frame.
        spent: Seconds of processor time of each.
    """

    writer: TapeWriter
    taken: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)

    def record(self, moment: Moment) -> None:
        """Record, by both clocks."""
        start, before = time.perf_counter(), time.process_time()
        self.writer.record(moment)
        self.taken.append(time.perf_counter() - start)
        self.spent.append(time.process_time() - before)

    def trouble(self) -> str | None:
        """Tell of it."""
        return self.writer.trouble()


@dataclass(slots=True)
class Shown:
    """A reader of sockets that shows what was made."""

    sample: Sample | None = None
    name: str = "made"

    def read(self, now: datetime) -> Sample:  # noqa: ARG002 - that of the sample
        """Give it."""
        if self.sample is None:
            raise RuntimeError("nothing is shown")
        return self.sample


def counters(growing: Iterator[int]) -> Counters:
    """Give counters that grow a little with each cycle."""
    at = next(growing)
    return {"SyncookiesSent": 0, "ListenOverflows": at // 60, "ListenDrops": at // 60}


def loop_of(
    policy: Policy, reader: SocketReader, tape: Timed, read: Callable[[], Counters]
) -> Loop:
    """Give a dry agent."""
    ports = Ports(
        sockets=reader,
        counters=read,
        surroundings=Lookout(clock.stopwatch),
        firewall=DryRun(),
        ledger=MemoryLedger(),
        write=lambda _event, _now, _cycle: None,
        stopwatch=clock.stopwatch,
        tape=tape,
    )
    return Loop(ports, policy)


@contextmanager
def taping() -> Iterator[Timed]:
    """Give a tape in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        tape = Timed(TapeWriter(Path(folder) / "tape"))
        try:
            yield tape
        finally:
            tape.writer.close()


def beside_a_cycle(policy: Policy, cycles: int) -> Iterator[str]:
    """Measure whole cycles over real sockets, and the tape's share of them."""
    yield "| sockets, sources | cycle, ms | tape, ms | tape to cycle |"
    yield "| --- | --- | --- | --- |"
    for sockets_, sources in LOADS:
        with sockets(sockets_, sources), taping() as tape:
            loop, taken = loop_of(policy, SockDiag(), tape, read_counters), []
            for _ in range(cycles):
                start = time.perf_counter()
                loop.cycle(now())
                taken.append(time.perf_counter() - start)
            pairs = list(zip(taken, tape.taken, strict=True))[2:]
            share = median(mine / (whole - mine) for whole, mine in pairs)
            cycle = median(whole - mine for whole, mine in pairs) * 1000
            mine = median(mine for _, mine in pairs) * 1000
            yield f"| {sockets_:,}, {sources:,} | {cycle:.1f} | {mine:.1f} | {share:.2f} |"


@dataclass(slots=True)
class Taped:
    """What was measured of parts of a day.

    Attributes:
        bytes_a_day: Of a whole day, as the parts tell.
        frames: Read.
        kept: Sources in them.
        reading_s: Processor time that reading took.
        taken: That of recording each.
    """

    bytes_a_day: float = 0.0
    frames: int = 0
    kept: int = 0
    reading_s: float = 0.0
    taken: list[float] = field(default_factory=list)

    def add(self, crowd: Crowd, policy: Policy, cycles: int, hours: tuple[float, int]) -> None:
        """Record a part of a day, and read it again."""
        share, long = hours
        with taping() as tape:
            shown = Shown()
            loop = loop_of(policy, shown, tape, partial(counters, count()))
            sizes = []
            for shown.sample in crowd.samples(now(), cycles, share):
                loop.cycle(shown.sample.taken_at)
                sizes.append(sum(one.stat().st_size for one in tape.writer.path.iterdir()))
            # The first frame of a file is whole, one an hour; the others are changes.
            each = (sizes[-1] - sizes[0]) / (cycles - 1)
            self.bytes_a_day += long * (sizes[0] + each * (CYCLES_AN_HOUR - 1))
            self.taken += tape.spent[1:]
            self._read(tape.writer.path)

    def _read(self, folder: Path) -> None:
        start = time.process_time()
        frames = list(read_tape(folder))
        self.reading_s += time.process_time() - start
        self.frames += len(frames)
        for frame in frames:
            self.kept += len({row[3] for row in frame.inputs.sample.tallies[SOCKETS]})

    def line(self, name: str) -> str:
        """Write a line of the table."""
        each = self.reading_s / self.frames
        lasts = TAPE_BYTES / self.bytes_a_day
        return (
            f"| {name} | {self.kept / self.frames:,.0f} | {median(self.taken) * 1000:.1f} "
            f"| {self.bytes_a_day / CYCLES_AN_HOUR / 24:,.0f} | {self.bytes_a_day / 10**6:.1f} "
            f"| {lasts:,.1f} | {each * 1000:.2f} | {each * CYCLES_AN_HOUR * 24:.0f} |"
        )


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="./dev bench tape", description=__doc__)
    parser.add_argument(
        "--cycles", type=int, default=60, help="of each part of a day (default: 60)"
    )
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("bench tape needs root, for a network namespace of its own")
    gc.disable()  # as the service does
    enter_private_namespace()
    policy = load_policy(["policies/default.yaml"])
    print(f"{machine()}\n\nBeside a cycle over real sockets\n")
    print("\n".join(beside_a_cycle(policy, 20)))
    print(f"\nMade crowds, {options.cycles} cycles of each part of a day ({load()})\n")
    print(
        "| sources at a time | kept | recording, processor ms | bytes a frame | MB a day "
        "| 200 MB last, days | reading, processor ms a frame | a day, s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (kinds, hours) in CROWDS.items():
        taped = Taped()
        for part in hours.values():
            taped.add(Crowd(kinds), policy, options.cycles, part)
        print(taped.line(name))


if __name__ == "__main__":
    main()
