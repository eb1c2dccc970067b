"""``abuse-agent allow``: let a source pass for a while."""

from datetime import timedelta

import click

from agent.cli.options import LengthType, SourceType, as_json, show, tell, where, where_options
from agent.desk import by_hand
from agent.desk.site import open_site
from agent.model.address import Source
from agent.record.events import rfc3339
from agent.record.text import duration


@click.command()
@click.argument("source", type=SourceType())
@click.option("--for", "lasts", type=LengthType(), required=True, help="For how long, as 2h.")
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

    Its bans are lifted. For good it belongs on the policy's allowlist.
    """
    with open_site(where(paths, firewall, state_dir)) as site:
        pardon = by_hand.allow(site, source, lasts)
    if is_json:
        lifted = [str(one) for one in pardon.lifted]
        show({"source": str(source), "until": rfc3339(pardon.until), "lifted": lifted})
        return
    tell(site.news, is_json=False)
    click.echo(f"{source} passes for {duration(lasts.total_seconds())}")
