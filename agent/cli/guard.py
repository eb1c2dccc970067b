"""``abuse-agent guard``: who is never banned, whatever the policy says."""

import click

from agent.cli.options import STATE_DIR, as_json, show, where
from agent.desk import listing
from agent.record.events import prefix_text


@click.command()
@click.option("--state-dir", metavar="DIR", default=STATE_DIR, show_default=True)
@as_json
def guard(*, state_dir: str, is_json: bool) -> None:
    """List whom the agent never bans, whatever the policy says.

    That is what it found here, and whom you let pass; the policy's allowlist comes on top.
    """
    found = listing.guarded(where((), None, state_dir)).guards
    if is_json:
        show([{"prefix": prefix_text(one.prefix), "why": one.why} for one in found])
        return
    width = max((len(prefix_text(one.prefix)) for one in found), default=0)
    for one in found:
        click.echo(f"{prefix_text(one.prefix):<{width}}  {one.why}")
