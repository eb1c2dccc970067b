"""``abuse-agent check``: are these policies right?"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from agent.cli.examples import examples
from agent.cli.options import STATE_DIR, as_json
from agent.cli.output import say, show
from agent.desk.check import LOOKS, Checked, Look, checked
from agent.desk.norms.low import tape_cautions
from agent.desk.replay.recordings import Span, of_tape
from agent.errors import Fault, MissingFileError, PolicyError
from agent.model.policy import Policy
from agent.policy import excerpt
from agent.record.phrases import counted
from agent.record.tape.reader import TAPE
from agent.service import clock


@click.command(
    epilog=examples(
        ("abuse-agent check my.yaml", "is it right?"),
        ("abuse-agent check --together services.yaml rules.yaml", "are these right as one policy?"),
    )
)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--together",
    is_flag=True,
    help="Read all PATHs as the one policy of a run; else each is one of its own.",
)
@click.option(
    "--tape",
    metavar="DIR",
    help="The tape that shows what is normal on this machine, to warn of limits below "
    f"that.  [default: {STATE_DIR}/{TAPE}, if it may be read]",
)
@as_json
def check(paths: tuple[str, ...], *, together: bool, tape: str | None, is_json: bool) -> int:
    """Tell everything that is wrong with policies.

    Of a right one it warns of what will surprise. PATH is a file, or a
    folder whose *.yaml are one policy. Each fault begins with file, line and column.
    Needs no root and touches no firewall and no network. Exit status: 0 right,
    78 wrong, 66 not there.
    """
    now = clock.now()
    looks: tuple[Look, ...] = (*LOOKS, partial(tape_cautions, _tape(tape, now)))
    groups = [paths] if together else [(one,) for one in paths]
    found = [checked(group, now, looks) for group in groups]
    if is_json:
        show(_fields(found))
    else:
        for one in found:
            _tell(one)
    return _status(found)


def _tape(named: str | None, now: datetime) -> Path:
    """Find the tape.

    Raises:
        InputError: One was named, and there is none, or nothing on it.
        UnreadableError: One was named, and this user may not read it, or it is damaged.
    """
    if named is None:
        return Path(STATE_DIR) / TAPE
    next(of_tape(Path(STATE_DIR), named, Span(now=now)).frames)
    return Path(named)


def _status(found: Sequence[Checked]) -> int:
    wrong = [one for one in found if one.faults]
    if not wrong:
        return 0
    kind = MissingFileError if all(one.is_missing for one in wrong) else PolicyError
    return kind.exit_status


def _tell(one: Checked) -> None:
    """Print for a person: faults as errors, a right policy with what will surprise of it."""
    if one.policy is None:
        say("\n".join(_lines(one, one.faults, _encoding(sys.stderr))), is_error=True)
        return
    lines = _lines(one, one.warnings, _encoding(sys.stdout))
    say("\n".join((_summary(one.policy, len(one.warnings)), *lines)))


def _lines(one: Checked, places: Sequence[Fault], encoding: str) -> Iterator[str]:
    for place in places:
        yield str(place)
        text = one.texts.get(place.file)
        if text is not None:
            yield from excerpt(text, place.line, place.column, encoding)


def _encoding(stream: object) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def _summary(policy: Policy, warnings: int) -> str:
    counts = (
        counted(len(policy.rules), "rule"),
        counted(len(policy.services), "service"),
        counted(len(policy.allowlist), "allowlist entry", "allowlist entries"),
        *((counted(warnings, "warning"),) if warnings else ()),
    )
    return f"{', '.join(policy.files)}: right: {', '.join(counts)}"


def _fields(found: Sequence[Checked]) -> dict[str, object]:
    """Give for programs what was found in all policies."""
    policies = [one.policy for one in found if one.policy]
    faults = [asdict(fault) for one in found for fault in one.faults]
    warnings = [asdict(warned) for one in found for warned in one.warnings]
    return {
        "right": not faults,
        "files": [file for one in found for file in one.files],
        "faults": faults,
        "warnings": warnings,
        "summary": {
            "policies": len(found),
            "rules": sum(len(policy.rules) for policy in policies),
            "services": sum(len(policy.services) for policy in policies),
            "allowlist": sum(len(policy.allowlist) for policy in policies),
            "faults": len(faults),
            "warnings": len(warnings),
        },
    }
