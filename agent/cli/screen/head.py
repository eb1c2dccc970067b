"""The top of the screen: the machine, its agent, totals, and what is asked for."""

from datetime import datetime

from agent.cli.screen.ink import Ink, Line, Piece, cut, width_of
from agent.cli.screen.showing import Showing
from agent.cli.status import cycled_ago, is_late
from agent.desk.top.values import Picture, View
from agent.record.locks import Agent
from agent.record.phrases import counted, duration

FROZEN = "FROZEN"


def head(showing: Showing, width: int) -> list[list[Piece]]:
    """Give the lines at the top."""
    return [_who(showing, width), _totals(showing)]


def _who(showing: Showing, width: int) -> list[Piece]:
    picture = showing.picture
    pace: Piece = (f" every {duration(showing.every_s)}", Ink.PLAIN)
    if showing.is_frozen:
        pace = (f" {FROZEN}", Ink.CHOSEN)
    time = f"{picture.now:%H:%M:%S} UTC" if picture else ""
    ends: Line = ((time, Ink.STRONG), pace)
    begin: list[Piece] = [(f"{cut(showing.machine, 24)}  ", Ink.STRONG)]
    if picture is None:
        begin.append(("looking ...", Ink.PLAIN))
    elif picture.agent is None:
        begin.append(_nobody(showing))
    else:
        begin.append(_agent(picture.agent, picture.now))
    room = width - sum(width_of(text) for text, _ in ends) - width_of(begin[0][0]) - 1
    text, ink = begin.pop()
    shown = cut(text, room)
    return [*begin, (shown, ink), (" " * (room - width_of(shown) + 1), Ink.PLAIN), *ends]


def _nobody(showing: Showing) -> Piece:
    if showing.picture and "state" in showing.picture.unread:
        return ("whether an agent runs is not known", Ink.PLAIN)
    return ("NO AGENT is running: nobody new is banned", Ink.BAD)


def _agent(agent: Agent, now: datetime) -> Piece:
    if not agent.version:
        return (f"agent running, pid {agent.pid}", Ink.GOOD)
    if agent.cycled is None:
        return (f"agent live, {agent.firewall}, pid {agent.pid}, no cycle yet", Ink.GOOD)
    cycle = f"cycle {cycled_ago(agent.cycled, now)}"
    if is_late(agent, now):
        return (f"agent LATE: {cycle}, pid {agent.pid}", Ink.BAD)
    return (f"agent live, {agent.firewall}, pid {agent.pid}, {cycle}", Ink.GOOD)


def _totals(showing: Showing) -> list[Piece]:
    picture = showing.picture
    if picture is None:
        return []
    bans = "bans unknown" if picture.bans is None else f"{counted(len(picture.bans), 'ban')}"
    totals = f"{counted(picture.sockets, 'socket')}, {counted(picture.sources, 'source')}, {bans}"
    asked = asked_for(showing.view)
    place = _place(showing, picture)
    if not asked:
        return [(f"{totals}  {place}", Ink.PLAIN)]
    return [(f"only {asked}", Ink.STRONG), (f"  {place}  {totals}", Ink.PLAIN)]


def _place(showing: Showing, picture: Picture) -> str:
    """Say which sources are in sight, of how many that are asked for."""
    first, shown = showing.sources.first, len(picture.rows)
    last = min(shown, first + showing.sources.height)
    return f"{first + 1}-{last} of {picture.matching} shown" if last else "none shown"


def asked_for(view: View) -> str:
    """Say what a view leaves others out for; nothing where it asks for all."""
    states = ", ".join(state.name for state in sorted(view.states))
    prefix = f"in {view.prefix}" if view.prefix else ""
    return " ".join(one for one in (states, view.service, prefix) if one)
