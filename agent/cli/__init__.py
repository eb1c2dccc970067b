"""The command line: one file a command; parsing and printing only."""

import os
import signal
import sys
from io import StringIO, TextIOWrapper
from typing import NoReturn

import click

from agent.cli.group import main
from agent.cli.output import say
from agent.cli.statuses import BUG, INTERRUPTED, OUTPUT
from agent.errors import AgentError, PolicyError

PROGRAM = "abuse-agent"


def entry() -> NoReturn:
    """Run the command line and exit; the only place that catches everything."""
    _settle_in()
    status = _run()
    try:
        sys.stdout.flush()
    except OSError:
        # Nobody reads any more: keep the interpreter from trying again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _settle_in() -> None:
    """Make a start in any surroundings: closed streams, odd encodings, early signals.

    Until the agent runs and takes SIGHUP as a reload it means nothing, and SIGINT ends
    the process without a word.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115 - for the whole life
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115 - for the whole life
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run() -> int:
    try:
        result = main.main(prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        # It repeats what was typed, which may come from a script and its data.
        error.show(shown := StringIO())
        say(shown.getvalue().rstrip("\n"), is_error=True)
        return error.exit_code
    except (BrokenPipeError, SystemExit):
        # Nobody reads any more; click turns that into an exit of its own.
        return 0
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("ABUSE_AGENT_DEBUG"):
            raise
        text, status = told(error)
        say(text, is_error=True)
        return status
    return result if isinstance(result, int) else 0


def told(error: Exception) -> tuple[str, int]:
    """Give what to print for an error, and the exit status. Source: sysexits.h.

    The faults of a policy begin with their places, so that editors find them.
    """
    match error:
        case PolicyError():
            return str(error), error.exit_status
        case AgentError():
            return f"{PROGRAM}: {error}", error.exit_status
        case OSError():
            return f"{PROGRAM}: can't write the output: {error.strerror}", OUTPUT
        case _:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            where = "(ABUSE_AGENT_DEBUG=1 shows where)"
            return f"{PROGRAM}: this is a bug, please report it: {text} {where}", BUG
