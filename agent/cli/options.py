"""Options and arguments that several commands share."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from agent.cli.output import show
from agent.desk.by_hand import Pardon
from agent.desk.site import Where
from agent.model.address import WIDEST, Source
from agent.policy import names, scalars
from agent.policy.fields import LONGEST
from agent.policy.scalars import Misfit
from agent.record.events import rfc3339
from agent.service import clock

F = TypeVar("F", bound=Callable[..., Any])

STATE_DIR = "/var/lib/abuse-agent"
FIREWALLS = ("auto", "iptables", "nftables")

NOBODY_ENDS_IT = "no agent is running: in the firewall this ends when one starts, or with a command"
"""A ban has its timer in the kernel; that somebody passes has not."""


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


def show_pardon(source: Source, pardon: Pardon) -> None:
    """Print as JSON whom a person let go, which bans that lifted, and until when it holds."""
    lifted = [str(one) for one in pardon.lifted]
    show({"source": str(source), "lifted": lifted, "until": rfc3339(pardon.until)})
