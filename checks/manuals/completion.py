"""What may stand where on a command line: shared by the three shells' scripts.

The scripts are static, since starting the program for each TAB takes half a second. Only who
is banned is asked of it, where such a source may stand; whoever may not read that is offered
nothing, without a word.
"""

import re
from collections.abc import Sequence
from enum import Enum, auto

from checks.manuals.told import FILES, FOLDERS, Argument, Command, Option

USUAL = "run"
"""The command of options without one."""

NAMES_BANNED = frozenset({"allow", "explain", "unban"})
"""Commands whose source is often one that is banned."""

VERSION = Option(names=("--version",), help="Show the version and exit.")
"""What may stand in place of a command only, as `--help` may."""

_LONGEST = 60


class Fill(Enum):
    """What a word is filled up with."""

    NOTHING = auto()
    CHOICES = auto()
    FILES = auto()
    FOLDERS = auto()
    BANNED = auto()


def fill_of(option: Option) -> Fill:
    """What the value of an option is filled up with."""
    if option.choices:
        return Fill.CHOICES
    return _named(option.metavar)


def fill_of_argument(argument: Argument, command: Command) -> Fill:
    """What an argument is filled up with."""
    if argument.choices:
        return Fill.CHOICES
    if argument.name == "SOURCE" and command.name in NAMES_BANNED:
        return Fill.BANNED
    return _named(argument.name)


def _named(metavar: str) -> Fill:
    if metavar in FILES:
        return Fill.FILES
    return Fill.FOLDERS if metavar in FOLDERS else Fill.NOTHING


def takes_value(option: Option) -> bool:
    """Whether a word behind an option is its value."""
    return bool(option.metavar or option.choices)


def long_of(option: Option) -> str:
    """The long name of an option."""
    return option.names[-1]


def brief(text: str) -> str:
    """The beginning of a help text, for a list: a sentence at most, and no Markdown."""
    sentence = re.split(r"(?<=\w)[.;] ", text.replace("`", ""))[0].rstrip(".")
    if len(sentence) <= _LONGEST:
        return sentence
    return sentence[:_LONGEST].rpartition(" ")[0].rstrip(",") + " ..."


def head(shell: str) -> Sequence[str]:
    """The first lines of each script."""
    return (f"# Completion of abuse-agent for {shell}. Written by ./dev manuals; do not edit.",)
