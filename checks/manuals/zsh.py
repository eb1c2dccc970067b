"""The script for zsh. Source: zshcompsys(1)."""

from collections.abc import Iterator, Sequence

from checks.manuals.completion import (
    USUAL,
    VERSION,
    Fill,
    brief,
    fill_of,
    fill_of_argument,
    head,
    long_of,
    takes_value,
)
from checks.manuals.told import Command, Option

_ACTIONS = {
    Fill.FILES: "_files",
    Fill.FOLDERS: "_files -/",
    Fill.BANNED: "_abuse_agent_banned",
    Fill.NOTHING: " ",
}

_BANNED = """
# Sources that are banned now; nothing where this user may not read that.
_abuse_agent_banned() {
    local -a folder=() banned
    local at=${words[(I)--state-dir]}
    (( at )) && folder=(--state-dir ${words[at + 1]})
    at=${words[(I)--state-dir=*]}
    (( at )) && folder=(${words[at]})
    banned=(${(f)"$(abuse-agent bans $folder 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }')"})
    (( $#banned )) && compadd -- $banned
}
"""


def script(commands: Sequence[Command]) -> str:
    """The whole file."""
    return "\n".join(
        [
            "#compdef abuse-agent",
            *head("zsh"),
            *_BANNED.rstrip("\n").split("\n"),
            "",
            *_top(commands),
            "",
            '_abuse_agent "$@"',
            "",
        ]
    )


def _top(commands: Sequence[Command]) -> Iterator[str]:
    yield "_abuse_agent() {"
    yield f"    local command={USUAL}"
    yield "    local -a commands"
    yield "    if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then"
    yield "        commands=("
    for one in commands:
        yield f"            {_quoted(f'{one.name}:{brief(one.summary)}')}"
    yield "        )"
    yield "        _describe -t commands command commands"
    yield "        return"
    yield "    fi"
    yield "    if [[ $words[2] != -* ]]; then"
    yield "        command=$words[2]"
    yield "        shift words"
    yield "        (( CURRENT-- ))"
    yield "    fi"
    yield "    case $command in"
    for one in commands:
        yield from _command(one)
    yield from ("    esac", "}")


def _command(command: Command) -> Iterator[str]:
    own = (VERSION,) if command.name == USUAL else ()
    yield f"        {command.name})"
    yield "            _arguments -S \\"
    specs = [spec for option in (*command.options, *own) for spec in _option(option)]
    for place, argument in enumerate(command.arguments, 1):
        at = "*" if "..." in argument.metavar else place
        fill = fill_of_argument(argument, command)
        specs.append(f"{at}:{argument.name}:{_action(fill, argument.choices)}")
    yield " \\\n".join(f"                {_quoted(spec)}" for spec in specs)
    yield "            ;;"


def _option(option: Option) -> Iterator[str]:
    """An option as _arguments has it; each of its names excludes the others."""
    told = _escaped(brief(option.help))
    if not takes_value(option):
        others = f"({' '.join(option.names)})" if len(option.names) > 1 else ""
        yield from (f"{others}{name}[{told}]" for name in option.names)
        return
    fill = fill_of(option)
    action = _action(fill, option.choices)
    what = option.metavar or "value"
    many = "*" if option.is_repeatable else ""
    yield f"{many}{long_of(option)}=[{told}]:{what}:{action}"


def _action(fill: Fill, choices: Sequence[str]) -> str:
    return f"({' '.join(choices)})" if fill is Fill.CHOICES else _ACTIONS[fill]


def _escaped(text: str) -> str:
    for special in "\\[]:":
        text = text.replace(special, f"\\{special}")
    return text


def _quoted(text: str) -> str:
    inner = text.replace("'", "'\\''")
    return f"'{inner}'"
