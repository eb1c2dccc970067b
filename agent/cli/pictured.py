"""What ``abuse-agent top --once`` prints: one moment as text, or as JSON with stable keys."""

from collections.abc import Iterator, Mapping
from textwrap import wrap

from agent.cli.bans import fields_of as ban_fields
from agent.cli.bans import row_of as ban_row
from agent.cli.status import NOT_RUNNING, agent_fields, last_cycle
from agent.cli.table import fitted
from agent.desk.top.values import Nearness, Order, Picture, Row, View
from agent.model.ban import Ban
from agent.model.sample import State
from agent.policy.words import listed
from agent.record.events import Json, prefix_text, rfc3339
from agent.record.phrases import counted, duration, moment_text, printable

_HEAD = ("SOURCE", "SOCKETS", "LIMIT", "OF RULE", "BAN", "SERVICES", "WHO", "STATES")
_LIMIT, _STATES = _HEAD.index("LIMIT"), _HEAD.index("STATES")
_NUMBERS = frozenset({_HEAD.index("SOCKETS"), _LIMIT})
_BANS = ("SOURCE", "KEPT FROM", "LEFT", "WHY")

_NARROWEST = 40
_WIDE = 100
"""A terminal of so many columns has room for the states as well."""

_BY = {
    Order.SOCKETS: ", by sockets",
    Order.LIMIT: ", nearest to a limit first",
    Order.ADDRESS: ", by address",
}


def fields_of(picture: Picture, view: View) -> dict[str, Json]:
    """Give all of it."""
    now, agent, bans = picture.now, picture.agent, picture.bans
    return {
        "at": rfc3339(now),
        "view": {
            "sort": view.order.value,
            "states": sorted(state.name for state in view.states),
            "service": view.service or None,
            "prefix": prefix_text(view.prefix) if view.prefix else None,
            "most": view.most,
        },
        "sockets": picture.sockets,
        "states": _by_name(picture.states),
        "sources": picture.sources,
        "matching": picture.matching,
        "rows": [_row_fields(row, picture) for row in picture.rows],
        "bans": None if bans is None else [ban_fields(ban, now) for ban in bans],
        "agent": None if agent is None else agent_fields(agent),
        "services": picture.services,
        "unread": dict(picture.unread),
    }


def _row_fields(row: Row, picture: Picture) -> dict[str, Json]:
    near = row.nearest
    return {
        "source": str(row.source),
        "sockets": row.sockets,
        "states": _by_name(row.states),
        "services": dict(row.services),
        "who": row.who or None,
        "is_spared": row.is_spared,
        "nearest": None if near is None else _near_fields(near),
        "ban": None if row.ban is None else ban_fields(row.ban, picture.now),
    }


def _near_fields(near: Nearness) -> dict[str, Json]:
    return {
        "rule": near.rule,
        "judged": str(near.judged),
        "count": near.count,
        "limit": near.limit,
        "share": round(near.share, 6),
        "is_watched_only": near.is_watched_only,
    }


def _by_name(states: Mapping[State, int]) -> dict[str, Json]:
    return {state.name: count for state, count in states.items()}


def lines_of(picture: Picture, view: View, columns: int) -> Iterator[str]:
    """Write it in lines of so many columns.

    Args:
        picture: The moment.
        view: What was asked for.
        columns: Of the terminal; 40 where it has fewer.
    """
    columns = max(columns, _NARROWEST)
    yield f"at       {moment_text(picture.now)}"
    yield from _labelled("sockets", _totals(picture), columns)
    yield from _labelled("agent", _agent(picture), columns)
    for why, what in _unread(picture).items():
        yield from _labelled("unread", f"{listed(what)}: {printable(why)}", columns)
    yield ""
    yield from wrap(_matching(picture, view), columns)
    if picture.rows:
        yield from fitted(_table(picture, columns), columns, whole=_LIMIT + 1, right=_NUMBERS)
    yield ""
    yield from _bans(picture, view, columns)


def _labelled(label: str, text: str, columns: int) -> Iterator[str]:
    first, rest = f"{label:<9}", " " * 9
    yield from wrap(text, columns, initial_indent=first, subsequent_indent=rest)


def _unread(picture: Picture) -> dict[str, list[str]]:
    """Give what could not be had by the reason, which may be the same of several."""
    reasons: dict[str, list[str]] = {}
    for what, why in sorted(picture.unread.items()):
        reasons.setdefault(why, []).append(what)
    return reasons


def _totals(picture: Picture) -> str:
    most = sorted(picture.states.items(), key=lambda one: (-one[1], one[0]))
    states = ", ".join(f"{state.name} {count}" for state, count in most)
    return f"{picture.sockets}{f': {states}' if states else ''}"


def _agent(picture: Picture) -> str:
    agent = picture.agent
    if agent is None:
        return "whether one runs can't be told" if "state" in picture.unread else NOT_RUNNING
    if not agent.version:
        return f"pid {agent.pid}; the rest of it can't be told"
    cycle = last_cycle(agent, picture.now)
    return f"{agent.version}, pid {agent.pid}, firewall {agent.firewall}, cycle {cycle}"


def _matching(picture: Picture, view: View) -> str:
    """Say how many sources were asked for, and which of them come first."""
    asked = (
        f"in {listed((one.name for one in sorted(view.states)), 'or')}" if view.states else "",
        f"to {view.service}" if view.service else "",
    )
    sockets = " ".join(one for one in asked if one)
    of_all = "" if picture.matching == picture.sources else f" of {picture.sources}"
    inside = f" in {prefix_text(view.prefix)}" if view.prefix else ""
    shown = len(picture.rows)
    first = f", the first {shown}" if shown < picture.matching else ""
    return (
        f"{counted(picture.matching, 'source')}{of_all}{inside}"
        f"{f' with sockets {sockets}' if sockets else ''}{first}{_BY[view.order]}"
    )


def _table(picture: Picture, columns: int) -> list[tuple[str, ...]]:
    """Give the cells of all rows under their heads; what nobody has is left out."""
    rows = [_cells(row, picture) for row in picture.rows]
    told = [
        at
        for at in range(len(_HEAD) if columns >= _WIDE else _STATES)
        if at <= _LIMIT or any(row[at] != "-" for row in rows)
    ]
    return [tuple(row[at] for at in told) for row in (_HEAD, *rows)]


def _cells(row: Row, picture: Picture) -> tuple[str, ...]:
    return (
        str(row.source),
        str(row.sockets),
        *_limit(row),
        _ban(row.ban, picture),
        _parts(row.services),
        row.who or "-",
        _parts(_by_name(row.states)),
    )


def _limit(row: Row) -> tuple[str, str]:
    near = row.nearest
    if near is None:
        return ("spared" if row.is_spared else "-"), "-"
    judged = "" if near.judged == row.source else f" of {near.judged}"
    return percent(near), f"{near.rule}{judged}{', watched' if near.is_watched_only else ''}"


def percent(near: Nearness) -> str:
    """Write how near a limit is: 100% is at it, and what is above it is at least 101%."""
    part, is_more = divmod(near.count * 100, near.limit)
    return f"{part + bool(is_more and near.count > near.limit)}%"


def _ban(ban: Ban | None, picture: Picture) -> str:
    if ban is None:
        return "?" if picture.bans is None else "-"
    return f"{ban.answer.value} {duration(round(ban.rest(picture.now).total_seconds()))}"


def _parts(counts: Mapping[str, Json]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _bans(picture: Picture, view: View, columns: int) -> Iterator[str]:
    if picture.bans is None:
        yield "bans can't be told"
        return
    if not picture.bans:
        yield "no bans in force"
        return
    told = picture.bans[: view.most]
    first = f", the first {len(told)}" if len(told) < len(picture.bans) else ""
    yield f"{counted(len(picture.bans), 'ban')} in force{first}"
    rows = [_BANS, *(tuple(map(printable, _ban_cells(ban, picture))) for ban in told)]
    yield from fitted(rows, columns, whole=1, right=frozenset())


def _ban_cells(ban: Ban, picture: Picture) -> tuple[str, ...]:
    source, done, left, _, why = ban_row(ban, picture.now)
    return source, done, left, why
