"""``abuse-agent import``: a policy out of a peer's configuration."""

from pathlib import Path

import click

from agent.cli.examples import examples
from agent.cli.output import say
from agent.desk.imports.importing import PEERS, imported
from agent.desk.imports.save import save


@click.command(
    "import",
    epilog=examples(
        ("abuse-agent import ddos-deflate", "what would its configuration be here?"),
        (
            "abuse-agent import csf /etc/csf --output my.yaml",
            "write it, and long lists as range files beside it",
        ),
    ),
)
@click.argument("peer", metavar="PEER", type=click.Choice(list(PEERS)))
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--output",
    metavar="FILE",
    help="Write the policy there.  [default: the standard output]",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def import_(peer: str, paths: tuple[str, ...], *, output: str | None, force: bool) -> None:
    """Give a policy out of the configuration of another tool.

    PEER is ddos-deflate, csf or fail2ban; PATH a folder or a file of it, the usual
    places if none is given. Nothing of it is run, changed or stopped. Each line that has no
    counterpart here is told in a comment, with its number. Needs to read the files and
    nothing more. Exit status: 66 nothing there, 65 not a configuration of PEER.
    """
    if force and output is None:
        raise click.UsageError("--force replaces the FILE of --output: give one")
    if output is not None and not (output and output.isprintable()):
        raise click.UsageError("--output needs the name of a file, of printable characters")
    target = None if output is None else Path(output)
    written = imported(peer, [Path(one) for one in paths], target)
    if target is not None:
        save(written, target, may_replace=force)
        say(f"{target}: written; next: abuse-agent check {target}", is_error=True)
    elif written.ranges:
        raise click.UsageError(
            "a list is too long to stand in a policy: give --output FILE, and it is written to "
            "a range file beside that"
        )
    else:
        say(written.text.removesuffix("\n"))
