"""The command itself, and how an invocation finds its subcommand."""

import click

from agent import __version__
from agent.cli.check import check
from agent.cli.run import run


class DefaultRun(click.Group):
    """A group whose options without a subcommand are those of ``run``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``run`` in front of anything that is not a subcommand or the group's own."""
        own = {"--help", "-h", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=DefaultRun,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    commands={"run": run, "check": check},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Watch who holds this machine's TCP connections, and ban the guilty for a time.

    Without a command the agent runs; `abuse-agent --dry-run` shows what it would
    do and touches nothing.
    """
