"""A peer's file -> its lines. The only module here that touches the disk but the writing."""

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from agent.desk.imports.spot import Spot
from agent.errors import InputError, UnreadableError
from agent.identify.regular import read_regular
from agent.policy.words import escaped

MOST_BYTES = 32 * 1024 * 1024
"""A million addresses take half of it."""

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_LONGEST_NAME = 64
_LINE_END = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file as it was read.

    Attributes:
        path: Of the file.
        name: As comments name it.
        text: What is in it; bytes that are no UTF-8 are escaped.
        is_quoted: Whether comments may show what its lines say: not of a file that somebody
            else's file names, which may be any file of this machine.
    """

    path: Path
    name: str
    text: str
    is_quoted: bool = True

    def lines(self) -> Iterator[tuple[Spot, str]]:
        """Give the lines with their places."""
        for number, line in enumerate(_LINE_END.split(self.text), 1):
            yield Spot(file=self.name, line=number), line


def read_source(path: Path, name: str = "", *, is_quoted: bool = True) -> Source | None:
    """Read a file; None where there is none.

    Args:
        path: Of a regular file.
        name: As comments name it; by default its last part.
        is_quoted: See `Source`.

    Raises:
        UnreadableError: It may not be read, is no regular file, or is too large.
    """
    try:
        read = read_regular(path, MOST_BYTES + 1)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise UnreadableError(f"{path}: it can't be read: {_reason(error)}") from error
    except ValueError as error:
        raise UnreadableError(f"{path}: no file has such a name") from error
    if read is None:
        raise UnreadableError(f"{path}: not a regular file")
    raw, _ = read
    if len(raw) > MOST_BYTES:
        raise UnreadableError(f"{path}: larger than {MOST_BYTES >> 20} MiB: no configuration is")
    text = raw.decode("utf-8", "backslashreplace").removeprefix("\ufeff")
    shown = escaped((name or path.name)[:_LONGEST_NAME])
    return Source(path=path, name=shown, text=text, is_quoted=is_quoted)


def _reason(error: OSError) -> str:
    if error.errno == errno.EACCES:
        return "permission denied; run it as root"
    return os.strerror(error.errno).lower() if error.errno else "it is refused"


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False for a file.

    Raises:
        InputError: There is nothing.
        UnreadableError: It can't be looked at.
    """
    try:
        return S_ISDIR(path.stat().st_mode)
    except OSError as error:
        if error.errno in _ABSENT:
            raise InputError(f"{path}: no such file or folder") from error
        raise UnreadableError(f"{path}: it can't be read: {_reason(error)}") from error
    except ValueError as error:
        raise UnreadableError(f"{path}: no file has such a name") from error


def is_there(path: Path) -> bool:
    """Whether there is anything at a path, as far as this user may know."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno not in _ABSENT
    return True


def real_path(path: Path) -> Path:
    """Give the path behind all symbolic links.

    Raises:
        UnreadableError: There is no end of them.
    """
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise UnreadableError(f"{path}: it can't be read: its links lead nowhere") from error


def files_in(folder: Path, end: str) -> list[Path]:
    """Give the files of a folder whose names end so, in the order of their names.

    Raises:
        UnreadableError: It can't be looked into.
    """
    try:
        return sorted(one for one in folder.iterdir() if one.name.endswith(end))
    except OSError as error:
        if error.errno in _ABSENT:
            return []
        raise UnreadableError(f"{folder}: it can't be read: {_reason(error)}") from error
