"""Runs the screen, and leaves the terminal as it was."""

import os
import signal
import sys

import click

from agent.desk.top.values import View
from agent.desk.top.watch import Watch
from agent.desk.where import Where

_MONO_BEGINS = ("dumb", "unknown", "vt")
_MONO_ENDS = ("-m", "-mono")
"""Kinds of terminals without colours. Source: terminfo(5), its database."""


def run_screen(watch: Watch, view: View, where: Where, every_s: float) -> None:
    """Show what goes on until somebody leaves.

    Args:
        watch: Looks at the machine.
        view: What is asked for at first.
        where: Where bans are made.
        every_s: From one look to the next; positive.

    Raises:
        click.UsageError: There is no terminal.
    """
    if not (_is_terminal(sys.__stdin__) and _is_terminal(sys.__stdout__)):
        raise click.UsageError("the screen needs a terminal; --once prints one moment")
    _settle_environment()
    from agent.cli.screen.board import Board  # noqa: PLC0415 - it reads the environment once

    board = Board(watch.look, view, where, every_s)
    board.run(mouse=False)
    for line in board.last_words():
        click.echo(line)
    if board.failure is not None:
        raise board.failure
    if board.signal is not None:
        # Whoever sent it sees that it was what ended this.
        signal.signal(board.signal, signal.SIG_DFL)
        os.kill(os.getpid(), board.signal)


def _is_terminal(stream: object) -> bool:
    return bool(getattr(stream, "isatty", bool)())


def _settle_environment() -> None:
    """Have nobody's environment make Textual write files, open ports or move things about."""
    for name in [name for name in os.environ if name.startswith("TEXTUAL")]:
        del os.environ[name]
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    os.environ["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
    term = os.environ.get("TERM", "dumb")
    if term.startswith(_MONO_BEGINS) or term.endswith(_MONO_ENDS):
        os.environ["NO_COLOR"] = "1"
    elif not os.environ.get("NO_COLOR", "1"):
        del os.environ["NO_COLOR"]  # Source: no-color.org: an empty one means nothing
