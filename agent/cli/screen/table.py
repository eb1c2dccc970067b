"""The busiest sources, a line each."""

from collections.abc import Sequence
from datetime import datetime

from agent.cli.bans import left_of
from agent.cli.screen.cells import in_full, is_above, is_near, main_service, services, share
from agent.cli.screen.ink import Ink, Piece, left, right
from agent.cli.screen.marks import Marks
from agent.cli.screen.room import BAR, LEFT, MARK, SOCKETS, Room
from agent.desk.top.values import Order, Row

CHOSEN = ">"
BANNED = "x"
ABOVE = "!"
SPARED = "spared"

_SHORT_BAR = 4
_SORTED = {Order.SOCKETS: "SOCKETS", Order.LIMIT: "LIMIT", Order.ADDRESS: "SOURCE"}


def title(room: Room, order: Order) -> list[Piece]:
    """Give the line above them; what they are sorted by is marked."""
    gap = " " * room.gap
    by = _SORTED[order]
    cells = [left("SOURCE", room.source), right("SOCKETS", SOCKETS)]
    cells += [right(name, width) for name, width in room.states.items()]
    bar = BAR + 1 if room.bar else 0
    for name, width in (
        ("LIMIT", room.limit + bar if room.limit else 0),
        ("BANNED", room.left),
        ("SERVICE", room.service),
        ("WHO", room.who),
    ):
        cells += [left(name, width)] if width else []
    pieces: list[Piece] = [(" " * MARK, Ink.HEAD)]
    for cell in cells:
        is_by = cell.strip() == by
        pieces += [(cell, Ink.CHOSEN if is_by else Ink.HEAD), (gap, Ink.HEAD)]
    return pieces


def line_of(row: Row, room: Room, now: datetime, marks: Marks, *, is_chosen: bool) -> list[Piece]:
    """Give the line of a source."""
    gap: Piece = (" " * room.gap, Ink.PLAIN)
    cells: list[Sequence[Piece]] = [
        [(left(str(row.source), room.source), Ink.STRONG)],
        [(_number(row.sockets, SOCKETS), Ink.PLAIN)],
        *([(cell, Ink.PLAIN)] for cell in _counts(row, room)),
    ]
    if room.limit:
        cells.append(_limit(row, room, marks))
    if room.left:
        # An ink of its own under no text would be a block of colour where it is reversed.
        time = (left_of(row.ban, now), Ink.BAD) if row.ban else ("", Ink.PLAIN)
        cells.append([(left(time[0], LEFT), time[1])])
    if room.service:
        text = services(row) if room.has_all else main_service(row)
        cells.append([(left(text, room.service), Ink.PLAIN)])
    if room.who:
        cells.append([(left(row.who, room.who), Ink.PLAIN)])
    line: list[Piece] = [(CHOSEN if is_chosen else " ", Ink.STRONG), _mark(row)]
    for number, cell in enumerate(cells):
        line += [gap, *cell] if number else cell
    return line


def _mark(row: Row) -> Piece:
    """Give what stands out at a glance: banned, or above a limit that bans."""
    if row.ban is not None:
        return (BANNED, Ink.BAD)
    return (ABOVE, Ink.BAD) if is_above(row) else (" ", Ink.PLAIN)


def _counts(row: Row, room: Room) -> list[str]:
    told = [sum(row.states.get(one, 0) for one in states) for states in room.split.values()]
    counts = [*told, row.sockets - sum(told)]
    return [
        _number(count, width) for count, width in zip(counts, room.states.values(), strict=False)
    ]


def _number(count: int, width: int) -> str:
    """Give a count; one that has no room in thousands."""
    text = str(count)
    return right(text if len(text) <= width else f"{count // 1000}k", width)


def _limit(row: Row, room: Room, marks: Marks) -> list[Piece]:
    near = row.nearest
    bar = BAR if room.bar else 0
    if near is None:
        text = SPARED if row.is_spared else ""
        return [(left(text, room.limit + (bar + 1 if bar else 0)), Ink.PLAIN)]
    ink = Ink.BAD if is_above(row) else Ink.STRONG if is_near(row) else Ink.PLAIN
    if not room.is_full:
        told = f"~{share(near)}" if near.is_watched_only else share(near)
        return [(f"{told:>5} {marks.bar(near.share, _SHORT_BAR)}", ink)]
    named: list[Piece] = [(left(in_full(near), room.limit), ink)]
    return [*named, (f" {marks.bar(near.share, bar)}", ink)] if bar else named
