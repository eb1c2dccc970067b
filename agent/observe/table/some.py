"""Some of any number of sockets, chosen by their cookies. Pure.

Cookies are numbers that the kernel counts up, and nobody outside has a say in them. Kept
is who has one that a step divides; where that is too many, the step doubles.
"""

from typing import Any


class Some:
    """Rows by cookie, never more than `most`.

    Attributes:
        rows: Those kept.
        step: Each speaks for so many.
    """

    def __init__(self, most: int) -> None:
        self.rows: dict[int, Any] = {}
        self.step = 1
        self._most = most

    def wants(self, cookie: int) -> bool:
        """Whether this one would be kept."""
        return not cookie % self.step

    def add(self, cookie: int, row: object) -> None:
        """Keep one that is wanted."""
        self.rows[cookie] = row
        while len(self.rows) > self._most:
            self.step *= 2
            self.rows = {one: kept for one, kept in self.rows.items() if not one % self.step}
