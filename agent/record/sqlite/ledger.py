"""The ledger of a live agent: memory to read from, and a file that outlives the process.

All that is asked is answered from memory. Every change goes into the file as well, where
the commands of other processes see it, and theirs are taken over at every `refresh`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.model.ban import Ban
from agent.model.inputs import History, Permit
from agent.record.ledger import End, MemoryLedger, News
from agent.record.sqlite import rows, schema
from agent.record.sqlite.clocks import Clock, micros
from agent.record.sqlite.file import NAME
from agent.record.sqlite.journal import Journal
from agent.record.sqlite.read import Found
from agent.record.sqlite.rows import Row


def open_ledger(
    folder: Path, *, boot_id: str, stopwatch: Callable[[], float], now: datetime
) -> "SqliteLedger":
    """Open the ledger of a state directory; both are made where they are not there.

    A full disk does not keep a ledger from opening: `SqliteLedger.refresh` tells of it.

    Args:
        folder: The state directory.
        boot_id: Other ones mean that the machine was started anew meanwhile.
        stopwatch: Seconds of a clock that nobody sets and that stands still while the
            machine is suspended, the same for all processes: ``time.monotonic``.
        now: Aware.

    Raises:
        StateError: The directory or the file can't be used, or is not ours.
        BusyError: Somebody else keeps the file locked.
    """
    clock = Clock(boot_id, stopwatch)
    clock.look(now)
    clock.written()
    ledger = SqliteLedger(_journal=Journal(path=folder / NAME, clock=clock), _clock=clock)
    ledger.begin(now)
    return ledger


@dataclass(slots=True, kw_only=True)
class SqliteLedger:
    """A ledger in a file. Another process may have the same one open."""

    _journal: Journal
    _clock: Clock
    _memory: MemoryLedger = field(default_factory=MemoryLedger)
    _rebuilt: str | None = None

    def begin(self, now: datetime) -> None:
        """Open the file and take in what is there.

        Raises:
            StateError: The file can't be used, or is not ours.
            BusyError: Somebody else keeps it locked.
        """
        found = self._journal.open(now)
        self._take(found)
        if found.is_old:
            self._put_all()

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

    def refresh(self, now: datetime) -> News:
        """Take in what others wrote, and move what is limited by time along with the clock."""
        self._follow(now)
        other = self._journal.reopen(now)
        news = [] if other is None else [self._take(other)]
        if other is not None:
            self._put_all()
        self._journal.flush()
        news.append(self._take(self._journal.news(now)))
        rebuilt, self._rebuilt = self._rebuilt, None
        return News(
            applied=tuple(ban for one in news for ban in one.applied),
            ended=tuple(ban for one in news for ban in one.ended),
            is_other=any(one.is_other for one in news),
            failure=self._journal.failure,
            rebuilt=rebuilt,
        )

    def intend(self, bans: Sequence[Ban]) -> None:
        """Remember that bans are about to be installed."""
        self._memory.intend(bans)
        intended = self._memory.intended()
        self._put((ban for ban in bans if ban.ban_id in intended), schema.INTENDED)

    def settle(self, applied: Sequence[Ban], failed: Sequence[Ban]) -> None:
        """Remember which of them the firewall holds, and which it does not."""
        find, has_ended = self._memory.find, self._memory.has_ended
        new = [ban for ban in applied if not (find(ban.ban_id) or has_ended(ban.ban_id))]
        lost = [ban for ban in failed if ban.ban_id in self._memory.intended()]
        self._memory.settle(applied, failed)
        self._journal.put(
            (
                *(self._row(ban, schema.IN_FORCE, held=True) for ban in new),
                *(self._row(ban, schema.FAILED) for ban in lost),
            )
        )

    def end(self, bans: Sequence[Ban], at: datetime, how: End) -> None:
        """Remember that bans are over."""
        changed = [self._end_row(ban, at, how) for ban in bans if self._may_end(ban)]
        self._memory.end(bans, at, how)
        self._journal.put(changed)

    def in_force(self) -> tuple[Ban, ...]:
        """Give the bans that were applied and have not ended, in the order they came."""
        return self._memory.in_force()

    def intended(self) -> Mapping[str, Ban]:
        """Give, by id, the bans of which nobody knows yet whether the firewall holds them."""
        return self._memory.intended()

    def has_ended(self, ban_id: str) -> bool:
        """Whether a ban of that id is known to be over."""
        return self._memory.has_ended(ban_id)

    def history(self) -> History:
        """Give all that are remembered, those in force included, by source, oldest first."""
        return self._memory.history()

    def permit(self, *permits: Permit) -> None:
        """Remember that prefixes are to be left alone, at once; the newest word counts."""
        self._memory.permit(*permits)
        self._journal.put(permits=map(self._permit_row, permits))

    def permits(self, now: datetime) -> tuple[Permit, ...]:
        """Give the permits that hold, sorted by prefix."""
        return self._memory.permits(now)

    def trouble(self) -> str | None:
        """Write all that waits, and say why it can't be written; None once it is safe."""
        self._journal.flush()
        return self._journal.failure

    def _follow(self, now: datetime) -> None:
        """Move memory along with a clock that was set, and the file when it was set by much."""
        jump = self._clock.look(now)
        if jump is not None:
            self._memory.move(jump)
        if self._clock.is_worth_writing():
            self._put_all()

    def _take(self, found: Found) -> News:
        """Take in what the file says; what is over in either is over."""
        memory = self._memory
        ended = tuple(self._take_past(found))
        news = [
            ban
            for ban in found.in_force
            if not (memory.find(ban.ban_id) or memory.has_ended(ban.ban_id))
        ]
        memory.settle(found.in_force, found.failed)
        memory.intend(found.intended)
        memory.permit(*found.permits)
        self._rebuilt = found.rebuilt or self._rebuilt
        return News(applied=tuple(news), ended=ended, is_other=bool(found))

    def _take_past(self, found: Found) -> Iterator[tuple[Ban, End]]:
        """Take in what is over; give what was in force until now, and how it ended."""
        memory, unknown = self._memory, []
        for ban_id, source, past, told in found.past:
            ban = memory.find(ban_id)
            live = ban or memory.intended().get(ban_id)
            if live is not None:
                how = End.FORGIVEN if past is None else End.LIFTED
                memory.end((live,), live.until if past is None else past.ended, how)
                yield from () if ban is None else ((ban, told),)
            elif not memory.has_ended(ban_id):
                unknown.append((ban_id, source, past))
        memory.recall(unknown)

    def _may_end(self, ban: Ban) -> bool:
        """Whether it is not over yet; the first end counts."""
        memory, ban_id = self._memory, ban.ban_id
        is_live = memory.find(ban_id) is not None or ban_id in memory.intended()
        return is_live or not memory.has_ended(ban_id)

    def _end_row(self, ban: Ban, at: datetime, how: End) -> Row:
        known = self._memory.find(ban.ban_id)
        ended = micros(min(at, (known or ban).until))
        return rows.ban_row(known or ban, self._clock, how.value, ended, held=known is not None)

    def _put(self, bans: Iterator[Ban], state: str, *, held: bool = False) -> None:
        self._journal.put(self._row(ban, state, held=held) for ban in bans)

    def _put_all(self) -> None:
        """Write all that has not ended anew, with its time by the clocks as they are."""
        memory = self._memory
        self._clock.written()
        bans = [self._row(ban, schema.IN_FORCE, held=True) for ban in memory.in_force()]
        bans += [self._row(ban, schema.INTENDED) for ban in memory.intended().values()]
        permits = memory.permits(self._clock.now())
        self._journal.put(bans, map(self._permit_row, permits))

    def _row(self, ban: Ban, state: str, *, held: bool = False) -> Row:
        return rows.ban_row(ban, self._clock, state, None, held=held)

    def _permit_row(self, permit: Permit) -> Row:
        return rows.permit_row(permit, self._clock)
