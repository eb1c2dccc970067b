"""The shape of what a check finds, and the way it is told."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One thing that does not hold, and where.

    Attributes:
        file: Relative to the top of the tree.
        line: Counted from 1; 0 when the file as a whole is meant.
        problem: What does not hold, in one line.
    """

    file: str
    line: int = 0
    problem: str

    def __str__(self) -> str:
        """One line, as ``README.md:12: ...``."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.problem}"


def tell(faults: Iterable[Fault]) -> int:
    """Prints each fault and gives the exit status: 1 when there was one."""
    found = sorted(set(faults))
    for fault in found:
        print(fault)
    return 1 if found else 0
