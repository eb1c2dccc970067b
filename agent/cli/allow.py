"""``abuse-agent allow``: let a source pass for a while."""

from datetime import timedelta

import click

from agent.cli import deeds
from agent.cli.examples import examples
from agent.cli.options import LengthType, SourceType, as_json, where, where_options
from agent.cli.pardon import show_pardon
from agent.model.address import Source


@click.command(
    epilog=examples(
        ("abuse-agent allow 203.0.113.0/24 --for 2h", "let a whole office pass"),
    )
)
@click.argument("source", type=SourceType())
@click.option("--for", "lasts", type=LengthType(), required=True, help="For how long, as 2h or 7d.")
@where_options
@as_json
def allow(  # noqa: PLR0913 - one argument an option
    *,
    source: Source,
    lasts: timedelta,
    paths: tuple[str, ...],
    firewall: str | None,
    state_dir: str,
    is_json: bool,
) -> None:
    """Let SOURCE pass for a while, whatever it does.

    Its bans are lifted, and it is banned by no rule until the time is over. For good it
    belongs on the policy's allowlist.
    """
    deed, pardon = deeds.allow(where(paths, firewall, state_dir), source, lasts)
    if is_json:
        show_pardon(source, pardon)
    else:
        deed.print()
