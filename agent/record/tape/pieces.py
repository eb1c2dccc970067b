"""The files of a tape, its pieces: their names tell their order and when they begin.

A piece holds at most an hour, as its frames' moments have it, and none of them is earlier than
the one before it: a clock that jumps begins a new one. The number in front keeps the order in
which they were written, whatever the clock did.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SPAN = timedelta(hours=1)

_NAME = re.compile(r"([0-9]{10})-([0-9]{8}T[0-9]{6}Z)\.tape", re.ASCII)
_MOMENT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A file of a tape.

    Attributes:
        number: Its place in the order; from 1.
        begins: The moment of its first frame, to a second; aware, UTC.
        size_bytes: How large it is.
    """

    number: int
    begins: datetime
    size_bytes: int = 0

    @property
    def name(self) -> str:
        """That of the file."""
        return f"{self.number:010}-{self.begins.strftime(_MOMENT)}.tape"

    @property
    def ends(self) -> datetime:
        """No frame in it is later."""
        return self.begins + SPAN + timedelta(seconds=1)


def pieces_of(folder: int) -> list[Piece]:
    """Read which pieces there are, in their order; whatever else is there is left alone.

    Args:
        folder: A descriptor of it.

    Raises:
        OSError: It can't be read.
    """
    return sorted(_pieces(folder), key=lambda piece: piece.number)


def _pieces(folder: int) -> Iterator[Piece]:
    with os.scandir(folder) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match is None:
                continue
            try:
                begins = datetime.strptime(match[2], _MOMENT).replace(tzinfo=UTC)
                found = entry.stat(follow_symlinks=False)
            except (ValueError, FileNotFoundError):
                continue
            if stat.S_ISREG(found.st_mode):
                yield Piece(number=int(match[1]), begins=begins, size_bytes=found.st_size)
