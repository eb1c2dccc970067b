"""The bans in force, a line each."""

from datetime import datetime

from agent.cli.bans import kept_from, left_of
from agent.cli.screen.ink import Ink, Piece, cut, left, width_of
from agent.cli.screen.showing import Pane, Showing
from agent.cli.screen.table import CHOSEN
from agent.model.ban import Ban

_LEFT = 8
_NARROWEST_SOURCE = 15


def ban_lines(showing: Showing, width: int, lines: int) -> list[list[Piece]]:
    """Give a title and so many bans."""
    picture = showing.picture
    if picture is None:
        return [[]]
    bans = showing.in_force
    shown = showing.bans.show(lines, showing.ban_keys)
    sources = max([_NARROWEST_SOURCE, *(width_of(str(ban.source)) for ban in bans[shown])])
    froms = max([len("drop host"), *(width_of(kept_from(ban)) for ban in bans[shown])])
    told = [
        _line(ban, picture.now, (sources, froms, width), is_chosen=is_lit(showing, ban))
        for ban in bans[shown]
    ]
    return [[(left(_title(showing, lines), width), Ink.HEAD)], *told]


def is_lit(showing: Showing, ban: Ban) -> bool:
    """Whether a ban's line is the one that keys are about."""
    return showing.pane is Pane.BANS and ban.ban_id == showing.bans.key


def _title(showing: Showing, lines: int) -> str:
    picture = showing.picture
    if picture is None or picture.bans is None:
        why = picture.unread.get("state", "") if picture else ""
        return f"  BANS: {why}"
    if not picture.bans:
        return "  BANS: none in force"
    more = len(picture.bans) - lines
    rest = f", {more} more below" if more > 0 else ""
    return f"  BANS: {len(picture.bans)} in force: Tab goes there{rest}"


def _line(ban: Ban, now: datetime, widths: tuple[int, int, int], *, is_chosen: bool) -> list[Piece]:
    sources, froms, width = widths
    reason = cut("; ".join(ban.reasons), width - sources - froms - _LEFT - 7)
    return [
        (f"{CHOSEN if is_chosen else ' '} ", Ink.STRONG),
        (f"{left(str(ban.source), sources)}  ", Ink.STRONG),
        (f"{left(left_of(ban, now), _LEFT)} {left(kept_from(ban), froms)}  ", Ink.PLAIN),
        (reason, Ink.PLAIN),
    ]
