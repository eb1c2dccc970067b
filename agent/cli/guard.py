"""``abuse-agent guard``: who is never banned, whatever the policy says."""

import click

from agent.cli.options import STATE_DIR, as_json, where
from agent.cli.output import say, show
from agent.desk import listing
from agent.model.inputs import Guard
from agent.record.events import Json, prefix_text, rfc3339


@click.command()
@click.option("--state-dir", metavar="DIR", default=STATE_DIR, show_default=True)
@as_json
def guard(*, state_dir: str, is_json: bool) -> None:
    """List whom the agent never bans, whatever the policy says.

    That is what it found here, and whom you let pass; the policy's allowlist comes on top.
    """
    found = listing.guarded(where((), None, state_dir)).guards
    if is_json:
        show([_fields(one) for one in found])
        return
    width = max((len(prefix_text(one.prefix)) for one in found), default=0)
    for one in found:
        say(f"{prefix_text(one.prefix):<{width}}  {one.why}")


def _fields(found: Guard) -> dict[str, Json]:
    until = None if found.until is None else rfc3339(found.until)
    return {"prefix": prefix_text(found.prefix), "why": found.why, "until": until}
