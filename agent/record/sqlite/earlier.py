"""Bans of one prefix that are over, whole, for whoever explains them."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.model.address import Prefix, overlaps
from agent.model.ban import Ban
from agent.record.ledger import End
from agent.record.sqlite import rows, schema
from agent.record.sqlite.clocks import Clock, moment_of
from agent.record.sqlite.file import NAME
from agent.record.sqlite.look import look

MOST = 100
"""Of one source; the newest."""

_ENDED_AT = schema.STATE_AT + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A ban that is over.

    Attributes:
        ban: As it was.
        ended: When; aware, UTC.
        how: How it came to its end.
    """

    ban: Ban
    ended: datetime
    how: End


def read_earlier(
    folder: Path, prefix: Prefix, *, boot_id: str, stopwatch: Callable[[], float], now: datetime
) -> tuple[Earlier, ...]:
    """Give the bans that overlap a prefix and are over, the newest first.

    Args:
        folder: The state directory.
        prefix: Whose.
        boot_id: Of this boot.
        stopwatch: Seconds of the boot's own clock.
        now: Aware.

    Raises:
        StateError: It can't be read by this user, is not ours, or is damaged.
        BusyError: Somebody else keeps it locked.
    """
    clock = Clock(boot_id, stopwatch)
    clock.look(now)
    return look(folder / NAME, lambda one: _earlier(one, prefix, clock)) or ()


def _earlier(connection: sqlite3.Connection, prefix: Prefix, clock: Clock) -> tuple[Earlier, ...]:
    def is_wanted(source: str) -> bool:
        return overlaps(rows.source_at(source, 0).prefix, prefix)

    connection.create_function(schema.OVERLAPS, 1, is_wanted, deterministic=True)
    found = connection.execute(schema.EARLIER_BANS, (MOST,)).fetchall()
    return tuple(_of(row, clock) for row in found)


def _of(row: rows.Row, clock: Clock) -> Earlier:
    ban, ended = rows.ban_of(row, clock), row[_ENDED_AT]
    until = ban.until if ended is None else min(ban.until, moment_of(ended))
    return Earlier(ban=ban, ended=until, how=End(row[schema.STATE_AT]))
