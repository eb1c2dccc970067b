"""The file of the ledger: made, opened, brought up to the newest schema, or set aside.

Source: sqlite.org/rescode.html.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from agent.errors import BusyError, StateError
from agent.record.folder import flock, open_own, prepare
from agent.record.sqlite import schema
from agent.record.sqlite.judge import SIDES, is_sound

NAME = "ledger.db"
PATIENCE_S = 2.0
_PRAGMAS = (
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "temp_store = MEMORY",
    "cache_size = -16384",  # KiB: a batch of 100,000 bans would be spilled again and again
)
_WAL_BYTES = 16 << 20
"""What a large batch leaves of the write-ahead log is cut off above that."""

Loaded = TypeVar("Loaded")


class DamagedError(Exception):
    """A file of ours does not hold what it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Generic[Loaded]):
    """A ledger's file that is open.

    Attributes:
        connection: To it.
        loaded: What was read from it.
        rebuilt: Where the damaged file was put before this one was made; None if none was.
    """

    connection: sqlite3.Connection
    loaded: Loaded
    rebuilt: str | None


def open_file(
    path: Path, now: datetime, load: Callable[[sqlite3.Connection], Loaded]
) -> Opened[Loaded]:
    """Open the ledger's file, make it where there is none, and read it.

    Args:
        path: Of the file, in the state directory.
        now: Names the file that is set aside.
        load: Reads it; a ValueError means that it is damaged.

    Raises:
        StateError: The directory or the file can't be used, or is not ours.
        BusyError: Somebody else keeps it locked.
        sqlite3.Error: It can't be written now: the disk is full, or fails.
    """
    prepare(path.parent)
    with _alone(path.parent), _told(path):
        rebuilt = None
        if is_sound(path):
            with suppress(DamagedError):
                connection, loaded = _connect(path, load)
                return Opened(connection=connection, loaded=loaded, rebuilt=None)
            rebuilt = _set_aside(path, now)
        elif path.exists() and path.stat().st_size:
            rebuilt = _set_aside(path, now)
        os.close(open_own(path))
        connection, loaded = _connect(path, load)
        return Opened(connection=connection, loaded=loaded, rebuilt=rebuilt)


def glance(path: Path, load: Callable[[sqlite3.Connection], Loaded]) -> Loaded | None:
    """Read a file that can't be opened for writing now; None when that fails as well.

    The index of the write-ahead log is kept in memory, as nothing fits on the disk.
    """
    if not path.exists() or not is_sound(path):
        return None
    connection = _plain(path)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        return load(connection)
    except (sqlite3.Error, ValueError):
        return None
    finally:
        connection.close()


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file's content is wrong, not that it can't be used now."""
    if isinstance(error, DamagedError | ValueError):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


def _connect(
    path: Path, load: Callable[[sqlite3.Connection], Loaded]
) -> tuple[sqlite3.Connection, Loaded]:
    connection = _plain(path)
    try:
        _ready(connection, path)
        return connection, load(connection)
    except Exception as error:
        connection.close()
        if is_damage(error):
            raise DamagedError(str(error)) from error
        raise


def _plain(path: Path) -> sqlite3.Connection:
    # The scheduler changes threads; it never runs two cycles at once.
    return sqlite3.connect(path, PATIENCE_S, isolation_level=None, check_same_thread=False)


def _ready(connection: sqlite3.Connection, path: Path) -> None:
    """Check the file, bring it up to the newest schema, and set how it is written."""
    check_pages(connection)
    migrate(connection, path)
    check_tables(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")


def check_pages(connection: sqlite3.Connection) -> None:
    """Make a file that somebody may have tampered with safe to read, and check how it is built.

    Raises:
        DamagedError: It is not sound.
    """
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise DamagedError


def check_tables(connection: sqlite3.Connection) -> None:
    """Check a file of the newest schema for our tables.

    Raises:
        DamagedError: They are not what they should be.
    """
    if _columns(connection) != _expected():
        raise DamagedError


def migrate(
    connection: sqlite3.Connection, path: Path, steps: Sequence[Sequence[str]] = schema.MIGRATIONS
) -> None:
    """Bring a file up to the newest schema, a transaction for each version.

    Raises:
        StateError: It is newer than this agent.
    """
    refuse_newer(connection, path, len(steps))
    for version, statements in enumerate(steps, 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version_of(connection) < version:
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            rollback(connection)
            raise


def refuse_newer(
    connection: sqlite3.Connection, path: Path, known: int = len(schema.MIGRATIONS)
) -> None:
    """Pass unless the schema is one that this agent does not know.

    Raises:
        StateError: It is.
    """
    version = version_of(connection)
    if version > known:
        raise StateError(
            f"{path}: written by a newer abuse-agent (schema {version}, known up to {known}); "
            f"update this one, or name another directory with --state-dir"
        )


def version_of(connection: sqlite3.Connection) -> int:
    """Give the version of a file's schema; 0 before the first one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def rollback(connection: sqlite3.Connection) -> None:
    """Undo what was begun; SQLite may have done so by itself."""
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    tables = ("bans", "counter", "permits")
    return {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for table in tables
    }


def _expected() -> dict[str, list[str]]:
    with sqlite3.connect(":memory:", isolation_level=None) as model:
        migrate(model, Path(":memory:"))
        columns = _columns(model)
    model.close()
    return columns


def _set_aside(path: Path, now: datetime) -> str:
    """Give a damaged file, with what stands beside it, another name."""
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
    kept = f"{path}.damaged-{stamp}"
    for side in SIDES:
        with suppress(FileNotFoundError):
            Path(f"{path}{side}").rename(f"{kept}{side}")
    return kept


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let only one process at a time judge and set aside; whoever stalls is not waited for."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flock(descriptor, fcntl.LOCK_EX, PATIENCE_S)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in one line why a file can't be used at all, or not now."""
    try:
        yield
    except DamagedError as error:
        raise StateError(f"{path}: a new ledger can't be made: {error}") from error
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in BUSY:
            raise BusyError(f"{path}: somebody else keeps it locked; try again") from error
        if code in _REFUSED:
            raise StateError(f"{path}: this user may not write it ({error})") from error
        raise


_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_REFUSED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN})
