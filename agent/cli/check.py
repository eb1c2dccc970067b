"""``abuse-agent check``: are these policies right?"""

from collections.abc import Iterable

import click

from agent.cli.output import say
from agent.errors import Fault, MissingFileError, PolicyError
from agent.identify.range_files import range_notes
from agent.model.policy import Policy
from agent.policy import load_policy
from agent.record.phrases import counted
from agent.service import clock


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--together", is_flag=True, help="Read all PATHs as the one policy of a run.")
def check(paths: tuple[str, ...], *, together: bool) -> None:
    """Tell everything that is wrong with policies.

    PATH is a file, or a folder whose *.yaml are one policy. Needs no root and
    touches no firewall and no network. Exit status: 0 right, 78 wrong, 66 not there.
    """
    failed = []
    for group in [paths] if together else [(path,) for path in paths]:
        try:
            policy = load_policy(group)
            say("\n".join((_summary(policy), *policy.notes, *range_notes(policy, clock.now()))))
        except PolicyError as error:
            failed.append(error)
    if failed:
        faults = _faults(failed)
        missing = all(isinstance(error, MissingFileError) for error in failed)
        raise MissingFileError(faults) if missing else PolicyError(faults)


def _faults(errors: Iterable[PolicyError]) -> tuple[Fault, ...]:
    return tuple(fault for error in errors for fault in error.faults)


def _summary(policy: Policy) -> str:
    counts = (
        counted(len(policy.rules), "rule"),
        counted(len(policy.services), "service"),
        counted(len(policy.allowlist), "allowlist entry", "allowlist entries"),
    )
    return f"{', '.join(policy.files)}: right: {', '.join(counts)}"
