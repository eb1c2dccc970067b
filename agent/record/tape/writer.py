"""Writing a tape: a frame a cycle, into files of an hour at most, the oldest of which make room."""

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from agent.model.policy import Recording
from agent.record.tape.folder import FREE_SHARE, Folder, open_folder
from agent.record.tape.interface import Moment
from agent.record.tape.pieces import SPAN, Piece
from agent.record.tape.stream import Packing
from agent.record.tape.thin import Thinner

_PIECES = 16
"""A piece is no larger than a part of the tape, 1 of so many: room is made by whole pieces."""

_REST = 12
"""Cycles without another try, once the disk has refused."""


@dataclass(slots=True)
class _Open:
    """The piece being written."""

    piece: Piece
    descriptor: int
    packing: Packing
    last: datetime

    def write(self, content: bytes) -> None:
        """Write it all, or nothing."""
        written = 0
        while written < len(content):
            written += os.write(self.descriptor, content[written:])
        size = self.piece.size_bytes + len(content)
        self.piece = replace(self.piece, size_bytes=size)


class _Refusal(Exception):  # noqa: N818 - a reason, told as trouble
    """Why a moment is not recorded."""


@dataclass(slots=True)
class TapeWriter:
    """Records what each cycle saw. Whatever the disk does, no cycle is kept from its work.

    Attributes:
        path: The folder.
    """

    path: Path
    _thinner: Thinner = field(default_factory=Thinner)
    _folder: Folder | None = None
    _open: _Open | None = None
    _has_recorded: bool = False
    _rest: int = 0
    _trouble: str | None = None

    def record(self, moment: Moment) -> None:
        """Write down what is to be kept of a moment, unless the policy wants nothing kept."""
        self._rest -= 1
        if not moment.policy.tape.size_bytes:
            self.close()
            self._trouble = None
        elif self._rest < 0:
            self._try(moment)

    def trouble(self) -> str | None:
        """Say why nothing is recorded; None while all is well."""
        return self._trouble

    def close(self) -> None:
        """Let go of all files; a later moment begins a new one."""
        self._end_piece()
        if self._folder is not None:
            with suppress(OSError):
                self._folder.close()
            self._folder = None

    def _try(self, moment: Moment) -> None:
        try:
            self._write(moment)
            self._trouble, self._rest = None, 0
        except _Refusal as refusal:
            self._trouble = str(refusal)
        except OSError as error:
            self._trouble = f"{self.path}: {error.strerror or error}; nothing is recorded"
            self._rest = _REST
            self.close()
        except Exception as error:  # noqa: BLE001 - bans do not wait for a tape, whatever fails
            why = f"{type(error).__name__}: {error}".strip(": ")
            self._trouble = f"{self.path}: {why}; nothing is recorded"
            self._rest = _REST
            # What was written of this moment by half is no base for the next one.
            self.close()
            self._thinner = Thinner()

    def _write(self, moment: Moment) -> None:
        folder, recording = self._opened(), moment.policy.tape
        if folder.is_full():
            raise _Refusal(
                f"{self.path}: less than {100 // FREE_SHARE} % of the file system is free; "
                "nothing is recorded until there is room"
            )
        at = moment.inputs.sample.taken_at
        if self._open is not None and not self._goes_on(self._open, at, recording):
            self._end_piece()
            folder.forget(at - recording.age)
        packing = self._open.packing if self._open else Packing()
        frame = self._thinner.frame_of(moment, is_start=not self._has_recorded)
        content = packing.pack(frame)
        if content is None or len(content) > recording.size_bytes:
            self._end_piece()
            raise _Refusal(f"{self.path}: a moment has no room on the tape; see size under tape:")
        if self._open is None:
            piece, descriptor = folder.begin(at)
            self._open = _Open(piece, descriptor, packing, at)
        self._put(folder, self._open, content, recording)
        self._open.last, self._has_recorded = at, True

    def _put(self, folder: Folder, to: _Open, content: bytes, recording: Recording) -> None:
        """Write, with room made for it; what is written by half is taken back."""
        folder.make_room(recording.size_bytes - to.piece.size_bytes - len(content))
        try:
            to.write(content)
        except OSError:
            with suppress(OSError):
                os.ftruncate(to.descriptor, to.piece.size_bytes)
            raise

    def _goes_on(self, now: _Open, at: datetime, recording: Recording) -> bool:
        """Whether a moment belongs to the piece being written."""
        is_in_time = now.last <= at < now.piece.begins + SPAN
        is_small = now.piece.size_bytes < recording.size_bytes // _PIECES
        return is_in_time and is_small and bool(os.fstat(now.descriptor).st_nlink)

    def _opened(self) -> Folder:
        if self._folder is None:
            self._folder = open_folder(self.path)
        return self._folder

    def _end_piece(self) -> None:
        """Close the piece being written; nothing is left of one without a frame."""
        if self._open is None or self._folder is None:
            return
        now, self._open = self._open, None
        with suppress(OSError):
            os.close(now.descriptor)
        with suppress(OSError):
            if now.piece.size_bytes:
                self._folder.pieces.append(now.piece)
            else:
                self._folder.remove(now.piece)
