"""Looking around again when it is worth it.

Every minute, and sooner when the kernel tells of other addresses or routes, or when a file
that names resolvers, sessions or administrators was touched. Neither a link that flaps nor
routes that never rest make that expensive.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TypeAlias

from agent.kernel.changes import Changes
from agent.model.inputs import Surroundings
from agent.model.policy import Administrators
from agent.observe.accounts import GROUP, PASSWD
from agent.observe.found import Found
from agent.observe.resolvers import BEHIND_STUB, FILE
from agent.observe.sessions import FOLDER
from agent.observe.surroundings import guards_of, read_sight

EVERY_S = 60.0

DEAF_EVERY_S = 10.0
"""Where the kernel does not tell of changes."""

AT_MOST_EVERY_S = 1.0
SHARE = 0.05
"""Of all time that looking around may take; half a million routes take a second to read."""

AHEAD_S = 10.0
"""How far it may be ahead of these two: what changes now and then is seen with the next cycle,
so that a new address is in the kernel's allow set before the next ban."""

KEPT_S = 60.0
"""What is found no longer stays guarded for so long: an interface may be given a new address
in two steps, and a file may be read while it is being written."""

KEPT_AT_MOST = 4_000

_UTMP = Path("run/utmp")
_FILES = (FILE, BEHIND_STUB, FOLDER, _UTMP, PASSWD, GROUP)

Stamps: TypeAlias = tuple[tuple[int, int, int] | None, ...]
"""Of each file when it was changed, how large it is and which it is; None where it is not."""


@dataclass(slots=True)
class Lookout:
    """Gives the surroundings, from memory while nothing speaks for a change of them.

    Attributes:
        stopwatch: Seconds that only grow.
        root: Where the tree with ``etc`` and ``run`` begins.
        environ: Of this process.
        changes: Hears of addresses and routes.
    """

    stopwatch: Callable[[], float]
    root: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    changes: Changes = field(default_factory=Changes)
    _surroundings: Surroundings = field(default_factory=Surroundings)
    _administrators: Administrators | None = None
    _found: tuple[Found, ...] = ()
    _gone: Mapping[Found, float] = field(default_factory=dict)
    _stamps: Stamps = ()
    _is_changed: bool = False
    _due: float = -inf
    _free: float = -inf

    def __call__(self, administrators: Administrators) -> Surroundings:
        """Give what this machine stands on."""
        at = self.stopwatch()
        self._is_changed |= self.changes.heard()
        stamps = _stamps_of(self.root)
        is_due = at >= self._due or self._is_changed or stamps != self._stamps
        if administrators != self._administrators or (is_due and at >= self._free - AHEAD_S):
            self._administrators, self._stamps = administrators, stamps
            self._look(administrators, at)
        return self._surroundings

    def _look(self, administrators: Administrators, at: float) -> None:
        # First of all: what changes while we read is told, and read the next time.
        self.changes.listen()
        self._is_changed = False
        sight = read_sight(self.root, self.environ, administrators)
        self._gone = gone_after(self._gone, self._found, sight.found, at)
        self._found = sight.found
        self._surroundings = guards_of((*sight.found, *self._gone), sight.sessions)
        took = self.stopwatch() - at
        self._free = max(self._free, at) + max(AT_MOST_EVERY_S, took / SHARE)
        self._due = at + (DEAF_EVERY_S if self.changes.is_deaf else EVERY_S)


def gone_after(
    gone: Mapping[Found, float], last: Iterable[Found], found: Iterable[Found], at: float
) -> dict[Found, float]:
    """Give what is found no longer, each with the moment at which it was missed first.

    Args:
        gone: What this gave for the last look.
        last: What was found then.
        found: What is found now.
        at: Now, by the stopwatch.
    """
    missed = {**dict.fromkeys(last, at), **gone}
    for one in found:
        missed.pop(one, None)
    latest = sorted(missed.items(), key=lambda one: one[1], reverse=True)
    return {one: since for one, since in latest[:KEPT_AT_MOST] if at - since < KEPT_S}


def _stamps_of(root: Path) -> Stamps:
    return tuple(_stamp(root / file) for file in _FILES)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
