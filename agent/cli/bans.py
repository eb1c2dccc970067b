"""``abuse-agent bans``: who is kept out, and for how long."""

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime

import click

from agent.cli.examples import examples
from agent.cli.options import as_json, at_state_dir, where
from agent.cli.output import say, show
from agent.desk import listing
from agent.model.ban import Ban
from agent.model.policy import Scope
from agent.record.ban_events import ban_fields
from agent.record.events import Json
from agent.record.phrases import duration, printable

_HEAD = ("SOURCE", "KEPT FROM", "LEFT", "ID", "WHY")
_CUT = "..."
_LEAST = 20
"""Of a reason stays, however narrow a terminal is."""


@click.command(
    epilog=examples(
        ("abuse-agent bans", "who is kept out, from what, how long, and why?"),
        ("abuse-agent bans --json", "the same for programs"),
    )
)
@at_state_dir
@as_json
def bans(*, state_dir: str, is_json: bool) -> None:
    """List the bans in force, the longest to go first.

    By the ledger, which the agent holds against the firewall; `abuse-agent verify` tells
    whether they agree.
    """
    place = where((), None, state_dir)
    found = listing.bans(place)
    if is_json:
        show([fields_of(ban, place.now) for ban in found])
        return
    if not found:
        say("no bans in force")
        return
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines_of([row_of(ban, place.now) for ban in found], columns):
        say(line)


def lines_of(rows: Sequence[tuple[str, ...]], columns: int | None) -> list[str]:
    """Write a table with a header; its last cells are cut at so many columns, None for never."""
    table = [_HEAD, *(tuple(map(printable, row)) for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)][:-1]
    used = sum(width + 2 for width in widths)
    room = None if columns is None else max(_LEAST, columns - used)
    return [
        "  ".join((*map(str.ljust, row, widths), _cut(row[-1], room)))  # ends with the shorter
        for row in table
    ]


def _cut(text: str, room: int | None) -> str:
    if room is None or len(text) <= room:
        return text
    return text[: room - len(_CUT)] + _CUT


def fields_of(ban: Ban, now: datetime) -> dict[str, Json]:
    """Give all of a ban, and how long it still holds."""
    return {**ban_fields(ban), "left_s": _left_s(ban, now)}


def row_of(ban: Ban, now: datetime) -> tuple[str, ...]:
    """Give source, what it is kept from, what is left, id, and why."""
    return (
        str(ban.source),
        kept_from(ban),
        left_of(ban, now),
        ban.ban_id,
        "; ".join(ban.reasons),
    )


def kept_from(ban: Ban) -> str:
    """Give what a ban keeps its source from, and how."""
    name = ban.service.name if ban.service else ""
    return f"{ban.answer.value} {name if ban.scope is Scope.SERVICE else 'host'}"


def left_of(ban: Ban, now: datetime) -> str:
    """Give how long a ban still lasts."""
    return duration(round(_left_s(ban, now)))


def _left_s(ban: Ban, now: datetime) -> float:
    return round(ban.rest(now).total_seconds(), 3)
