"""``abuse-agent unban``: end a ban before its time."""

import click

from agent.cli import deeds
from agent.cli.examples import examples
from agent.cli.options import SourceType, as_json, where, where_options
from agent.cli.pardon import show_pardon
from agent.model.address import Source


@click.command(
    epilog=examples(
        ("abuse-agent unban 198.51.100.7", "let it in, and leave it alone for 30 minutes"),
    )
)
@click.argument("source", type=SourceType(is_any_width=True))
@where_options
@as_json
def unban(
    *,
    source: Source,
    paths: tuple[str, ...],
    firewall: str | None,
    state_dir: str,
    is_json: bool,
) -> None:
    """Lift the bans of SOURCE, and keep it free for 30 minutes.

    An address on a banned IPv6 /64 frees that line; one inside a wider ban passes alone.
    """
    deed, pardon = deeds.unban(where(paths, firewall, state_dir), source)
    if is_json:
        show_pardon(source, pardon)
    else:
        deed.print()
