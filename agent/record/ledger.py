"""The memory of bans: which are in force, which went before, and whom people let pass.

A ban is *intended* before the firewall is asked, *in force* once the firewall, read
back, holds it, and *past* afterwards. A ban that stays intended is one during which the
agent was killed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import Protocol

from agent.model.address import Source
from agent.model.ban import Ban
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
        ended: Bans that somebody else ended.
        is_other: Whether anything at all is other than before, permits too.
        failure: Why the ledger can't be written, for as long as it can't; None otherwise.
        rebuilt: Where the damaged file was put, once after it was set aside; None otherwise.
    """

    applied: tuple[Ban, ...] = ()
    ended: tuple[Ban, ...] = ()
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
        """Give all that are remembered, those in force included, by source, oldest first."""

    def permit(self, permit: Permit) -> None:
        """Remember that a prefix is to be left alone; the later end of two for one prefix wins."""

    def permits(self, now: datetime) -> tuple[Permit, ...]:
        """Give the permits that hold, sorted by prefix."""


@dataclass(slots=True)
class MemoryLedger:
    """The ledger of a dry run, gone with the process; every part of it is bounded."""

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
        self._intended |= {ban.ban_id: ban for ban in bans if ban.ban_id not in self._in_force}

    def settle(self, applied: Sequence[Ban], failed: Sequence[Ban]) -> None:
        """Remember which of them the firewall holds."""
        for ban in (*applied, *failed):
            self._intended.pop(ban.ban_id, None)
        for ban in applied:
            if ban.ban_id in self._in_force:
                continue
            self._in_force[ban.ban_id] = ban
            past = (*self._history.pop(ban.source, ()), PastBan(began=ban.begins, ended=ban.until))
            self._history[ban.source] = past[-REMEMBERED_BANS:]
        _shorten(self._history, REMEMBERED_SOURCES)

    def end(self, bans: Sequence[Ban], at: datetime, how: End) -> None:
        """Remember that bans are over."""
        for ban in bans:
            self._intended.pop(ban.ban_id, None)
            self._ended[ban.ban_id] = None
            if self._in_force.pop(ban.ban_id, None) is not None:
                self._close(ban, at, how)
        _shorten(self._ended, REMEMBERED_ENDS)

    def _close(self, ban: Ban, at: datetime, how: End) -> None:
        """Write the end into the history; a forgiven ban leaves no trace in it."""
        past = tuple(
            PastBan(began=one.began, ended=min(one.ended, at)) if one.began == ban.begins else one
            for one in self._history.pop(ban.source, ())
            if how is not End.FORGIVEN or one.began != ban.begins
        )
        if past:
            self._history[ban.source] = past

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

    def permit(self, permit: Permit) -> None:
        """Remember that a prefix is to be left alone."""
        known = self._permits.get(str(permit.prefix))
        if known is None or known.until < permit.until:
            self._permits[str(permit.prefix)] = permit

    def permits(self, now: datetime) -> tuple[Permit, ...]:
        """Give the permits that hold."""
        self._permits = {text: one for text, one in self._permits.items() if one.until > now}
        return tuple(sorted(self._permits.values(), key=lambda one: Source(one.prefix).order))


def _shorten(table: dict[Source, tuple[PastBan, ...]] | dict[str, None], most: int) -> None:
    """Forget what came first, above a bound."""
    for key in tuple(islice(table, max(0, len(table) - most))):
        del table[key]  # type: ignore[arg-type]  # the keys are its own
