"""``abuse-agent allow``: let a source pass for a while."""

from datetime import timedelta

import click

from agent.cli.examples import examples
from agent.cli.options import LengthType, SourceType, as_json, where, where_options
from agent.cli.output import say, tell
from agent.cli.pardon import NOBODY_ENDS_IT, show_pardon
from agent.desk import by_hand
from agent.desk.site import open_site
from agent.model.address import Source
from agent.record.phrases import duration


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
    with open_site(where(paths, firewall, state_dir)) as site:
        pardon = by_hand.allow(site, source, lasts)
    if is_json:
        show_pardon(source, pardon)
        return
    tell(site.news, now=site.now, is_json=False)
    say(f"{source} passes for {duration(lasts.total_seconds())}")
    if site.agent is None:
        say(NOBODY_ENDS_IT)
