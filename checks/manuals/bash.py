"""The script for bash. Source: bash(1), Programmable Completion."""

from collections.abc import Iterator, Sequence

from checks.manuals.completion import (
    USUAL,
    VERSION,
    Fill,
    fill_of,
    fill_of_argument,
    head,
    long_of,
    takes_value,
)
from checks.manuals.told import Command

_DEFAULT = {
    Fill.FILES: "compopt -o default",
    Fill.FOLDERS: "compopt -o dirnames",
    Fill.BANNED: 'words=$(_abuse_agent_banned "$1")',
    Fill.NOTHING: ":",
}

_BANNED = r"""
# Sources that are banned now; nothing where this user may not read that.
_abuse_agent_banned() { # program
    "$1" bans "${folder[@]}" 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }'
}
"""

_FUNCTION = r"""
_abuse_agent() {
    # Split at blanks only: bash itself splits addresses at colons.
    local line=${COMP_LINE:0:COMP_POINT} typed word before name words='' at
    local -a folder=()
    read -ra typed <<<"$line"
    case $line in *[[:blank:]]) typed+=('') ;; esac
    word=${typed[-1]} before=${typed[-2]-}
    case ${typed[1]-} in
        -*) name=%(usual)s ;;
        *) name=${typed[1]-} ;;
    esac
    for at in "${!typed[@]}"; do
        case ${typed[at]} in
            --state-dir) folder=(--state-dir "${typed[at + 1]-}") ;;
            --state-dir=*) folder=("${typed[at]}") ;;
        esac
    done
    case $word in
        -*=*) before=${word%%=*} word=${word#*=} ;;
    esac
    COMPREPLY=()
    if [ ${#typed[@]} -le 2 ] && [ "$before" = "${typed[0]}" ]; then
        words='%(commands)s'
        case $word in -*) words=$(_abuse_agent_options %(usual)s)' %(version)s' ;; esac
    elif _abuse_agent_value "$name $before" "$1"; then
        : # the word is the value of the option before it
    elif [ "${word:0:1}" = - ]; then
        words=$(_abuse_agent_options "$name")
    else
        _abuse_agent_argument "$name" "$1"
    fi
    [ -n "$words" ] || return 0
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    # bash puts the answer behind the last colon that was typed.
    case $COMP_WORDBREAKS/$word in
        *:*/*:*) COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}") ;;
    esac
}

complete -F _abuse_agent abuse-agent
"""


def script(commands: Sequence[Command]) -> str:
    """The whole file."""
    names = " ".join(one.name for one in commands)
    function = _FUNCTION
    for name, value in (("usual", USUAL), ("commands", names), ("version", long_of(VERSION))):
        function = function.replace(f"%({name})s", value)
    return "\n".join(
        [
            *head("bash"),
            _BANNED.rstrip("\n"),
            "",
            *_options(commands),
            "",
            *_values(commands),
            "",
            *_arguments(commands),
            *function.rstrip("\n").split("\n"),
            "",
        ]
    )


def _options(commands: Sequence[Command]) -> Iterator[str]:
    yield "_abuse_agent_options() { # command"
    yield "    case $1 in"
    for one in commands:
        names = " ".join(long_of(option) for option in one.options)
        yield f"        {one.name}) echo '{names}' ;;"
    yield from ("    esac", "}")


def _values(commands: Sequence[Command]) -> Iterator[str]:
    """Fill up the value of an option; fails for words that are no such option."""
    by_action: dict[str, list[str]] = {}
    for one in commands:
        for option in filter(takes_value, one.options):
            fill = fill_of(option)
            choices = f"words='{' '.join(option.choices)}'"
            action = choices if fill is Fill.CHOICES else _DEFAULT[fill]
            by_action.setdefault(action, []).append(f"'{one.name} {long_of(option)}'")
    yield "_abuse_agent_value() { # command and option, program"
    yield "    case $1 in"
    for action, patterns in by_action.items():
        yield f"        {' | '.join(patterns)}) {action} ;;"
    yield from ("        *) return 1 ;;", "    esac", "}")


def _arguments(commands: Sequence[Command]) -> Iterator[str]:
    yield "_abuse_agent_argument() { # command, program"
    yield "    case $1 in"
    for one in commands:
        actions = [
            f"words='{' '.join(argument.choices)}'"
            if argument.choices
            else _DEFAULT[fill_of_argument(argument, one)].replace("$1", "$2")
            for argument in one.arguments
        ]
        if set(actions) - {_DEFAULT[Fill.NOTHING]}:
            yield f"        {one.name}) {'; '.join(actions)} ;;"
    yield from ("    esac", "}")
