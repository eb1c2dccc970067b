"""How often what costs something is done again. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

_REST = 4.0
"""What takes long is left alone for so many times as long."""


@dataclass(slots=True)
class Pace:
    """When something is due.

    Attributes:
        every_s: The time between two.
        stopwatch: Seconds that only grow.
    """

    every_s: float
    stopwatch: Callable[[], float]
    _due: float | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is time; it is before the first."""
        return self._due is None or self.stopwatch() >= self._due

    def done(self, began: float) -> None:
        """Note that it was done, and by the stopwatch when that began."""
        ended = self.stopwatch()
        self._due = ended + max(self.every_s, _REST * (ended - began))
