"""``abuse-agent ban``: keep a source out, by hand."""

from datetime import timedelta

import click

from agent.cli import deeds
from agent.cli.deeds import LONGEST_REASON, Wish
from agent.cli.examples import examples
from agent.cli.options import LengthType, SourceType, as_json, where, where_options
from agent.model.address import Source
from agent.model.policy import Scope


def _reason(_context: click.Context, _param: click.Parameter, value: str) -> str:
    """Give the reason as one line."""
    reason = deeds.reason_of(value)
    if len(reason) > LONGEST_REASON:
        raise click.BadParameter(f"it has {len(reason)} characters: at most {LONGEST_REASON}")
    return reason


@click.command(
    epilog=examples(
        ("abuse-agent ban 198.51.100.7 --for 1h", "keep it out for an hour"),
        (
            "abuse-agent ban 2001:db8:7::/64 --for 1d --scope service --service web",
            "keep that line from web alone",
        ),
    )
)
@click.argument("source", type=SourceType())
@click.option(
    "--for", "lasts", type=LengthType(), required=True, help="For how long, as 10m or 1h30m."
)
@click.option(
    "--scope",
    type=click.Choice([one.value for one in Scope]),
    default=Scope.HOST.value,
    show_default=True,
    help="Keep it from the whole host (ssh stays open), or from services only.",
)
@click.option(
    "--service",
    "names",
    metavar="NAME",
    multiple=True,
    help="With --scope service: from this one; may be given again.  [default: all]",
)
@click.option(
    "--reason",
    default="",
    callback=_reason,
    help=f"For the records, at most {LONGEST_REASON} characters.",
)
@where_options
@as_json
def ban(  # noqa: PLR0913 - one argument an option
    *,
    source: Source,
    lasts: timedelta,
    scope: str,
    names: tuple[str, ...],
    reason: str,
    paths: tuple[str, ...],
    firewall: str | None,
    state_dir: str,
    is_json: bool,
) -> None:
    """Ban SOURCE, an address or a prefix, and close its connections.

    The kernel ends the ban, whether an agent runs or not. Who is guarded or exempt is
    not banned (exit status 1); that you let SOURCE itself pass before does not count.
    A prefix may be as wide as /16, or an IPv6 /32.
    """
    if names and scope != Scope.SERVICE:
        raise click.UsageError("--service goes with --scope service")
    wish = Wish(source=source, scope=Scope(scope), names=names, lasts=lasts, reason=reason)
    # Out of the lock: whoever reads this slowly must not keep the agent waiting.
    deeds.ban(where(paths, firewall, state_dir), wish).print(is_json=is_json)
