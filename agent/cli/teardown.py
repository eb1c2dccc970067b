"""``abuse-agent teardown``: remove all that is ours from the firewall."""

import click

from agent.cli.options import STATE_DIR, where
from agent.desk import teardown as desk


@click.command()
@click.option("--state-dir", metavar="DIR", default=STATE_DIR, show_default=True)
def teardown(*, state_dir: str) -> None:
    """Remove all rules and sets of ours, and end all bans.

    The agent has to be stopped before. The ledger keeps its history; remove the state
    directory to forget that as well.
    """
    found = desk.teardown(where((), None, state_dir))
    for name in found.names:
        click.echo(f"removed {name}")
    click.echo(f"bans ended: {found.bans}" if found.names or found.bans else "nothing was there")
    for note in found.notes:
        click.echo(f"note: {note}")
