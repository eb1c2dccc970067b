"""``abuse-agent sets``: make what saved iptables rules refer to, before they are restored."""

from pathlib import Path

import click

from agent.act.command import find
from agent.act.ipset import sets as ipset_sets
from agent.act.saved import names_saved
from agent.cli.output import say


@click.command()
def sets() -> None:
    """Create the empty sets that saved iptables rules name.

    For the start of the machine, by abuse-agent-sets.service: without the sets,
    iptables-restore refuses a saved file as a whole. Without ipset or such files there
    is nothing to do.
    """
    saved = names_saved(Path("/"))
    names = sorted({name for each in saved.values() for name in each})
    if not names or find("ipset") is None:
        say("nothing to do: no saved rules name sets of ours" if not names else "no ipset")
        return
    made = ipset_sets.create(names)
    say(f"{len(made)} made, {len(names) - len(made)} were there: {', '.join(names)}")
