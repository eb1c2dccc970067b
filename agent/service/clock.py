"""The only place that reads clocks."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Give the wall clock's moment, aware, in UTC. It may jump."""
    return datetime.now(UTC)


def stopwatch() -> float:
    """Give seconds that only grow, from an arbitrary start, not counted while suspended."""
    return time.monotonic()
