"""The memory of bans: which are in force, which went before, and whom people let pass.

A ban is *intended* before the firewall is asked, *in force* once the firewall, read
back, holds it, and *past* afterwards. A ban that stays intended is one during which the
agent was killed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import Protocol

from agent.model.address import Source
from agent.model.ban import Ban, is_proof
from agent.model.inputs import History, PastBan, Permit

REMEMBERED_SOURCES = 100_000
REMEMBERED_BANS = 32
"""Of one source; escalation has reached its cap by then."""

REMEMBERED_ENDS = 200_000
"""Ids of bans that are over, to know them again in a firewall that was restored from a file."""


class End(StrEnum):
    """How a ban came to its end."""

    EXPIRED = "expired"
    LIFTED = "lifted"
    FORGIVEN = "forgiven"
    """Unbanned by hand: it does not count when the next one is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened to a ledger behind this process's back.

    Attributes:
        applied: Bans that somebody else put in force.
        ended: Bans that somebody else found over or ended, and how they came to their end.
        is_other: Whether anything at all is other than before, permits too.
        failure: Why the ledger can't be written, for as long as it can't; None otherwise.
        rebuilt: Where the damaged file was put, once after it was set aside; None otherwise.
    """

    applied: tuple[Ban, ...] = ()
    ended: tuple[tuple[Ban, End], ...] = ()
    is_other: bool = False
    failure: str | None = None
    rebuilt: str | None = None


class Ledger(Protocol):
    """Where bans are remembered. No method but `refresh` at the start of a cycle looks outside.

    A ledger that can't be written keeps everything in memory, says so in `refresh`, and
    writes it when it can again: nothing here raises.
    """

    def refresh(self, now: datetime) -> News:
        """Take in what others wrote, and move the ends of bans along with a clock that jumped.

        What is in force ends after the time that was asked for, however the wall clock is
        set meanwhile, as the kernel's own timers do.
        """

    def intend(self, bans: Sequence[Ban]) -> None:
        """Remember that bans are about to be installed."""

    def settle(self, applied: Sequence[Ban], failed: Sequence[Ban]) -> None:
        """Remember which of them the firewall, read back, holds, and which it does not.

        A ban that is in force already, restored, does not become a second one.
        """

    def end(self, bans: Sequence[Ban], at: datetime, how: End) -> None:
        """Remember that bans are over."""

    def in_force(self) -> tuple[Ban, ...]:
        """Give the bans that were applied and have not ended, in the order they came."""

    def intended(self) -> Mapping[str, Ban]:
        """Give, by id, the bans of which nobody knows yet whether the firewall holds them."""

    def has_ended(self, ban_id: str) -> bool:
        """Whether a ban of that id is known to be over."""

    def history(self) -> History:
        """Give all that are remembered, those in force included, by source, oldest first.

        Bans by what proves nothing are not: a forger must not be able to make the next ban of
        an innocent longer.
        """

    def permit(self, *permits: Permit) -> None:
        """Remember that prefixes are to be left alone.

        Of two for one prefix the newer counts: one that is over by now takes a permit back.
        """

    def permits(self, now: datetime) -> tuple[Permit, ...]:
        """Give the permits that hold, sorted by prefix."""

    def trouble(self) -> str | None:
        """Write all that waits, and say why it can't be written; None once it is safe.

        A process that is about to end asks this: what waits ends with it.
        """


@dataclass(slots=True)
class MemoryLedger:
    """The ledger of a dry run, gone with the process; every part of it is bounded.

    The lasting ledger reads from one of these as well, and keeps a journal beside it.
    """

    _intended: dict[str, Ban] = field(default_factory=dict)
    _in_force: dict[str, Ban] = field(default_factory=dict)
    _history: dict[Source, tuple[PastBan, ...]] = field(default_factory=dict)
    _ended: dict[str, None] = field(default_factory=dict)
    _permits: dict[str, Permit] = field(default_factory=dict)

    def refresh(self, now: datetime) -> News:  # noqa: ARG002 - nobody else writes here
        """Nothing happens to it behind this process's back."""
        return News()

    def intend(self, bans: Sequence[Ban]) -> None:
        """Remember that bans are about to be installed."""
        self._intended |= {ban.ban_id: ban for ban in bans if self._is_new(ban)}

    def settle(self, applied: Sequence[Ban], failed: Sequence[Ban]) -> None:
        """Remember which of them the firewall holds; what is over stays over."""
        for ban in (*applied, *failed):
            self._intended.pop(ban.ban_id, None)
        for ban in filter(self._is_new, applied):
            self._in_force[ban.ban_id] = ban
            if is_proof(ban.answer, ban.measure):
                self._remember(ban.source, _past(ban))
        _shorten(self._history, REMEMBERED_SOURCES)

    def end(self, bans: Sequence[Ban], at: datetime, how: End) -> None:
        """Remember that bans are over."""
        for ban in bans:
            self._intended.pop(ban.ban_id, None)
            self._ended[ban.ban_id] = None
            known = self._in_force.pop(ban.ban_id, None)
            if known is not None:
                self._close(known, at, how)
        _shorten(self._ended, REMEMBERED_ENDS)

    def recall(self, past: Iterable[tuple[str, Source, PastBan | None]]) -> None:
        """Remember bans that were over before this process began.

        Args:
            past: The id, the source, and what counts when the next one is measured; oldest first.
        """
        for ban_id, source, one in past:
            self._ended[ban_id] = None
            if one is not None:
                self._remember(source, one)
        _shorten(self._history, REMEMBERED_SOURCES)
        _shorten(self._ended, REMEMBERED_ENDS)

    def move(self, jump: timedelta) -> None:
        """Move all that is limited by time along with a clock that was set."""
        for ban in self._in_force.values():
            past, moved = _past(ban), _past(replace(ban, begins=ban.begins + jump))
            known = self._history.get(ban.source, ())
            if past in known:
                at = known.index(past)
                self._history[ban.source] = (*known[:at], moved, *known[at + 1 :])
        self._in_force = _moved(self._in_force, jump)
        self._intended = _moved(self._intended, jump)
        self._permits = {
            text: replace(one, until=one.until + jump) for text, one in self._permits.items()
        }

    def find(self, ban_id: str) -> Ban | None:
        """Give the ban in force of that id."""
        return self._in_force.get(ban_id)

    def _remember(self, source: Source, one: PastBan) -> None:
        """Add to the history of a source, which then is the one that was added to last."""
        past = (*self._history.pop(source, ()), one)
        if len(past) > 1 and past[-2].began > one.began:
            past = tuple(sorted(past, key=lambda each: each.began))
        self._history[source] = past[-REMEMBERED_BANS:]

    def _is_new(self, ban: Ban) -> bool:
        return ban.ban_id not in self._in_force and ban.ban_id not in self._ended

    def _close(self, ban: Ban, at: datetime, how: End) -> None:
        """Write the end into the history; a forgiven ban leaves no trace in it.

        Two bans of one source that began and were to end at the same moments are
        the same to the history: one of them is as good as the other.
        """
        past, known = _past(ban), self._history.get(ban.source, ())
        if past not in known:
            return
        where = known.index(past)
        closed = () if how is End.FORGIVEN else (replace(past, ended=min(past.ended, at)),)
        left = (*known[:where], *closed, *known[where + 1 :])
        if left:
            self._history[ban.source] = left
        else:
            del self._history[ban.source]

    def in_force(self) -> tuple[Ban, ...]:
        """Give the bans that were applied and have not ended, in the order they came."""
        return tuple(self._in_force.values())

    def intended(self) -> Mapping[str, Ban]:
        """Give the bans of which nobody knows yet whether the firewall holds them."""
        return MappingProxyType(self._intended)

    def has_ended(self, ban_id: str) -> bool:
        """Whether a ban of that id is known to be over."""
        return ban_id in self._ended

    def history(self) -> History:
        """Give all that are remembered, those in force included, by source, oldest first."""
        return MappingProxyType(self._history)

    def permit(self, *permits: Permit) -> None:
        """Remember that prefixes are to be left alone."""
        self._permits |= {str(one.prefix): one for one in permits}

    def permits(self, now: datetime) -> tuple[Permit, ...]:
        """Give the permits that hold."""
        self._permits = {text: one for text, one in self._permits.items() if one.until > now}
        return tuple(sorted(self._permits.values(), key=lambda one: Source(one.prefix).order))

    def trouble(self) -> str | None:
        """Nothing is ever written."""
        return None


def _past(ban: Ban) -> PastBan:
    return PastBan(began=ban.begins, ended=ban.until)


def _moved(bans: Mapping[str, Ban], jump: timedelta) -> dict[str, Ban]:
    return {ban_id: replace(ban, begins=ban.begins + jump) for ban_id, ban in bans.items()}


def _shorten(table: dict[Source, tuple[PastBan, ...]] | dict[str, None], most: int) -> None:
    """Forget what came first, above a bound."""
    for key in tuple(islice(table, max(0, len(table) - most))):
        del table[key]  # type: ignore[arg-type]  # the keys are its own
