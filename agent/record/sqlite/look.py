"""A look into the ledger's file by whoever only lists: nothing is made, mended, moved or written.

A damaged file stays where it is, and one of an older schema as it is; both are said.
While somebody has the file open, or was killed with it open, the index of the write-ahead
log is only read. Otherwise there is no log: the file alone is read, without a lock.

Source: sqlite.org/wal.html 5 (read-only databases); sqlite.org/uri.html 3.3.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from agent.errors import BusyError, StateError
from agent.record.ledger import MemoryLedger
from agent.record.sqlite import schema
from agent.record.sqlite.clocks import Clock
from agent.record.sqlite.file import (
    BUSY,
    NAME,
    PATIENCE_S,
    DamagedError,
    check_pages,
    check_tables,
    is_damage,
    refuse_newer,
    version_of,
)
from agent.record.sqlite.judge import is_sound
from agent.record.sqlite.read import Found, load

T = TypeVar("T")

_LOOKS = 5
"""An agent may open or close the file during a look without a lock: then another one is taken."""

_REBUILT = "the agent's next start, or a command that bans, rebuilds it from the firewall"


class _MovedError(Exception):
    """Somebody wrote into a file that was read without a lock."""


def look_into(
    folder: Path, *, boot_id: str, stopwatch: Callable[[], float], now: datetime
) -> MemoryLedger | None:
    """Give a copy of the ledger of a state directory; None where none was ever kept.

    Args:
        folder: The state directory.
        boot_id: Of this boot.
        stopwatch: Seconds of the boot's own clock, as for `agent.record.sqlite.ledger.open_ledger`.
        now: Aware.

    Raises:
        StateError: It can't be read by this user, is not ours, or is damaged.
        BusyError: Somebody else keeps it locked.
    """
    clock = Clock(boot_id, stopwatch)
    clock.look(now)
    found = look(folder / NAME, lambda one: load(one, clock, now))
    return None if found is None else _copy(found)


def _copy(found: Found) -> MemoryLedger:
    memory = MemoryLedger()
    memory.recall(one[:3] for one in found.past)
    memory.settle(found.in_force, ())
    memory.intend(found.intended)
    memory.permit(*found.permits)
    return memory


def look(path: Path, read: Callable[[sqlite3.Connection], T]) -> T | None:
    """Have a ledger's file read; None where there is none.

    Args:
        path: The file.
        read: Reads what is wanted; may be called again.

    Raises:
        StateError: It can't be read by this user, is not ours, or is damaged.
        BusyError: Somebody else keeps it locked.
    """
    for _ in range(_LOOKS):
        try:
            return _told(path, read) if _is_there(path) else None
        except (_MovedError, FileNotFoundError):
            continue
    raise BusyError(f"{path}: others keep opening it; try again")


def _is_there(path: Path) -> bool:
    """Whether there is a ledger to be read.

    Raises:
        StateError: It is damaged, not ours, or not for this user.
    """
    try:
        if is_sound(path):
            return True
        if not path.exists() or not path.stat().st_size:
            return False
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}; run this as root") from error
    raise _damaged(path)


def _damaged(path: Path) -> StateError:
    return StateError(f"{path}: the ledger is damaged: {_REBUILT}")


def _told(path: Path, read: Callable[[sqlite3.Connection], T]) -> T:
    """Read, and say in one line why that is not possible."""
    try:
        return _read(path, read)
    except (DamagedError, ValueError, sqlite3.Error) as error:
        if is_damage(error):
            raise _damaged(path) from error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY:
            raise BusyError(f"{path}: somebody else keeps it locked; try again") from error
        text = f"{path}: it can't be read ({error}); run this as root or as its owner"
        raise StateError(text) from error


def _read(path: Path, read: Callable[[sqlite3.Connection], T]) -> T:
    how, before = _how(path), _stand(path)
    try:
        with closing(_connected(path, how)) as connection:
            check_pages(connection)
            _check_version(connection, path)
            check_tables(connection)
            return read(connection)
    finally:
        # Only a reader without a lock can be overtaken: then neither what it read nor an error
        # of it counts.
        if how == "immutable=1" and _stand(path) != before:
            raise _MovedError


def _connected(path: Path, how: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=ro&{how}"
    return sqlite3.connect(address, PATIENCE_S, isolation_level=None, uri=True)


def _how(path: Path) -> str:
    """Give how SQLite is to read the file without making one beside it."""
    if Path(f"{path}-shm").exists():
        return "readonly_shm=1"
    return "readonly_shm=0" if _bytes(Path(f"{path}-wal")) else "immutable=1"


def _stand(path: Path) -> tuple[object, ...]:
    """Give what is other than before once somebody wrote."""
    found = path.stat()
    beside = [os.path.lexists(f"{path}{side}") for side in ("-wal", "-journal")]
    return found.st_ino, found.st_size, found.st_mtime_ns, *beside


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    refuse_newer(connection, path)
    version, newest = version_of(connection), len(schema.MIGRATIONS)
    if version < newest:
        raise StateError(
            f"{path}: written by an older abuse-agent (schema {version}, now {newest}): "
            f"the agent's next start, or a command that bans, brings it up"
        )
