"""Options and arguments that several commands share."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.desk.replay.recordings import Span
from agent.desk.where import Where
from agent.model.address import WIDEST, Source
from agent.policy import names, scalars
from agent.policy.fields import LONGEST
from agent.policy.scalars import Misfit
from agent.record.phrases import duration
from agent.service import clock

F = TypeVar("F", bound=Callable[..., Any])

STATE_DIR = "/var/lib/abuse-agent"
FIREWALLS = ("auto", "iptables", "nftables")


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
            self.fail(f"{value!r} is {_what_instead(value, misfit)}", param, ctx)
        widest = WIDEST[prefix.version]
        if prefix.prefixlen < widest and not self._is_any_width:
            self.fail(f"{prefix} is too wide: at most a /{widest}", param, ctx)
        return Source(prefix)


def _what_instead(value: str, misfit: Misfit) -> str:
    address = value.partition("/")[0]
    if any(map(str.isalpha, address)) and not set(":%") & set(address):
        return "a name; give an address"
    return "no address and no prefix" + (f": {misfit}" if str(misfit) else "")


class LengthType(click.ParamType[timedelta]):
    """A duration, as a policy writes it; by default no longer than a kernel's timer."""

    name = "duration"

    def __init__(self, longest: str = LONGEST, shortest: str = "1s") -> None:
        self._longest = longest
        self._shortest = shortest

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it; what is no duration, or too long, is a usage error."""
        try:
            return scalars.duration(self._shortest, self._longest)(value)
        except Misfit:
            room = f"{self._shortest} to {self._longest}"
            self.fail(f"{value!r} is no duration of {room}, as 10m or 1h30m", param, ctx)


AGO = LengthType("400d")
"""A tape is kept for a year at most."""


at_state_dir = click.option(
    "--state-dir",
    metavar="DIR",
    default=STATE_DIR,
    show_default=True,
    help="The agent's state directory, with its ledger, its tape and its policy.",
)


def where_options(command: F) -> F:
    """Add ``--policy``, ``--firewall`` and ``--state-dir``; the command is given a `Where`."""
    for option in (
        at_state_dir,
        click.option(
            "--firewall",
            type=click.Choice(FIREWALLS),
            help="The firewall that has the bans.  [default: the running agent's, else auto]",
        ),
        click.option(
            "--policy",
            "paths",
            metavar="PATH",
            multiple=True,
            help="A policy file, or a folder of them; may be given again.  [default: the "
            "running agent's, else as for run]",
        ),
    ):
        command = option(command)
    return command


tape_option = click.option(
    "--tape",
    metavar="DIR",
    help="The folder of the tape.  [default: tape in the state directory]",
)


def tape_options(command: F) -> F:
    """Add ``--since``, ``--until``, ``--tape`` and ``--state-dir``, by which a tape is found."""
    for option in (
        at_state_dir,
        tape_option,
        click.option("--until", type=AGO, metavar="AGO", help="End so long ago.  [default: now]"),
        click.option(
            "--since",
            type=AGO,
            metavar="AGO",
            help="Begin so long ago, as 24h.  [default: with the tape]",
        ),
    ):
        command = option(command)
    return command


def span_of(since: timedelta | None, until: timedelta | None, now: datetime) -> Span:
    """Give the part of a tape that a command was asked for.

    Raises:
        click.UsageError: It ends before it begins.
    """
    if since and until and until >= since:
        raise click.UsageError(
            f"--since {duration(since.total_seconds())} begins no earlier than "
            f"--until {duration(until.total_seconds())} ends: both say how long ago"
        )
    return Span(since=since, until=until, now=now)


as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON, for programs.")


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
