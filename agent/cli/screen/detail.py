"""All that is known of the chosen one, in a few lines: what a narrow table has no room for."""

from datetime import datetime

from agent.cli.bans import kept_from, left_of
from agent.cli.screen.cells import in_full, services
from agent.cli.screen.ink import Ink, Piece, wrapped
from agent.cli.screen.showing import Pane, Showing
from agent.desk.top.values import Row
from agent.model.ban import Ban
from agent.record.phrases import counted


def detail(showing: Showing, width: int, lines: int) -> list[list[Piece]]:
    """Give so many lines about the chosen one."""
    told = wrapped(_told(showing), width, lines)
    return [[(line, Ink.PLAIN)] for line in told] + [[] for _ in range(lines - len(told))]


def _told(showing: Showing) -> str:
    picture = showing.picture
    if picture is None or showing.chosen is None:
        return ""
    row = showing.chosen_row
    if showing.pane is Pane.BANS:
        ban = showing.chosen_ban
        who = f" ({row.who})" if row and row.who else ""
        return f"{showing.chosen}{who}: {_ban(ban, picture.now)}" if ban else ""
    if row is None:
        return f"{showing.chosen}: not among those shown now"
    return _row(row, picture.now)


def _row(row: Row, now: datetime) -> str:
    states = ", ".join(f"{state.name} {count}" for state, count in row.states.items())
    who = f" ({row.who})" if row.who else ""
    parts = [f"{row.source}{who}: {counted(row.sockets, 'socket')}: {states}; {services(row)}"]
    near = row.nearest
    if near is not None:
        whose = f" of {near.judged}" if near.judged != row.source else ""
        parts.append(f"{in_full(near)}{whose}")
    if row.is_spared:
        parts.append("no ban may reach it")
    if row.ban is not None:
        parts.append(_ban(row.ban, now))
    return "; ".join(parts)


def _ban(ban: Ban, now: datetime) -> str:
    return f"banned ({kept_from(ban)}, {left_of(ban, now)} left): {'; '.join(ban.reasons)}"
