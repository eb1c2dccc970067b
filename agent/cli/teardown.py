"""``abuse-agent teardown``: remove all that is ours from the firewall."""

import click

from agent.cli.examples import examples
from agent.cli.options import as_json, at_state_dir, where
from agent.cli.output import say, show
from agent.desk import teardown as desk


@click.command(
    epilog=examples(
        ("systemctl stop abuse-agent && abuse-agent teardown", "leave nothing in the firewall"),
    )
)
@at_state_dir
@as_json
def teardown(*, state_dir: str, is_json: bool) -> None:
    """Remove all rules and sets of ours, and end all bans.

    The agent has to be stopped before. The ledger keeps its history; remove the state
    directory to forget that as well.
    """
    found = desk.teardown(where((), None, state_dir))
    if is_json:
        show({"removed": found.names, "bans_ended": found.bans, "notes": found.notes})
        return
    for name in found.names:
        say(f"removed {name}")
    say(f"bans ended: {found.bans}" if found.names or found.bans else "nothing was there")
    for note in found.notes:
        say(f"note: {note}")
