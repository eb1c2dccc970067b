"""Range files, read from the disk: at once when a policy names them, again when they change."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

from agent.errors import Fault
from agent.identify.ranges import parse_ranges
from agent.identify.regular import read_regular
from agent.model.address import Prefix
from agent.model.caution import Caution
from agent.model.policy import TRUSTED_PROXIES, Policy

MOST_BYTES = 4 * 1024 * 1024
OLD = timedelta(days=90)
"""Vendors change their lists some times a year; an older copy is told of."""

LOOK_EVERY_S = 60.0

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeFile:
    """A range file as it was read.

    Attributes:
        prefixes: No two of them overlap; not empty.
        date: When the list was made: as it says itself, else when the file was written.
    """

    prefixes: frozenset[Prefix]
    date: datetime


def read_ranges(path: str, breathe: Callable[[], None] = lambda: None) -> RangeFile | Fault:
    """Read a range file, or tell what is wrong with it.

    Args:
        path: Of a regular file.
        breathe: Called again and again while there is much to read.
    """
    try:
        read = read_regular(path, MOST_BYTES + 1)
    except OSError as error:
        return Fault(file=path, problem=_why(error))
    if read is None:
        return Fault(file=path, problem="not a regular file")
    raw, status = read
    if len(raw) > MOST_BYTES:
        return Fault(file=path, problem="larger than 4 MiB: no list of ranges is")
    found = parse_ranges(raw, path, breathe)
    if isinstance(found, Fault):
        return found
    written = datetime.fromtimestamp(status.st_mtime, UTC)
    return RangeFile(prefixes=found.prefixes, date=found.date or written)


def range_cautions(policy: Policy, now: datetime) -> Iterator[Caution]:
    """Tell of range files that can't be used, or are old.

    They are no faults of the policy: a broken download must keep no agent from starting.
    """
    for entry in policy.allowlist:
        above = ("allowlist", entry.name) if entry.name != TRUSTED_PROXIES else (entry.name,)
        for number, path in enumerate(entry.ranges):
            found = read_ranges(path)
            problem = ""
            if isinstance(found, Fault):
                problem = f"{entry.name}: {found}"
            elif now - found.date > OLD:
                problem = f"{entry.name}: {path}: {_old(found.date)}"
            if problem:
                about = (*above, "ranges", number)
                yield Caution(kind="range-file", about=about, problem=problem)


@dataclass(slots=True)
class RangeFiles:
    """The range files that a policy names, looked at again and again.

    What was read last from a file stays when it vanishes or becomes bad.

    Attributes:
        stopwatch: Seconds that only grow.
        breathe: Called again and again while there is much to read.
    """

    stopwatch: Callable[[], float]
    breathe: Callable[[], None] = lambda: None
    _files: dict[str, RangeFile] = field(default_factory=dict)
    _faults: dict[str, Fault] = field(default_factory=dict)
    _stamps: dict[str, _Stamp | None] = field(default_factory=dict)
    _due: float = -inf

    def of(self, path: str) -> frozenset[Prefix]:
        """Give the networks of a file; nothing where it could not be read yet."""
        found = self._files.get(path)
        return found.prefixes if found else frozenset()

    def faults(self) -> tuple[Fault, ...]:
        """Tell what is wrong with the files at this time."""
        return tuple(self._faults.values())

    @property
    def due(self) -> float:
        """When to look again, by the stopwatch."""
        return self._due if self._stamps else inf

    def look(self, paths: Iterable[str]) -> frozenset[str]:
        """Read those of these files that are new or changed, and forget all others.

        Returns:
            The paths whose networks are others than before.
        """
        self._due = self.stopwatch() + LOOK_EVERY_S
        wanted = dict.fromkeys(paths)
        for path in self._stamps.keys() - wanted.keys():
            for each in (self._stamps, self._files, self._faults):
                each.pop(path, None)
        return frozenset(path for path in wanted if self._read(path))

    def _read(self, path: str) -> bool:
        stamp = _stamp(path)
        if self._stamps.get(path) == stamp is not None and path not in self._faults:
            return False
        self._stamps[path] = stamp
        found = read_ranges(path, self.breathe)
        if isinstance(found, Fault):
            self._faults[path] = found
            return False
        self._faults.pop(path, None)
        is_new = found.prefixes != self.of(path)
        if is_new:
            self._files[path] = found
        return is_new


def _stamp(path: str) -> _Stamp | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _why(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return (
            "it is not there, so that nobody belongs to its entry by it: copy it from "
            "policies/ranges, or get the vendor's list"
        )
    reason = os.strerror(error.errno) if error.errno else "it can't be read"
    return f"{reason[0].lower()}{reason[1:]}: nobody belongs to its entry by this file"


def _old(date: datetime) -> str:
    return f"its list is of {date:%Y-%m-%d}, older than {OLD.days} days: get a newer one"
