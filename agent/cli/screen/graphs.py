"""The totals over time, each with its number."""

from collections.abc import Sequence

from agent.cli.screen.graph import graph
from agent.cli.screen.ink import Ink, Piece, left
from agent.cli.screen.marks import Marks
from agent.cli.screen.showing import Showing
from agent.model.sample import State

_STATES = (
    State.ESTABLISHED,
    State.SYN_RECV,
    State.TIME_WAIT,
    State.FIN_WAIT2,
    State.CLOSE_WAIT,
    State.FIN_WAIT1,
    State.LAST_ACK,
)
_TITLE, _NUMBER, _GAP = 11, 7, 2
_NARROWEST = 39


def graphs(showing: Showing, width: int, lines: int, marks: Marks) -> list[list[Piece]]:
    """Draw in so many lines as many totals as have room.

    Args:
        showing: What there is.
        width: In columns.
        lines: How many lines there are; two bands of graphs share them.
        marks: To draw with.
    """
    bands = 2 if lines > 1 else 1
    across = max(1, (width + _GAP) // (_NARROWEST + _GAP))
    each = (width - _GAP * (across - 1)) // across
    totals = _totals(showing)[: bands * across]
    drawn: list[list[Piece]] = []
    for band in range(bands):
        height = lines // bands
        of_band = totals[band * across : (band + 1) * across]
        boxes = [_box(title, values, each, height, marks) for title, values in of_band]
        for row in range(height):
            line: list[Piece] = []
            for box in boxes:
                line += [*box[row], (" " * _GAP, Ink.PLAIN)]
            drawn.append(line[:-1])
    return drawn


def _totals(showing: Showing) -> list[tuple[str, Sequence[int]]]:
    history = showing.history
    states = [(state.name, history.of(state)) for state in _STATES]
    first: list[tuple[str, Sequence[int]]] = [("sockets", history.sockets), *states[:3]]
    return [*first, ("sources", history.sources), *states[3:], ("bans", history.bans)]


def _box(
    title: str, values: Sequence[int], width: int, height: int, marks: Marks
) -> list[list[Piece]]:
    """Draw one total: its name and number beside the lowest line of its graph."""
    number = str(values[-1]) if values else "-"
    label: list[Piece] = [(left(title, _TITLE), Ink.PLAIN), (f"{number:>{_NUMBER}} ", Ink.STRONG)]
    room = width - _TITLE - _NUMBER - 1
    lines = graph(values, room, height, marks)
    blank: Piece = (" " * (_TITLE + _NUMBER + 1), Ink.PLAIN)
    rows: list[list[Piece]] = [[blank, (line, Ink.PLAIN)] for line in lines[:-1]]
    return [*rows, [*label, (lines[-1], Ink.PLAIN)]]
