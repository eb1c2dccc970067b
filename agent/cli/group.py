"""The command itself, and how an invocation finds its subcommand."""

from collections.abc import Iterable
from importlib import import_module
from keyword import iskeyword

import click

from agent import __version__

COMMANDS = (
    "run",
    "check",
    "replay",
    "suggest",
    "status",
    "top",
    "explain",
    "bans",
    "ban",
    "unban",
    "allow",
    "guard",
    "doctor",
    "verify",
    "teardown",
    "sets",
    "schema",
    "import",
)
"""Each is the command of that name in the module of that name beside this one; both end in an
underscore where Python keeps the name to itself."""


_UNBREAKABLE = "\N{NON-BREAKING HYPHEN}"


class Unbroken(click.HelpFormatter):
    """Breaks no line within a path or an option's name."""

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write options or commands, each with its help."""
        joined = [(name, told.replace("-", _UNBREAKABLE)) for name, told in rows]
        super().write_dl(joined, col_max, col_spacing)

    def getvalue(self) -> str:
        """Give all that was written, with plain hyphens."""
        return super().getvalue().replace(_UNBREAKABLE, "-")


class Context(click.Context):
    """Has help written so."""

    formatter_class = Unbroken


class Commands(click.Group):
    """A group that loads only the command asked for; options alone are those of ``run``."""

    context_class = Context

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``run`` in front of options that are not the group's own."""
        own = {"--help", "-h", "--version"}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Give the names in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command; the others would only cost time and memory."""
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(import_module(f"agent.cli.{name}"), name)
        command.context_class = Context
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Watch who holds this machine's TCP connections, and ban the guilty for a time.

    Without a command the agent runs; `abuse-agent --dry-run` shows what it would
    do and touches nothing.
    """
