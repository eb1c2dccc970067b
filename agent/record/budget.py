"""How many lines about sources a minute may have."""

from dataclasses import dataclass
from datetime import datetime

LINES_A_MINUTE = 300


@dataclass(slots=True)
class Budget:
    """Lines that are left of this minute: sources may come and go, the log stays readable.

    Attributes:
        left: Lines.
        minute: Of the epoch; another one, earlier or later, begins anew.
    """

    left: int = LINES_A_MINUTE
    minute: int = 0

    def affords(self, lines: int, now: datetime) -> bool:
        """Whether so many more lines may be written; if so they are taken off."""
        minute = int(now.timestamp()) // 60
        if minute != self.minute:
            self.minute, self.left = minute, LINES_A_MINUTE
        if lines > self.left:
            return False
        self.left -= lines
        return True
