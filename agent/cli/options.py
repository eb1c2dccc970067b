"""Options and arguments that several commands share."""

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.desk.site import Where
from agent.model.address import Source
from agent.policy import names, scalars
from agent.policy.fields import LONGEST
from agent.policy.scalars import Misfit
from agent.record.events import Event
from agent.record.text import sentence_of
from agent.service import clock

F = TypeVar("F", bound=Callable[..., Any])

STATE_DIR = "/var/lib/abuse-agent"
FIREWALLS = ("auto", "iptables", "nftables")

_WIDEST = {4: 16, 6: 32}


class SourceType(click.ParamType[Source]):
    """An address or a prefix, as a policy writes it."""

    name = "source"

    def __init__(self, *, is_any_width: bool = False) -> None:
        self._is_any_width = is_any_width

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Source:
        """Read it; what is no source, or too wide, is a usage error."""
        try:
            prefix = names.prefix(value)
        except Misfit as misfit:
            hint = f": {misfit}" if str(misfit) else ""
            self.fail(f"{value!r} is no address and no prefix{hint}", param, ctx)
        widest = _WIDEST[prefix.version]
        if prefix.prefixlen < widest and not self._is_any_width:
            self.fail(f"{prefix} is too wide: at most a /{widest}", param, ctx)
        return Source(prefix)


class LengthType(click.ParamType[timedelta]):
    """A duration, as a policy writes it."""

    name = "duration"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it; what is no duration, or too long for a kernel's timer, is a usage error."""
        try:
            return scalars.duration("1s", LONGEST)(value)
        except Misfit:
            self.fail(f"{value!r} is no duration of 1s to {LONGEST}, as 10m or 1h30m", param, ctx)


def where_options(command: F) -> F:
    """Add ``--policy``, ``--firewall`` and ``--state-dir``; the command is given a `Where`."""
    for option in (
        click.option("--state-dir", metavar="DIR", default=STATE_DIR, show_default=True),
        click.option(
            "--firewall",
            type=click.Choice(FIREWALLS),
            help="[default: the running agent's, else auto]",
        ),
        click.option(
            "--policy",
            "paths",
            metavar="PATH",
            multiple=True,
            help="[default: the running agent's, else as run]",
        ),
    ):
        command = option(command)
    return command


as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


def where(paths: tuple[str, ...], firewall: str | None, state_dir: str) -> Where:
    """Give where a command looks, at this moment."""
    return Where(
        folder=Path(state_dir),
        paths=paths,
        firewall=firewall,
        now=clock.now(),
        stopwatch=clock.stopwatch,
        boot_id=clock.boot_id(),
    )


def show(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2))


def tell(news: Iterable[Event], *, is_json: bool) -> None:
    """Print what happened: events as JSON lines, or a sentence each; plans are left out."""
    for event in news:
        if event.name == "ban.planned":
            continue
        fields = {"event": event.name, "mode": "live", **event.fields}
        click.echo(json.dumps(fields) if is_json else sentence_of(fields))
