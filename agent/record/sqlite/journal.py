"""What changed, on its way into the ledger's file, and what others wrote there.

A change is first kept here, as the row that it leaves behind, and then written. Where that
fails it stays here, the newest row of each ban, until it can be written. Every row that is
written gets a serial number from one counter, so that what others wrote is what lies above
the numbers seen, without those that this process gave out itself.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.errors import BusyError, StateError
from agent.record.ledger import REMEMBERED_ENDS
from agent.record.sqlite import schema
from agent.record.sqlite.clocks import Clock, micros
from agent.record.sqlite.file import glance, is_damage, open_file, refuse_newer, rollback
from agent.record.sqlite.read import REMEMBERED_FOR, Found, counter_of, load, read_changes
from agent.record.sqlite.rows import Row

MOST_WAITING = 200_000
"""Rows that wait for a disk; those of bans that are over are forgotten first."""

PRUNE_EACH = 20_000
"""So many rows written, and old ones are looked for."""

PRUNE_MOST = 40_000
"""Old rows removed at once: more than can have come since the last time."""


@dataclass(slots=True, kw_only=True)
class Journal:
    """The file of a ledger, and what has to be written into it.

    Attributes:
        path: Of the file.
        clock: For what is limited by time.
        failure: Why nothing can be written; None while it can.
    """

    path: Path
    clock: Clock
    failure: str | None = None
    _connection: sqlite3.Connection | None = None
    _file: os.stat_result | None = None
    _bans: dict[str, Row] = field(default_factory=dict)
    _permits: dict[str, Row] = field(default_factory=dict)
    _seen: int = 0
    _own: list[tuple[int, int]] = field(default_factory=list)
    _data_version: int = 0
    _since_prune: int = PRUNE_EACH

    def open(self, now: datetime) -> Found:
        """Open the file and read what is in it.

        Raises:
            StateError: It can't be used, or is not ours.
            BusyError: Somebody else keeps it locked.
        """
        try:
            return self._open(now)
        except sqlite3.Error as error:
            self.failure = f"{self.path}: {error}"
            return glance(self.path, lambda one: load(one, self.clock, now)) or Found()

    def reopen(self, now: datetime) -> Found | None:
        """Open the file again if it is not open, or no longer the one that has its name."""
        if self._connection is not None and self._is_there():
            return None
        try:
            return self._open(now)
        except (StateError, BusyError) as error:
            self.failure = str(error)
        except (sqlite3.Error, OSError) as error:
            self.failure = f"{self.path}: {error}"
        return None

    def _open(self, now: datetime) -> Found:
        self.close()
        opened = open_file(self.path, now, lambda one: load(one, self.clock, now))
        self._connection, self._file = opened.connection, self.path.stat()
        self._seen, self._own, self.failure = opened.loaded.counter, [], None
        # Whatever was written since it was read is looked for at the next cycle.
        self._data_version = -1
        opened.loaded.rebuilt = opened.rebuilt
        return opened.loaded

    def close(self) -> None:
        """Close the file; what waits stays here."""
        connection, self._connection = self._connection, None
        if connection is not None:
            rollback(connection)
            connection.close()

    def put(self, bans: Iterable[Row] = (), permits: Iterable[Row] = ()) -> None:
        """Write rows, the newest of each ban and prefix; while the file fails they wait."""
        self._bans |= {row[0]: row for row in bans}
        self._permits |= {row[0]: row for row in permits}
        if self.failure is None:
            self.flush()
        if len(self._bans) > MOST_WAITING:
            self._bans = _shortened(self._bans)

    def flush(self) -> None:
        """Write all that waits."""
        if self._connection is None:
            return
        try:
            if self._bans or self._permits or self.failure is not None:
                self._write(self._connection)
            self._bans, self._permits, self.failure = {}, {}, None
        except (sqlite3.Error, StateError, ValueError) as error:
            self._fail(error)

    def news(self, now: datetime) -> Found:
        """Read what others wrote since the last time, and now and then remove what is old."""
        connection = self._connection
        if connection is None or self.failure is not None:
            return Found()
        try:
            if self._since_prune >= PRUNE_EACH:
                self._prune(connection, now)
            version = _data_version(connection)
            if version == self._data_version:
                return Found()
            refuse_newer(connection, self.path)
            found = self._read_others(connection)
        except (sqlite3.Error, StateError, ValueError) as error:
            self._fail(error)
            return Found()
        self._data_version = version
        return found

    def _fail(self, error: Exception) -> None:
        """Say why; a file whose content is wrong is judged anew at the next cycle."""
        self.failure = str(error) if isinstance(error, StateError) else f"{self.path}: {error}"
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if is_damage(error) or code in _WORTH_REOPENING:
            self.close()

    def _is_there(self) -> bool:
        try:
            return self._file is not None and os.path.samestat(self._file, self.path.stat())
        except OSError:
            return False

    def _write(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            refuse_newer(connection, self.path)
            first = counter_of(connection)
            permits_at = first + len(self._bans)
            last = permits_at + len(self._permits)
            connection.executemany(schema.PUT_BAN, _numbered(self._bans, first))
            connection.executemany(schema.PUT_PERMIT, _numbered(self._permits, permits_at))
            connection.execute("UPDATE counter SET value = ?", (last,))
            connection.execute("COMMIT")
        except BaseException:
            rollback(connection)
            raise
        self._since_prune += last - first
        self._note_own(first, last)

    def _note_own(self, first: int, last: int) -> None:
        """Remember which numbers are this process's own; without gaps, that they were seen."""
        if first == self._seen:
            self._seen = last
        elif first < last:
            self._own.append((first, last))

    def _read_others(self, connection: sqlite3.Connection) -> Found:
        connection.execute("BEGIN")
        try:
            counter = counter_of(connection)
            ranges = _others(self._seen, self._own, counter)
            found = read_changes(connection, self.clock, ranges)
        finally:
            rollback(connection)
        self._seen, self._own = counter, []
        return found

    def _prune(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Remove what is over for long, or by the number of later ones; never too much at once."""
        oldest = micros(now - REMEMBERED_FOR)
        surplus = connection.execute(schema.COUNT_OVER).fetchone()[0] - REMEMBERED_ENDS
        connection.execute("BEGIN IMMEDIATE")
        try:
            removed = connection.execute(schema.PRUNE_OLD, (oldest, PRUNE_MOST)).rowcount
            left = max(0, min(surplus, PRUNE_MOST) - removed)
            removed += connection.execute(schema.PRUNE_SURPLUS, (left,)).rowcount
            connection.execute(schema.PRUNE_PERMITS, (oldest,))
            connection.execute("COMMIT")
        except BaseException:
            rollback(connection)
            raise
        self._since_prune = PRUNE_EACH if removed >= PRUNE_MOST else 0


def _numbered(table: Mapping[str, Row], first: int) -> Iterator[Row]:
    return ((serial, *row) for serial, row in enumerate(table.values(), first + 1))


def _shortened(table: Mapping[str, Row]) -> dict[str, Row]:
    """Keep what is not over, which is bounded by itself, and the newest of the others."""
    over = [ban_id for ban_id, row in table.items() if row[schema.STATE_AT] not in schema.LIVE]
    forgotten = set(over[: len(table) - MOST_WAITING])
    return {ban_id: row for ban_id, row in table.items() if ban_id not in forgotten}


def _others(seen: int, own: Iterable[tuple[int, int]], counter: int) -> Iterator[tuple[int, int]]:
    """Give the ranges of numbers, each (after, up to), that others gave out."""
    for first, last in own:
        yield seen, first
        seen = last
    yield seen, counter


def _data_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


_WORTH_REOPENING = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CONSTRAINT})
