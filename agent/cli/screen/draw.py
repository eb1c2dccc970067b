"""The whole screen as lines: what has room in a given height, and where."""

from collections.abc import Iterator
from dataclasses import dataclass

from textual.strip import Strip

from agent.cli.screen.banned import ban_lines, is_lit
from agent.cli.screen.detail import detail
from agent.cli.screen.graphs import graphs
from agent.cli.screen.head import head
from agent.cli.screen.ink import Ink, Piece, flowing, strip_of, wrapped
from agent.cli.screen.keys import foot
from agent.cli.screen.marks import Marks
from agent.cli.screen.room import room_for
from agent.cli.screen.showing import Pane, Showing
from agent.cli.screen.table import line_of, title

_MOST_SAID = 3
_TALL, _TALLER = 36, 50
_LOW = 16
_HEAD = 3
"""Two lines at the top, and the titles of the columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heights:
    """How many lines each part has.

    Attributes:
        graphs: The graphs over time.
        detail: What is said of the chosen one.
        bans: The bans themselves, without their title.
    """

    graphs: int
    detail: int
    bans: int


def heights_of(height: int, bans: int) -> Heights:
    """Share a height out; a low screen has the sources, and little else.

    Args:
        height: In lines.
        bans: How many are in force.
    """
    if height < _LOW:
        return Heights(graphs=0, detail=1, bans=0)
    tall = 3 if height >= _TALLER else 2 if height >= _TALL else 1
    most = max(3, height // 5)
    return Heights(graphs=2 * tall, detail=tall + 1, bans=min(bans, most))


def draw(showing: Showing, width: int, height: int, marks: Marks) -> list[Strip]:
    """Draw the screen: just so many lines, each just so wide."""
    heights = heights_of(height, len(showing.in_force))
    below = _below(showing, width, heights)
    # The sources first: the lines above them tell which of them are in sight.
    room = max(1, height - _HEAD - heights.graphs - len(below))
    sources = list(_sources(showing, width, room, marks))
    lines = [*_above(showing, width, heights, marks), *sources, *below][:height]
    return lines + [strip_of((), width)] * (height - len(lines))


def _above(showing: Showing, width: int, heights: Heights, marks: Marks) -> list[Strip]:
    lines = head(showing, width)
    if heights.graphs:
        lines += graphs(showing, width, heights.graphs, marks)
    titles = title(room_for(showing.needs, width), showing.view.order)
    return [*(strip_of(line, width) for line in lines), strip_of(titles, width, Ink.HEAD)]


def _sources(showing: Showing, width: int, height: int, marks: Marks) -> Iterator[Strip]:
    """Draw the sources in just so many lines."""
    shown = showing.rows[showing.sources.show(height, showing.source_keys)]
    room = room_for(showing.needs, width)
    for row in shown:
        picture = showing.picture
        is_chosen = row.source == showing.sources.key and showing.pane is Pane.SOURCES
        if picture is not None:
            line = line_of(row, room, picture.now, marks, is_chosen=is_chosen)
            yield strip_of(line, width, Ink.CHOSEN if is_chosen else Ink.PLAIN)
    empty = height - len(shown)
    if empty and not shown and showing.picture:
        yield strip_of([("  no source holds a socket that is asked for", Ink.PLAIN)], width)
        empty -= 1
    yield from [strip_of((), width)] * empty


def _below(showing: Showing, width: int, heights: Heights) -> list[Strip]:
    plain = [*detail(showing, width, heights.detail)]
    bans = [*ban_lines(showing, width, heights.bans)] if heights.graphs else []
    lit = [False, *(is_lit(showing, ban) for ban in showing.in_force[showing.bans.first :])]
    rest = [*_said(showing, width), *flowing(foot(), width)]
    return [
        *(strip_of(line, width) for line in plain),
        *(
            strip_of(line, width, Ink.CHOSEN if is_it else Ink.PLAIN)
            for line, is_it in zip(bans, lit, strict=False)
        ),
        *(strip_of(line, width) for line in rest),
    ]


def _said(showing: Showing, width: int) -> list[list[Piece]]:
    """Give what was said last, else what could not be read."""
    picture = showing.picture
    text, ink = showing.said, Ink.BAD if showing.is_bad else Ink.GOOD
    if not text and showing.trouble:
        since = f"as of {picture.now:%H:%M:%S} UTC: " if picture else ""
        text, ink = f"{since}{showing.trouble}", Ink.BAD
    if not text and picture is not None:
        text, ink = picture.unread.get("policy", ""), Ink.BAD
    return [[(line, ink)] for line in wrapped(text, width, _MOST_SAID)] or [[]]
