"""The only place that reads clocks."""

import time
from datetime import UTC, datetime
from pathlib import Path


def now() -> datetime:
    """Give the wall clock's moment, aware, in UTC. It may jump."""
    return datetime.now(UTC)


def stopwatch() -> float:
    """Give seconds that only grow, from an arbitrary start, not counted while suspended."""
    return time.monotonic()


def boot_id() -> str:
    """Give what names this boot of the machine. Source: random(4)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
