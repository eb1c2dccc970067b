"""``abuse-agent bans``: who is kept out, and for how long."""

from datetime import datetime

import click

from agent.cli.options import STATE_DIR, as_json, show, where
from agent.desk import listing
from agent.model.ban import Ban
from agent.model.policy import Scope
from agent.record.ban_events import ban_fields
from agent.record.text import duration


@click.command()
@click.option("--state-dir", metavar="DIR", default=STATE_DIR, show_default=True)
@as_json
def bans(*, state_dir: str, is_json: bool) -> None:
    """List the bans in force, the longest to go first."""
    place = where((), None, state_dir)
    found = listing.bans(place)
    if is_json:
        show([{**ban_fields(ban), "left_s": _left_s(ban, place.now)} for ban in found])
        return
    rows = [_row(ban, place.now) for ban in found]
    if not rows:
        click.echo("no bans in force")
        return
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    for row in rows:
        head = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        click.echo(f"{head}  {row[-1]}")


def _row(ban: Ban, now: datetime) -> tuple[str, ...]:
    """Give source, what it is kept from, what is left, id, and why."""
    name = ban.service.name if ban.service else ""
    where_from = name if ban.scope is Scope.SERVICE else "host"
    done = f"{ban.answer.value} {where_from}"
    left = duration(round(_left_s(ban, now)))
    return str(ban.source), done, left, ban.ban_id, "; ".join(ban.reasons)


def _left_s(ban: Ban, now: datetime) -> float:
    return round(ban.rest(now).total_seconds(), 3)
