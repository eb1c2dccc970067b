"""Timing things side by side: in turn, round by round, so that a slow moment hits all alike."""

import os
import platform
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

Run = Callable[[], object]


def now() -> datetime:
    """Give the moment."""
    return datetime.now(UTC)


def timed(run: Run) -> tuple[float, float]:
    """Give the seconds that one run takes, and those of processor time, children included."""
    begin, start = os.times(), time.perf_counter()
    run()
    took, end = time.perf_counter() - start, os.times()
    return took, sum(end[:4]) - sum(begin[:4])


def rounds(runs: dict[str, Run], times: int) -> dict[str, list[tuple[float, float]]]:
    """Run all in turn, again and again, after one run of each that is not counted."""
    for run in runs.values():
        run()
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(times):
        for name, run in runs.items():
            taken[name].append(timed(run))
    return taken


def ratio(mine: Iterable[float], base: Iterable[float]) -> float:
    """Give the median of the ratios of what was measured in the same rounds."""
    return median(one / other for one, other in zip(mine, base, strict=True))


def peak_mb(pid: int) -> float:
    """Give the peak RSS of a process, by its own status: wait4() begins with its parent's."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def load() -> str:
    """Name the load of the machine, which others may use as well."""
    return f"load {os.getloadavg()[0]:.1f}"


def machine() -> str:
    """Name the machine and the day."""
    kernel = platform.release().partition("-")[0]
    cores = f"{os.cpu_count()} cores"
    return f"Linux {kernel}, Python {platform.python_version()}, {cores}, {now():%F}, {load()}"
