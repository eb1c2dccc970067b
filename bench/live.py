"""Cycles of a live agent with bans in force, and the memory that its process needs."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from agent.act.cut.cutting import cut
from agent.decide import layout_of
from agent.enact import Hands
from agent.loop import Loop
from agent.model.plan import Plan
from agent.model.policy import Policy
from agent.observe.counters import read_counters
from agent.observe.listeners import read_listeners
from agent.observe.lookout import Lookout
from agent.observe.sock_diag import SockDiag
from agent.observe.sysctls import Settings
from agent.policy import load_policy
from agent.ports import Ports
from agent.record.audit import Audit
from agent.record.sqlite.ledger import SqliteLedger, open_ledger
from agent.service import clock
from bench.bans import agent, bans, open_firewall
from bench.rooms import inside, room
from bench.rounds import Run, load, now, peak_mb, ratio, rounds
from bench.sample import floor
from bench.sockets import SETUP, sockets

BANS = 10_000
SOCKETS, SOURCES = 100_000, 12_000
PEAK_MB = 64
CYCLE = 2.0
_CYCLES_S = 8.0
_MORE_THAN_A_LOOK_S = 31.0


@dataclass(slots=True)
class Watch:
    """A stopwatch that can be moved on, for the next cycle to take a full look."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        """Give the seconds."""
        return time.monotonic() + self.ahead_s


def measure_cycles(names: Sequence[str], times: int, policy: Policy, folder: Path) -> Iterator[str]:
    """Measure cycles beside the floor, firewall after firewall on the same sockets."""
    with room(SETUP) as where, inside(where), sockets(SOCKETS, SOURCES):
        for name in names:
            with ExitStack() as closing:
                runs = _runs(name, policy, folder / name, closing)
                yield _table(name, rounds(runs, 3 * times))


def _runs(name: str, policy: Policy, folder: Path, closing: ExitStack) -> dict[str, Run]:
    """Give what to time; the firewall has its bans by then."""
    watch, ledger = Watch(), _ledger(folder)
    closing.callback(ledger.close)
    audit = Audit(closing.enter_context((folder / "log").open("w")), "live")
    ports = Ports(
        sockets=SockDiag(),
        counters=read_counters,
        surroundings=Lookout(clock.stopwatch),
        listeners=read_listeners,
        sysctls=Settings(clock.stopwatch),
        firewall=open_firewall(name),
        ledger=ledger,
        write=audit.write,
        stopwatch=watch,
        cut=cut,
    )
    closing.callback(ports.firewall.teardown)
    ports.firewall.prepare(layout_of(policy))
    hands = Hands(firewall=ports.firewall, ledger=ledger, cut=None, tell=lambda _event: None)
    hands.carry_out(Plan(add=bans(BANS, now())), frozenset(), now())
    loop = Loop(ports, policy)

    def look() -> None:
        watch.ahead_s += _MORE_THAN_A_LOOK_S
        loop.cycle(now())

    loop.cycle(now())
    return {"floor": floor, "cycle": lambda: loop.cycle(now()), "cycle with a full look": look}


def _table(name: str, taken: dict[str, list[tuple[float, float]]]) -> str:
    title = f"{SOCKETS:,} sockets of {SOURCES:,} sources, {BANS:,} bans in force, {name}"
    lines = [f"\n{title} ({load()})\n", "| what | seconds | processor | x floor | target |"]
    lines.append("| --- | --- | --- | --- | --- |")
    floors = [one for one, _ in taken["floor"]]
    for what, each in taken.items():
        wall, processor = (median(one[at] for one in each) for at in (0, 1))
        times = ratio([one for one, _ in each], floors)
        target = f"at most {CYCLE}" if what == "cycle" else ""
        if target and times > CYCLE:
            target += ", missed"
        lines.append(f"| {what} | {wall:.3f} | {processor:.3f} | {times:.2f} | {target} |")
    return "\n".join(lines)


def measure_peaks(names: Sequence[str], policy: Path, folder: Path) -> Iterator[str]:
    """Measure the peak RSS of live agents, at five cycles a second, on the same sockets."""
    yield f"\nPeak RSS of the live agent in MB, {SOCKETS:,} sockets of {SOURCES:,} sources\n"
    yield "| firewall | no bans | restoring 10,000 | restoring 100,000 | target without bans |"
    yield "| --- | --- | --- | --- | --- |"
    with room(SETUP) as where, inside(where), sockets(SOCKETS, SOURCES):
        for name in names:
            peaks = [_peak(name, policy, folder / f"{name}{n}", n) for n in (0, BANS, 100_000)]
            target = f"at most {PEAK_MB}" + (", missed" if peaks[0] > PEAK_MB else "")
            told = (f"{one:.1f}" for one in peaks)
            yield f"| {name} | {' | '.join(told)} | {target} |"


def _peak(name: str, policy: Path, folder: Path, count: int) -> float:
    """Give the peak RSS of an agent that begins with so many bans in its ledger to restore."""
    ledger = _ledger(folder)
    ledger.settle(bans(count, now()), ())
    ledger.close()
    command = agent(name, "--firewall", name.partition("-")[0], "--state-dir", folder)
    process = subprocess.Popen([*command, "--policy", policy], stdout=subprocess.DEVNULL)
    try:
        time.sleep(_CYCLES_S + count / 10_000)
        peak = peak_mb(process.pid)
    finally:
        process.terminate()
        process.wait()
    firewall = open_firewall(name)
    firewall.prepare(layout_of(load_policy([str(policy)])))
    found = len(firewall.installed(now()).bans)
    firewall.teardown()
    if found != count:
        raise RuntimeError(f"{name} holds {found} of {count} bans")
    return peak


def _ledger(folder: Path) -> SqliteLedger:
    folder.mkdir(parents=True)
    return open_ledger(folder, boot_id=clock.boot_id(), stopwatch=clock.stopwatch, now=now())
