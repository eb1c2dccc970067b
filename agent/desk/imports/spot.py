"""Where in a peer's files something stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Spot:
    """A line.

    Attributes:
        file: As comments name it.
        line: Counted from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        """As editors find it."""
        return f"{self.file}:{self.line}"
