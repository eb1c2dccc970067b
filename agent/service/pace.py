"""Reading no more often than is worth it."""

from collections.abc import Callable
from typing import TypeVar

from agent.service import clock

T = TypeVar("T")


def at_most_every(seconds: float, read: Callable[[], T]) -> Callable[[], T]:
    """Give a reader that answers from memory until its last reading is that old."""
    last: list[tuple[float, T]] = []

    def read_or_remember() -> T:
        now = clock.stopwatch()
        if not last or now - last[0][0] >= seconds:
            last[:] = [(now, read())]
        return last[0][1]

    return read_or_remember
