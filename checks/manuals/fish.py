"""The script for fish. Source: complete(1) of fish."""

from collections.abc import Iterator, Sequence

from checks.manuals.completion import (
    USUAL,
    VERSION,
    Fill,
    brief,
    fill_of,
    fill_of_argument,
    head,
    takes_value,
)
from checks.manuals.told import Command, Option

_NONE = "none"
"""In place of a command, ahead of the first word."""

_VALUES = {
    Fill.FILES: "-r -F",
    Fill.FOLDERS: "-x -a '(__fish_complete_directories)'",
    Fill.NOTHING: "-x",
}
_ARGUMENTS = {
    Fill.FILES: "-F",
    Fill.FOLDERS: "-a '(__fish_complete_directories)'",
    Fill.BANNED: "-a '(__abuse_agent_banned)'",
}

_FUNCTIONS = f"""
# The words that are typed, from the program's name on; sudo and its like may stand before it.
function __abuse_agent_typed
    set -l typed (commandline -opc)
    while set -q typed[1]; and not string match -qr '(^|/)abuse-agent$' -- $typed[1]
        set -e typed[1]
    end
    string join -- \\n $typed
end

# Whether the command that is typed is one of these; without one, options are those of {USUAL}.
function __abuse_agent_at
    set -l typed (__abuse_agent_typed)
    set -l name {_NONE}
    if set -q typed[2]
        set name $typed[2]
        string match -q -- '-*' $name; and set name {USUAL}
    end
    contains -- $name $argv
end

# Sources that are banned now; nothing where this user may not read that.
function __abuse_agent_banned
    set -l typed (__abuse_agent_typed)
    set -l folder (string match -- '--state-dir=*' $typed)
    if set -l at (contains -i -- --state-dir $typed)
        set folder --state-dir $typed[(math $at + 1)]
    end
    abuse-agent bans $folder 2>/dev/null </dev/null | awk 'NR > 1 {{ print $1 }}'
end

complete -c abuse-agent -f"""


def script(commands: Sequence[Command]) -> str:
    """The whole file."""
    lines = [*head("fish"), *_FUNCTIONS.split("\n")]
    for one in commands:
        start = f"complete -c abuse-agent -n '__abuse_agent_at {_NONE}'"
        lines.append(f"{start} -a {one.name} -d {_quoted(brief(one.summary))}")
    for one in commands:
        lines.append("")
        lines.extend(_command(one))
    return "\n".join([*lines, ""])


def _command(command: Command) -> Iterator[str]:
    at = f"{USUAL} {_NONE}" if command.name == USUAL else command.name
    start = f"complete -c abuse-agent -n '__abuse_agent_at {at}'"
    for option in command.options:
        yield f"{start} {_option(option)}"
    if command.name == USUAL:
        yield f"complete -c abuse-agent -n '__abuse_agent_at {_NONE}' {_option(VERSION)}"
    for argument in command.arguments:
        fill = fill_of_argument(argument, command)
        if fill is Fill.CHOICES:
            yield f"{start} -a '{' '.join(argument.choices)}'"
        elif fill is not Fill.NOTHING:
            yield f"{start} {_ARGUMENTS[fill]}"


def _option(option: Option) -> str:
    names = " ".join(
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
    )
    parts = [names, f"-d {_quoted(brief(option.help))}"]
    if takes_value(option):
        fill = fill_of(option)
        choices = f"-x -a '{' '.join(option.choices)}'"
        parts.insert(1, choices if fill is Fill.CHOICES else _VALUES[fill])
    return " ".join(parts)


def _quoted(text: str) -> str:
    inner = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{inner}'"
