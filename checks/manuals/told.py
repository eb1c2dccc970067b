"""What `--help` says, as values: the source of man pages and of completion."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

import click

from agent.cli.group import COMMANDS, main
from checks.typed import top_context

FILES = frozenset({"PATH", "FILE"})
"""What stands for a file or a folder."""

FOLDERS = frozenset({"DIR"})
"""What stands for a folder."""

_DEFAULT = re.compile(r"\s*\[(?P<kind>default: |required)(?P<value>[^\]]*)\]$")
_RANGE = re.compile(r"; (?P<least>\d+)<=x<=(?P<most>\d+)(?=\]$)")
_EXAMPLE = re.compile(r"^  (?P<typed>\S.*)\n {6}(?P<meaning>.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option.

    Attributes:
        names: As typed, short ones first.
        metavar: What stands for its value; empty for a flag, and where choices do.
        choices: The values that there are; none where any will do.
        help: What it does; a sentence or several.
        default: What holds without it, in words; empty where nothing does.
        is_required: Whether the command does nothing without it.
        is_repeatable: Whether it may be given again.
    """

    names: tuple[str, ...]
    metavar: str = ""
    choices: tuple[str, ...] = ()
    help: str = ""
    default: str = ""
    is_required: bool = False
    is_repeatable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument.

    Attributes:
        metavar: What stands for it: SOURCE, PATH... or [FILE]...
        choices: The values that there are; none where any will do.
    """

    metavar: str
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What stands for one of it."""
        return self.metavar.strip("[].")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as its help tells of it.

    Attributes:
        name: As typed behind the program's.
        summary: One sentence.
        paragraphs: What else there is to say.
        arguments: In their order.
        options: In the order of help.
        examples: What may be typed, each with what it is for.
    """

    name: str
    summary: str
    paragraphs: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()

    @property
    def metavars(self) -> frozenset[str]:
        """Every name that stands for something."""
        given = {option.metavar for option in self.options}
        return frozenset({*given, *(one.name for one in self.arguments)} - {""})


def read_commands() -> tuple[Command, ...]:
    """Every command, in the order of help."""
    top = top_context()
    found = [(name, main.get_command(top, name)) for name in COMMANDS]
    return tuple(read_command(name, command, top) for name, command in found if command)


def read_command(name: str, command: click.Command, top: click.Context) -> Command:
    """What a command's help says."""
    context = command.context_class(command, info_name=name, parent=top)
    summary, *more = paragraphs_of(command.help or "")
    return Command(
        name=name,
        summary=summary,
        paragraphs=tuple(more),
        arguments=tuple(
            Argument(metavar=one.make_metavar(context), choices=choices_of(one))
            for one in command.params
            if isinstance(one, click.Argument)
        ),
        options=tuple(
            read_option(one, context)
            for one in command.get_params(context)
            if isinstance(one, click.Option) and not one.hidden
        ),
        examples=tuple(examples_of(command.epilog or "")),
    )


def read_option(option: click.Option, context: click.Context) -> Option:
    """What help says of an option."""
    _, shown = option.get_help_record(context) or ("", "")
    told = _RANGE.sub(r", of \g<least> to \g<most>", shown)
    default = _DEFAULT.search(told)
    choices = choices_of(option)
    is_spelt_out = option.is_flag or (choices and not option.metavar)
    return Option(
        names=(*option.opts, *option.secondary_opts),
        metavar="" if is_spelt_out else option.make_metavar(context),
        choices=choices,
        help=_DEFAULT.sub("", told),
        default=default["value"] if default else "",
        is_required=option.required,
        is_repeatable=option.multiple,
    )


def choices_of(parameter: click.Parameter) -> tuple[str, ...]:
    """The only values that a parameter takes; none where it takes others."""
    kind = parameter.type
    return tuple(map(str, kind.choices)) if isinstance(kind, click.Choice) else ()


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of a docstring, each on one line."""
    return [" ".join(one.split()) for one in inspect.cleandoc(text).split("\n\n")]


def examples_of(epilog: str) -> Iterator[tuple[str, str]]:
    """The examples that `agent.cli.examples` wrote."""
    for found in _EXAMPLE.finditer(epilog):
        yield found["typed"], found["meaning"]
