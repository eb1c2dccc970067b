"""Command lines of ours that pages and help texts show, and whether they can be typed."""

import re
import shlex
from collections.abc import Iterator

import click

from agent.cli.group import main

PROGRAM = "abuse-agent"
_BEFORE = frozenset({"sudo"})
_STREAM = re.compile(r"(?<= )[012]>")
_OWN = frozenset({"-h", "--help", "--version"})


def top_context() -> click.Context:
    """The context of the program, as if it were called."""
    return click.Context(main, info_name=PROGRAM, **main.context_settings)


def commands_in(line: str) -> Iterator[list[str]]:
    """The words behind each `abuse-agent` that a shell would start from a line."""
    words = shlex.shlex(_STREAM.sub(">", line), posix=True, punctuation_chars=True)
    words.whitespace_split = True
    command: list[str] = []
    is_target = False
    for word in [*words, ";"]:
        if set(word) <= set("<>&") and set(word) & set("<>"):
            is_target = True  # what follows names a file
        elif set(word) <= set("|&;()"):
            yield from _ours(command)
            command, is_target = [], False
        elif is_target:
            is_target = False
        else:
            command.append(word)


def _ours(command: list[str]) -> Iterator[list[str]]:
    words = command[1:] if command and command[0] in _BEFORE else command
    if words and words[0].rpartition("/")[2] == PROGRAM:
        yield words[1:]


def unknown_in(line: str) -> Iterator[str]:
    """What a command line names and is not there: its command, and its options."""
    try:
        commands = list(commands_in(line))
    except ValueError:
        return
    for words in commands:
        is_run = not words or words[0].startswith("-")
        name = "run" if is_run else words[0]
        if name.isupper() or not name.isalpha():
            continue  # in place of any
        top = top_context()
        command = main.get_command(top, name)
        if command is None:
            yield f"there is no command {name}"
            continue
        context = command.context_class(command, info_name=name, parent=top)
        known = {one for option in command.get_params(context) for one in option.opts} | _OWN
        for word in words:
            if word.startswith("--") and word.partition("=")[0] not in known:
                yield f"abuse-agent {name} has no option {word}"


def refusal(words: list[str]) -> str | None:
    """Why the words behind `abuse-agent` are refused by its parser; None when they are not."""
    if words and words[0] in _OWN:
        return None
    is_run = not words or words[0].startswith("-")
    name, rest = ("run", words) if is_run else (words[0], words[1:])
    top = top_context()
    command = main.get_command(top, name)
    if command is None:
        return f"there is no command {name}"
    try:
        command.make_context(name, list(rest), parent=top)
    except click.exceptions.Exit:
        return None  # it showed its help
    except click.UsageError as error:
        return error.format_message()
    return None
