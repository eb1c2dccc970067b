"""Totals of the last moments, for small graphs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.desk.top.values import Picture
from agent.model.sample import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What was there at one moment.

    Attributes:
        at: Aware, UTC.
        sockets: All TCP sockets of this network namespace.
        states: These by state.
        sources: How many sources were on listening ports.
        bans: How many were in force; None where this user may not look.
    """

    at: datetime
    sockets: int
    states: Mapping[State, int]
    sources: int
    bans: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The newest moments, oldest first.

    Attributes:
        most: How many are kept.
        moments: Those.
    """

    most: int = 300
    moments: tuple[Totals, ...] = ()

    def then(self, picture: Picture) -> "History":
        """Give what it is with one more; a moment without its sockets is left out."""
        if "sockets" in picture.unread:
            return self
        bans = None if picture.bans is None else len(picture.bans)
        newest = Totals(
            at=picture.now,
            sockets=picture.sockets,
            states=picture.states,
            sources=picture.sources,
            bans=bans,
        )
        return History(most=self.most, moments=(*self.moments, newest)[-self.most :])

    def of(self, state: State) -> tuple[int, ...]:
        """Give how many sockets were in a state, moment by moment."""
        return tuple(one.states.get(state, 0) for one in self.moments)

    @property
    def sockets(self) -> tuple[int, ...]:
        """How many sockets there were, moment by moment."""
        return tuple(one.sockets for one in self.moments)

    @property
    def sources(self) -> tuple[int, ...]:
        """How many sources there were, moment by moment."""
        return tuple(one.sources for one in self.moments)

    @property
    def bans(self) -> tuple[int, ...]:
        """How many bans were in force, moment by moment; of those at which it could be told."""
        return tuple(one.bans for one in self.moments if one.bans is not None)
