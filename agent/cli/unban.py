"""``abuse-agent unban``: end a ban before its time."""

import click

from agent.cli.examples import examples
from agent.cli.options import SourceType, as_json, where, where_options
from agent.cli.output import say, tell
from agent.cli.pardon import NOBODY_ENDS_IT, show_pardon
from agent.desk import by_hand
from agent.desk.by_hand import GRACE
from agent.desk.site import open_site
from agent.model.address import Source
from agent.record.phrases import duration


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
    with open_site(where(paths, firewall, state_dir)) as site:
        pardon = by_hand.unban(site, source)
    if is_json:
        show_pardon(source, pardon)
        return
    tell(site.news, now=site.now, is_json=False)
    say(f"{source} stays free for {duration(GRACE.total_seconds())}")
    if site.agent is None:
        say(NOBODY_ENDS_IT)
