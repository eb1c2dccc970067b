"""``abuse-agent check``: are these policies right?"""

import click

from agent.policy import load_policy


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
def check(paths: tuple[str, ...]) -> None:
    """Read policies and tell everything that is wrong with them.

    PATH is a file or a folder; several are read as one policy. Needs no root and
    touches no firewall and no network. Exit status: 0 right, 78 wrong, 66 not there.
    """
    policy = load_policy(paths)
    click.echo(
        f"{', '.join(policy.files)}: right: {len(policy.rules)} rules, "
        f"{len(policy.services)} services, {len(policy.allowlist)} allowlist entries"
    )
