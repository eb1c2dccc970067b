"""Each command's help says what every option does, and its examples can be typed."""

import re

import click
import pytest

from agent.cli.group import COMMANDS, main
from checks.manuals.written import OF_PROGRAMS
from checks.typed import commands_in, refusal

WIDTH = 80


def context(name: str) -> click.Context:
    top = main.make_context("abuse-agent", ["--help"], resilient_parsing=True)
    command = main.get_command(top, name)
    assert command is not None
    return command.context_class(command, info_name=name, parent=top, terminal_width=WIDTH)


def typed(name: str) -> list[list[str]]:
    """The words of each example, behind the name of the program."""
    told = context(name).command.epilog or ""
    lines = re.findall(r"^  (?! )(.*)", told, re.MULTILINE)
    return [words for line in lines for words in commands_in(line)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_help_that_says_what_it_does(name: str) -> None:
    helps = {
        option.name: (option.help or "").partition("[")[0]
        for option in context(name).command.params
        if isinstance(option, click.Option)
    }

    assert [one for one, told in helps.items() if len(told.split()) < 2] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_and_breaks_no_path_at_a_hyphen(name: str) -> None:
    lines = context(name).get_help().splitlines()

    assert [line for line in lines if len(line) > WIDTH] == []
    assert [line for line in lines if re.search(r"(\w|-)-$", line)] == []


@pytest.mark.parametrize("name", [one for one in COMMANDS if one not in OF_PROGRAMS])
def test_every_command_that_people_type_has_an_example_that_is_parsed(name: str) -> None:
    examples = typed(name)

    assert examples
    assert all(words[0] == name or name == "run" for words in examples)
    assert [refusal(words) for words in examples] == [None] * len(examples)
