"""Reading the ledger's file: all that is needed to go on, or only what changed."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agent.model.address import Source
from agent.model.ban import Ban, is_proof
from agent.model.inputs import PastBan, Permit
from agent.model.policy import Answer
from agent.record.ledger import REMEMBERED_ENDS, End
from agent.record.sqlite import rows, schema
from agent.record.sqlite.clocks import Clock, micros
from agent.record.sqlite.file import rollback
from agent.record.sqlite.rows import Row

REMEMBERED_FOR = timedelta(days=391)
"""The longest time for which a policy may count an earlier ban (365d), behind the longest ban."""

_ENDS = {how.value: how for how in End}


@dataclass(slots=True, kw_only=True)
class Found:
    """What was read from the file.

    Attributes:
        in_force: In the order in which they came into force.
        intended: Nobody knows whether the firewall holds them.
        failed: They turned out not to hold.
        past: By id what is over: who, what of it counts when the next one is measured,
            and how it ended.
        permits: All, also those that are over.
        counter: The highest serial number at that moment.
        is_old: Whether a row has its time from another boot, or another setting of the clock.
        rebuilt: Where the damaged file was put; None when none was.
    """

    in_force: list[Ban] = field(default_factory=list)
    intended: list[Ban] = field(default_factory=list)
    failed: list[Ban] = field(default_factory=list)
    past: list[tuple[str, Source, PastBan | None, End]] = field(default_factory=list)
    permits: list[Permit] = field(default_factory=list)
    counter: int = 0
    is_old: bool = False
    rebuilt: str | None = None

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return any((self.in_force, self.intended, self.failed, self.past, self.permits))


def load(connection: sqlite3.Connection, clock: Clock, now: datetime) -> Found:
    """Read all that is needed to go on, which is not what failed.

    Raises:
        ValueError: The file does not hold what it should.
    """
    connection.execute("BEGIN")
    try:
        return _all(connection, clock, now)
    finally:
        rollback(connection)


def _all(connection: sqlite3.Connection, clock: Clock, now: datetime) -> Found:
    found = Found(counter=counter_of(connection))
    if found.counter < connection.execute(schema.HIGHEST_SERIAL).fetchone()[0]:
        raise ValueError("serial numbers above their counter")
    _sort_in(found, connection.execute(schema.LIVE_BANS), clock)
    oldest = micros(now - REMEMBERED_FOR)
    past = connection.execute(schema.PAST_BANS, (oldest, REMEMBERED_ENDS)).fetchall()
    found.past = [_past(row) for row in sorted(past, key=lambda row: row[3])]
    found.permits = _permits_of(connection.execute(schema.ALL_PERMITS), clock)
    live = connection.execute(schema.LIVE_STAMPS)
    found.is_old = any(clock.is_old(row[:3], row[3]) for row in live)
    return found


def read_changes(
    connection: sqlite3.Connection, clock: Clock, ranges: Iterable[tuple[int, int]]
) -> Found:
    """Read the rows whose serial numbers lie in ranges, each (after, up to).

    Raises:
        ValueError: The file does not hold what it should.
    """
    found = Found()
    for one in ranges:
        _sort_in(found, connection.execute(schema.CHANGED_BANS, one), clock)
        found.permits += _permits_of(connection.execute(schema.CHANGED_PERMITS, one), clock)
    return found


def counter_of(connection: sqlite3.Connection) -> int:
    """Give the highest serial number that was given out.

    Raises:
        ValueError: The counter is gone.
    """
    row: tuple[Any, ...] | None = connection.execute("SELECT max(value) FROM counter").fetchone()
    if row is None or not isinstance(row[0], int):
        raise ValueError("the counter is gone")
    return row[0]


def _sort_in(found: Found, table: Iterable[Row], clock: Clock) -> None:
    lists = {
        schema.IN_FORCE: found.in_force,
        schema.INTENDED: found.intended,
        schema.FAILED: found.failed,
    }
    for row in table:
        state = row[schema.STATE_AT]
        if state in lists:
            lists[state].append(rows.ban_of(row, clock))
        else:
            found.past.append(_past((*row[:3], row[16], row[13], *row[19:], row[3], row[10])))


def _permits_of(table: Iterable[Row], clock: Clock) -> list[Permit]:
    return [rows.permit_of(row, clock) for row in table]


def _past(row: Row) -> tuple[str, Source, PastBan | None, End]:
    """Read what is over from the columns of `schema.PAST_BANS`."""
    ban_id, source, zone, begins, lasts, state, ended, held, answer, measure = row
    try:
        how = _ENDS[state]
        counts = held and how is not End.FORGIVEN and is_proof(Answer(answer), measure)
        past = rows.past_of(begins, lasts, ended) if counts else None
        return ban_id, rows.source_at(source, zone), past, how
    except (TypeError, KeyError, OverflowError, OSError, AttributeError) as error:
        raise ValueError(str(error)) from error
