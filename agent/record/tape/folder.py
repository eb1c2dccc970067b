"""The folder of a tape while it is written: nobody else writes there, and no link is followed."""

import errno
import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.record.folder import FILE_MODE, FOLDER_MODE
from agent.record.tape.pieces import Piece, pieces_of

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

FREE_SHARE = 20
"""A part of the file system, 1 of so many, that is left to others."""

_AGED_AT_ONCE = 2
"""Pieces that are removed for their age with each new one. A clock that is years ahead
does not take the whole tape with it before somebody sets it right."""

_PIECES_AT_LEAST = 64
_BLOCK_BYTES = 4096
"""What the smallest file takes of a disk: an agent that is started again and again, or a clock
that goes back each cycle, leaves many."""


def open_folder(path: Path) -> "Folder":
    """Open the folder, and make it where it is not there.

    Raises:
        OSError: It can't be had, is a link, or another agent records there.
    """
    is_made = False
    with suppress(FileExistsError):
        path.mkdir(mode=FOLDER_MODE)
        is_made = True
    descriptor = os.open(path, _OPEN)
    try:
        if is_made:
            _give_away(descriptor, path.parent.stat(), FOLDER_MODE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Folder(path, descriptor, pieces_of(descriptor))
    except BlockingIOError as error:
        os.close(descriptor)
        raise OSError(errno.EBUSY, "another agent records there") from error
    except OSError:
        os.close(descriptor)
        raise


@dataclass(slots=True)
class Folder:
    """An open folder. Each method raises OSError where the disk refuses.

    Attributes:
        path: As it was named.
        descriptor: Of it; it holds the lock.
        pieces: What is there, the oldest first; the one being written is not among them.
    """

    path: Path
    descriptor: int
    pieces: list[Piece]
    _number: int = field(init=False)

    def __post_init__(self) -> None:
        """Go on behind the last piece."""
        self._number = max((piece.number for piece in self.pieces), default=0)

    def begin(self, at: datetime) -> tuple[Piece, int]:
        """Make a new piece; give its descriptor with it."""
        while True:
            self._number += 1
            piece = Piece(number=self._number, begins=at.replace(microsecond=0))
            try:
                descriptor = os.open(piece.name, _NEW, FILE_MODE, dir_fd=self.descriptor)
            except FileExistsError:
                continue
            _give_away(descriptor, os.fstat(self.descriptor), FILE_MODE)
            return piece, descriptor

    def make_room(self, size_bytes: int) -> None:
        """Remove the oldest pieces until all have no more than that together, and are no more."""
        used = sum(piece.size_bytes for piece in self.pieces)
        most = max(_PIECES_AT_LEAST, size_bytes // _BLOCK_BYTES)
        while self.pieces and (used > size_bytes or len(self.pieces) > most):
            used -= self.pieces[0].size_bytes
            self._remove(self.pieces.pop(0))

    def forget(self, before: datetime) -> None:
        """Remove pieces that end before a moment, a few at once."""
        for piece in [one for one in self.pieces if one.ends < before][:_AGED_AT_ONCE]:
            self.pieces.remove(piece)
            self._remove(piece)

    def remove(self, piece: Piece) -> None:
        """Remove a piece of which nothing was written."""
        self._remove(piece)

    def _remove(self, piece: Piece) -> None:
        with suppress(FileNotFoundError):
            os.unlink(piece.name, dir_fd=self.descriptor)

    def is_full(self) -> bool:
        """Whether what is left of the file system is for others."""
        found = os.fstatvfs(self.descriptor)
        return found.f_bavail * FREE_SHARE < found.f_blocks

    def close(self) -> None:
        """Let go of it."""
        os.close(self.descriptor)


def _give_away(descriptor: int, owner: os.stat_result, mode: int) -> None:
    """Give what was just made to the owner of the folder around it; only root can."""
    os.fchmod(descriptor, mode)
    if os.geteuid() == 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
