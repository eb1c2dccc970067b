"""Paths of saved listings, opened one after another.

A regular file, a pipe and a file of /proc do; what is packed by gzip is seen by its
first bytes and unpacked.
"""

import gzip
import stat
import zlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from pathlib import Path

from agent.errors import InputError, UnreadableError
from agent.observe.saved.read import Stream

STANDARD_INPUT = "-"
_GZIP = b"\x1f\x8b"


def open_listings(paths: Sequence[str]) -> Iterator[tuple[str, Stream]]:
    """Give each path as it is shown, and a stream of it that is closed with the next.

    Args:
        paths: ``-`` is the standard input. All are looked at before the first is opened.

    Raises:
        InputError: A path does not exist, is a folder, or can't be opened.
        UnreadableError: While reading: what is packed by gzip is damaged, or the
            system can't read it.
    """
    for path in paths:
        _check(path)
    for path in paths:
        name = "standard input" if path == STANDARD_INPUT else path
        try:
            with _opened(path) as file:
                yield name, _Careful(name, file)
        except OSError as error:
            raise InputError(f"{name}: {error.strerror}") from error


def _check(path: str) -> None:
    """See that there is a file, so that a misspelt last path is told before the first is read."""
    if path == STANDARD_INPUT:
        return
    try:
        is_folder = stat.S_ISDIR(Path(path).stat().st_mode)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if is_folder:
        raise InputError(f"{path}: a folder; name the files in it")


def _opened(path: str) -> BufferedReader:
    if path == STANDARD_INPUT:
        return open(0, "rb", closefd=False)
    return Path(path).open("rb")


class _Careful:
    """A stream whose troubles are told in one line."""

    def __init__(self, name: str, file: BufferedReader) -> None:
        self._name = name
        self._file = file
        self._unpacked: gzip.GzipFile | None = None
        self._is_fresh = True

    def read1(self, size: int, /) -> bytes:
        """Give the next bytes, at most so many; none at the end.

        Raises:
            UnreadableError: They can't be had.
        """
        try:
            if self._is_fresh:
                self._is_fresh = False
                if self._file.peek(len(_GZIP)).startswith(_GZIP):
                    self._unpacked = gzip.GzipFile(fileobj=self._file)
            return (self._unpacked or self._file).read1(size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnreadableError(f"{self._name}: damaged gzip: {error}") from error
        except OSError as error:
            raise UnreadableError(f"{self._name}: {error.strerror}") from error
