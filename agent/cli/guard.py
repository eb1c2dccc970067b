"""``abuse-agent guard``: who is never banned."""

import click

from agent.cli.examples import examples
from agent.cli.options import as_json, at_state_dir, where
from agent.cli.output import say, show
from agent.desk import listing
from agent.desk.listing import Safe
from agent.model.address import Prefix
from agent.record.events import Json, prefix_text, rfc3339


@click.command(
    epilog=examples(
        ("abuse-agent guard", "who can be sure never to be banned?"),
    )
)
@at_state_dir
@as_json
def guard(*, state_dir: str, is_json: bool) -> None:
    """List whom the agent never bans.

    That is what it found here and whom you let pass, whatever the policy says, and what
    the policy calls infrastructure and exempts. Its other exemptions come on top.
    """
    found = listing.guarded(where((), None, state_dir))
    if is_json:
        show([_fields(one) for one in found])
        return
    width = max((len(_who(one.prefix)) for one in found), default=0)
    for one in found:
        only = f", for {', '.join(one.services)} only" if one.services else ""
        say(f"{_who(one.prefix):<{width}}  {one.why}{only}")


def _who(prefix: Prefix | None) -> str:
    return "-" if prefix is None else prefix_text(prefix)


def _fields(found: Safe) -> dict[str, Json]:
    entry = found.entry
    return {
        "prefix": None if found.prefix is None else prefix_text(found.prefix),
        "why": found.why,
        "until": None if found.until is None else rfc3339(found.until),
        "services": found.services or None,
        "allowlist": entry.name if entry else None,
        "declared_at": entry.declared_at if entry else None,
    }
