"""Reading a tape, also while it is written."""

import os
import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from agent.errors import UnreadableError
from agent.model.frame import Frame
from agent.record.tape.pieces import Piece, pieces_of
from agent.record.tape.stream import CUT_OFF, DamageError, unpacked

TAPE = "tape"
"""The folder of a live agent's tape, in its state directory."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read_tape(
    folder: Path,
    since: datetime | None = None,
    until: datetime | None = None,
    tell: Callable[[str], object] = lambda _trouble: None,
    each: int | None = None,
) -> Iterator[Frame]:
    """Give the frames of a tape, in the order in which they were written.

    Args:
        folder: Where it is; one that is not there has none.
        since: The first moment of interest; aware, UTC.
        until: The last one.
        tell: Takes a line for each file whose frames can't be read, or not all of them. Those
            before the damage, and the other files, are read all the same.
        each: Of each file only the first frames, so many; None for all.

    Raises:
        UnreadableError: The folder is none, or can't be read.
    """
    try:
        descriptor = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnreadableError(_refused(folder, error)) from error
    try:
        pieces = pieces_of(descriptor)
        for piece in pieces:
            if (until and piece.begins > until) or (since and piece.ends < since):
                continue
            frames = _told(descriptor, piece, tell, is_last=piece is pieces[-1])
            for frame in islice(frames, each):
                if (since is None or frame.at >= since) and (until is None or frame.at <= until):
                    yield frame
    finally:
        os.close(descriptor)


def _told(
    folder: int, piece: Piece, tell: Callable[[str], object], *, is_last: bool
) -> Iterator[Frame]:
    """Give the frames of one file, and tell what keeps it from being read to its end."""
    at = None
    try:
        for frame in _frames(folder, piece):
            at = frame.at
            yield frame
    except FileNotFoundError:
        return  # it has made room for newer ones meanwhile
    except OSError as error:
        tell(f"{piece.name}: {error.strerror}: its frames are left out")
    except DamageError as damage:
        # The last file is likely being written.
        if not (is_last and damage.args == (CUT_OFF,)):
            after = f" behind {at:%Y-%m-%d %H:%M:%SZ}" if at else ""
            tell(f"{piece.name}: {damage}{after}: the rest of its frames are left out")


def _frames(folder: int, piece: Piece) -> Iterator[Frame]:
    descriptor = os.open(piece.name, _FILE, dir_fd=folder)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            yield from unpacked(stream.read)


def _refused(folder: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"{folder}: this user may not read it; run it as root or as the owner of the folder"
    return f"{folder}: {error.strerror}"
