"""All files that are written from the source, and how they differ from those of the tree."""

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from agent import __version__
from checks.fault import Fault
from checks.manuals import bash, fish, zsh
from checks.manuals.pages import Edition, command_page, overview_page, policy_page
from checks.manuals.reference import PAGE, rewritten, unmarked
from checks.manuals.told import Command, read_commands
from checks.typed import PROGRAM

SHARE = "share"
"""The folder that is written as a whole: laid out as below /usr/local."""

OF_PROGRAMS = frozenset({"sets"})
"""Commands that no person types, and that need no example."""

MEND = "run ./dev manuals"

_RELEASE = re.compile(r"^## \[\d[^\]]*\] - (?P<date>\d{4}-\d\d-\d\d)", re.MULTILINE)
_BEFORE_THE_FIRST = "2026-11-27"
"""The date of pages until there is a release."""


def edition_of(changelog: str) -> Edition:
    """What pages say of themselves: the version, and the date of the latest release."""
    release = _RELEASE.search(changelog)
    return Edition(version=__version__, date=release["date"] if release else _BEFORE_THE_FIRST)


def written(root: Path) -> Mapping[str, str]:
    """Every file, by its name relative to the top of the tree at ``root``."""
    edition = edition_of((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    commands = read_commands()
    man = f"{SHARE}/man/man1"
    policy = f"{SHARE}/man/man5/{PROGRAM}-policy.5"
    reference = rewritten((root / PAGE).read_text(encoding="utf-8"))
    return {
        PAGE: reference,
        policy: policy_page(reference, edition),
        f"{man}/{PROGRAM}.1": overview_page(commands, edition),
        f"{SHARE}/bash-completion/completions/{PROGRAM}": bash.script(commands),
        f"{SHARE}/zsh/site-functions/_{PROGRAM}": zsh.script(commands),
        f"{SHARE}/fish/vendor_completions.d/{PROGRAM}.fish": fish.script(commands),
        **{f"{man}/{PROGRAM}-{one.name}.1": command_page(one, edition) for one in commands},
    }


def faults(root: Path) -> Iterator[Fault]:
    """What is to be mended in the tree at ``root``, by hand or by writing."""
    for command in read_commands():
        yield from silent(command)
    wanted = written(root)
    for name in unmarked(wanted[PAGE]):
        marks = f"<!-- schema: {name} --> and <!-- /schema -->"
        yield Fault(file=PAGE, problem=f"has no lines {marks}, between which its keys are told")
    yield from drift(root, wanted)


def silent(command: Command) -> Iterator[Fault]:
    """What a command's help does not tell, and so no manual can."""
    file = f"the help of abuse-agent {command.name}"
    for option in command.options:
        if not option.help:
            yield Fault(file=file, problem=f"does not say what {option.names[-1]} does")
    if not command.examples and command.name not in OF_PROGRAMS:
        yield Fault(file=file, problem="has no example: see agent/cli/examples.py")


def drift(root: Path, wanted: Mapping[str, str]) -> Iterator[Fault]:
    """What the tree at ``root`` has otherwise, or not, or beside that."""
    for name, text in wanted.items():
        file = root / name
        if not file.is_file():
            yield Fault(file=name, problem=f"is not there: {MEND}")
            continue
        here = file.read_text(encoding="utf-8")
        if here != text:
            yield Fault(file=name, line=_first(here, text), problem=f"is out of date: {MEND}")
    for name in stale(root, wanted):
        yield Fault(file=name, problem=f"is written by nobody any more: {MEND}")


def stale(root: Path, wanted: Mapping[str, str]) -> list[str]:
    """Files of the written folder that nothing writes."""
    files = (str(one.relative_to(root)) for one in (root / SHARE).rglob("*") if one.is_file())
    return sorted(set(files) - set(wanted))


def write(root: Path, wanted: Mapping[str, str]) -> list[str]:
    """Make the tree at ``root`` so; gives the names of what was changed."""
    changed = sorted({fault.file for fault in drift(root, wanted)})
    for name in changed:
        file = root / name
        if name not in wanted:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(wanted[name], encoding="utf-8")
    return changed


def _first(here: str, text: str) -> int:
    """The number of the first line that differs."""
    lines = zip_longest(here.splitlines(keepends=True), text.splitlines(keepends=True))
    return next(at for at, (one, other) in enumerate(lines, 1) if one != other)
