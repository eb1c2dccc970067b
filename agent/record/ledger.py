"""The memory of bans: which are in force, and which went before."""

from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from agent.model.address import Source
from agent.model.ban import Ban
from agent.model.inputs import History, PastBan

REMEMBERED_SOURCES = 100_000
REMEMBERED_BANS = 32
"""Of one source; escalation has reached its cap by then."""


class Ledger(Protocol):
    """Where bans are remembered. Intent first, then what the firewall says."""

    def intend(self, ban: Ban) -> None:
        """Remember that a ban is about to be installed."""

    def settle(self, ban: Ban, *, applied: bool) -> None:
        """Remember whether the firewall, read back, holds it."""

    def end(self, ban: Ban, at: datetime) -> None:
        """Remember that a ban is over."""

    def in_force(self) -> tuple[Ban, ...]:
        """Give the bans that were applied and have not ended, in the order they came."""

    def history(self) -> History:
        """Give all that are remembered, those in force included, by source, oldest first."""


@dataclass(slots=True)
class MemoryLedger:
    """The ledger of a dry run: gone with the process, bounded by number of sources."""

    _intended: dict[str, Ban] = field(default_factory=dict)
    _in_force: dict[str, Ban] = field(default_factory=dict)
    _history: dict[Source, tuple[PastBan, ...]] = field(default_factory=dict)

    def intend(self, ban: Ban) -> None:
        """Remember that a ban is about to be installed."""
        self._intended[ban.ban_id] = ban

    def settle(self, ban: Ban, *, applied: bool) -> None:
        """Remember whether the firewall, read back, holds it."""
        self._intended.pop(ban.ban_id, None)
        if not applied or ban.ban_id in self._in_force:
            return
        self._in_force[ban.ban_id] = ban
        past = (*self._history.pop(ban.source, ()), PastBan(began=ban.begins, ended=ban.until))
        self._history[ban.source] = past[-REMEMBERED_BANS:]
        while len(self._history) > REMEMBERED_SOURCES:
            del self._history[next(iter(self._history))]

    def end(self, ban: Ban, at: datetime) -> None:
        """Remember that a ban is over."""
        if self._in_force.pop(ban.ban_id, None) is None:
            return
        past = self._history.get(ban.source, ())
        self._history[ban.source] = tuple(
            PastBan(began=one.began, ended=min(one.ended, at)) if one.began == ban.begins else one
            for one in past
        )

    def in_force(self) -> tuple[Ban, ...]:
        """Give the bans that were applied and have not ended, in the order they came."""
        return tuple(self._in_force.values())

    def history(self) -> History:
        """Give all that are remembered, those in force included, by source, oldest first."""
        return MappingProxyType(dict(self._history))
