"""The bans in force, read again when somebody wrote to the ledger."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Thread

from agent.decide.prefixes import PrefixTable, prefix_table
from agent.desk.listing import status
from agent.desk.top.pace import Pace
from agent.desk.where import Where
from agent.errors import BusyError, StateError
from agent.model.ban import Ban
from agent.model.inputs import Permit
from agent.record.sqlite.file import NAME

LOOK_S = 1.0
"""Whether somebody wrote is looked for after so long."""

READ_S = 15.0
"""It is read after so long whatever happened: a clock that was set moves every end."""

WAIT_S = 0.2
"""A look waits for so long: that is enough for thousands of bans."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What the ledger has.

    Attributes:
        bans: The longest to go first; None where they can't be read.
        kept_out: The same, by whom they keep out.
        permits: Whom an operator let pass.
        why: Why it can't be read; empty otherwise.
    """

    bans: tuple[Ban, ...] | None = None
    kept_out: PrefixTable[Ban] = field(default_factory=lambda: prefix_table(()))
    permits: tuple[Permit, ...] = ()
    why: str = ""

    def at(self, now: datetime) -> tuple[Ban, ...] | None:
        """Give the bans that have not ended by themselves meanwhile."""
        if not self.bans:
            return self.bans
        last = len(self.bans)
        while last and not self.bans[last - 1].rest(now):
            last -= 1
        return self.bans[:last]


@dataclass(slots=True)
class LedgerWatch:
    """What reads it: in a thread, so that a look does not wait for a ledger of many bans.

    Attributes:
        stopwatch: Seconds that only grow.
    """

    stopwatch: Callable[[], float]
    _found: InForce | None = None
    _reading: Future[InForce] | None = None
    _began: float = 0.0
    _stand: tuple[tuple[int, int, int], ...] | None = None
    _look: Pace = field(init=False)
    _read: Pace = field(init=False)

    def __post_init__(self) -> None:
        """Be due at once."""
        self._look = Pace(LOOK_S, self.stopwatch)
        self._read = Pace(READ_S, self.stopwatch)

    def read(self, where: Where) -> InForce:
        """Give what is in force: by now, or when that takes longer, as it was read last."""
        if self._reading is None and self._look.is_due:
            self._began, stand = self.stopwatch(), _stand(where)
            if stand != self._stand or self._read.is_due:
                self._stand, self._reading = stand, _begin(where)
            else:
                self._look.done(self._began)
        if self._reading is not None:
            self._wait(self._reading, None if self._found is None else WAIT_S)
        return self._found or InForce()

    def _wait(self, reading: Future[InForce], longest_s: float | None) -> None:
        try:
            self._found = reading.result(longest_s)
        except TimeoutError:
            return
        self._reading = None
        self._look.done(self._began)
        self._read.done(self._began)


def _begin(where: Where) -> Future[InForce]:
    """Have it read in a thread that keeps nobody from leaving."""
    future: Future[InForce] = Future()

    def read() -> None:
        try:
            future.set_result(_in_force(where))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it is to have it
            future.set_exception(error)

    Thread(target=read, name="ledger", daemon=True).start()
    return future


def _in_force(where: Where) -> InForce:
    try:
        found = status(where)
    except (StateError, BusyError) as error:
        return InForce(why=str(error))
    table = prefix_table((ban.source.prefix, ban) for ban in found.bans)
    return InForce(bans=found.bans, kept_out=table, permits=found.permits)


def _stand(where: Where) -> tuple[tuple[int, int, int], ...]:
    """Give what is other than before once somebody wrote."""
    stand: list[tuple[int, int, int]] = []
    for name in (NAME, f"{NAME}-wal"):
        with suppress(OSError):
            found = (where.folder / name).stat()
            stand.append((found.st_ino, found.st_size, found.st_mtime_ns))
    return tuple(stand)
