"""The command line: one file a command; parsing and printing only."""

import os
import sys
from typing import NoReturn

import click

from agent.cli.group import main
from agent.errors import AgentError

PROGRAM = "abuse-agent"
_BUG = 70


def entry() -> NoReturn:
    """Run the command line and exit; the only place that catches everything."""
    status = _run()
    try:
        sys.stdout.flush()
    except OSError:
        # Nobody reads any more: keep the interpreter from trying again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _run() -> int:
    try:
        result = main.main(prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except (BrokenPipeError, SystemExit):
        # Nobody reads any more; click turns that into an exit of its own.
        return 0
    except AgentError as error:
        click.echo("\n".join(lines_of(error)), err=True)
        return error.exit_status
    except Exception as error:
        if os.environ.get("ABUSE_AGENT_DEBUG"):
            raise
        kind, text = type(error).__name__, " ".join(str(error).split())
        click.echo(
            f"{PROGRAM}: this is a bug, please report it: {kind}: {text} "
            "(ABUSE_AGENT_DEBUG=1 shows where)",
            err=True,
        )
        return _BUG
    return result if isinstance(result, int) else 0


def lines_of(error: AgentError) -> list[str]:
    """Give what to print for an error: the faults of a policy begin with their place."""
    text = str(error)
    return text.splitlines() if hasattr(error, "faults") else [f"{PROGRAM}: {text}"]
