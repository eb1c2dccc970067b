"""Which columns of the sources have room in a width, and how wide they are. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace

from agent.cli.screen.cells import in_full, main_service, services
from agent.cli.screen.ink import width_of
from agent.desk.top.values import Row
from agent.model.sample import State

MARK = 2
"""Columns in front of each line: whether it is chosen, and how things stand."""

SOCKETS = 7
LEFT = 6
SHORT_LIMIT = 10
BAR = 8

_LONGEST_SHORT_SERVICE = 12
_SHORT_WHO = 6
_NARROWEST_STATE = 5
_WIDE_GAP_FROM = 100

Split = Mapping[str, frozenset[State]]
"""States that are counted together, by the title of their column; all others are the rest."""

FEW: Split = {"EST": frozenset({State.ESTABLISHED}), "SYN": frozenset({State.SYN_RECV})}
SOME: Split = {
    "EST": frozenset({State.ESTABLISHED}),
    "SYN_RECV": frozenset({State.SYN_RECV}),
    "TIME_WAIT": frozenset({State.TIME_WAIT}),
}
MANY: Split = {
    **SOME,
    "FIN_WAIT": frozenset({State.FIN_WAIT1, State.FIN_WAIT2}),
    "CLOSE_WAIT": frozenset({State.CLOSE_WAIT}),
}
REST = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """How wide columns would have to be for nothing in them to be cut."""

    source: int = 15
    service: int = 7
    services: int = 7
    limit: int = 5
    who: int = 3

    def or_more(self, other: "Needs") -> "Needs":
        """Give what is enough for both."""
        source, service, every, limit, who = map(max, astuple(self), astuple(other))
        return Needs(source=source, service=service, services=every, limit=limit, who=who)


def needs_of(rows: Iterable[Row]) -> Needs:
    """Give what these rows need."""
    needs = Needs()
    for row in rows:
        needs = needs.or_more(
            Needs(
                source=width_of(str(row.source)),
                service=width_of(main_service(row)),
                services=width_of(services(row)),
                limit=width_of(in_full(row.nearest)) if row.nearest else 0,
                who=width_of(row.who),
            )
        )
    return needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How wide columns are; one of width 0 is left out.

    Attributes:
        gap: Between two of them.
        source: Of the source.
        split: The states that are told.
        limit: Of the limit.
        is_full: Whether that names its rule.
        bar: Of the bar that stands behind it then.
        left: Of what is left of a ban.
        service: Of the services.
        has_all: Whether all of these are told.
        who: Of who it is.
    """

    gap: int
    source: int
    split: Split = field(default_factory=dict)
    limit: int = 0
    is_full: bool = False
    bar: int = 0
    left: int = 0
    service: int = 0
    has_all: bool = False
    who: int = 0

    @property
    def states(self) -> dict[str, int]:
        """The widths of the columns of states, by title."""
        titles = (*self.split, REST) if self.split else ()
        return {title: max(_NARROWEST_STATE, len(title)) for title in titles}

    @property
    def used(self) -> int:
        """The width of all of it."""
        limit = self.limit + (self.bar + 1 if self.bar else 0)
        behind = (*self.states.values(), limit, self.left, self.service, self.who)
        return (
            MARK + self.source + self.gap + SOCKETS + sum(self.gap + one for one in behind if one)
        )


def room_for(needs: Needs, width: int) -> Room:
    """Give the columns that have room, what matters most first; the last takes what is left."""
    room = Room(gap=1 if width < _WIDE_GAP_FROM else 2, source=needs.source)
    for better in _steps(needs):
        wider = better(room)
        if wider.used <= width:
            room = wider
    return replace(room, who=room.who + width - room.used) if room.who else room


def _steps(needs: Needs) -> Iterable[Callable[[Room], Room]]:
    service = min(needs.service, _LONGEST_SHORT_SERVICE)
    who = min(max(needs.who, len("WHO")), _SHORT_WHO)
    return (
        lambda room: replace(room, split=FEW),
        lambda room: replace(room, limit=SHORT_LIMIT),
        lambda room: replace(room, left=LEFT),
        lambda room: replace(room, service=service),
        lambda room: replace(room, who=who),
        lambda room: replace(room, limit=max(needs.limit, SHORT_LIMIT), is_full=True),
        lambda room: replace(room, service=needs.services, has_all=True),
        lambda room: replace(room, who=needs.who),
        lambda room: replace(room, split=SOME),
        lambda room: replace(room, bar=BAR if room.is_full else 0),
        lambda room: replace(room, split=MANY),
    )
