"""The man pages of the program and of its commands. Source: man-pages(7) for their sections."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent.cli.statuses import STATUSES
from checks.manuals import markdown, overview, roff
from checks.manuals.told import Command, Option
from checks.typed import PROGRAM

SUMMARY = "ban who crowds this machine's TCP connections, for a time"
POLICY = "whom abuse-agent bans, and whom never"
SECTION = 1
FORMATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What every page says of itself.

    Attributes:
        version: Of the program.
        date: Of that version, as 2027-01-31.
    """

    version: str
    date: str


def overview_page(commands: Sequence[Command], edition: Edition) -> str:
    """The page of the program: what there is, and what all commands share."""
    listed = [
        line
        for one in commands
        for line in roff.item(_reference(f"{PROGRAM}-{one.name}", SECTION), roff.prose(one.summary))
    ]
    return roff.page(
        [
            *_head(PROGRAM, SUMMARY, edition),
            *roff.heading("Synopsis"),
            "\n.br\n".join(map(roff.prose, overview.SYNOPSIS)),
            *roff.heading("Description"),
            *roff.paragraphs(overview.DESCRIPTION),
            *roff.heading("Commands"),
            *listed,
            *roff.heading("Examples"),
            *(line for one in commands for line in _examples(one.examples[:1])),
            *roff.heading("Exit status"),
            *_terms((str(status), meaning) for status, meaning in STATUSES.items()),
            *roff.heading("Environment"),
            *_terms(overview.ENVIRONMENT),
            *roff.heading("Files"),
            *_terms(overview.FILES),
            *roff.heading("Signals"),
            *_terms(overview.SIGNALS),
            *_see_also(overview.SEE_ALSO),
        ]
    )


def command_page(command: Command, edition: Edition) -> str:
    """The page of one command."""
    name = f"{PROGRAM}-{command.name}"
    summary = f"{command.summary[0].lower()}{command.summary[1:]}".rstrip(".")
    return roff.page(
        [
            *_head(name, summary, edition),
            *roff.heading("Synopsis"),
            ".HP 4",
            " ".join(_usages(command)),
            *roff.heading("Description"),
            *roff.paragraphs((command.summary, *command.paragraphs), command.metavars),
            *roff.heading("Options"),
            *(line for one in command.options for line in _option(one, command)),
            *_exits(),
            *(roff.heading("Examples") if command.examples else ()),
            *_examples(command.examples),
            *_see_also((f"{PROGRAM}(1)", f"{PROGRAM}-policy(5)")),
        ]
    )


def policy_page(reference: str, edition: Edition) -> str:
    """The page of the policy's format: the reference itself."""
    return roff.page(
        [
            *_head(f"{PROGRAM}-policy", POLICY, edition, FORMATS),
            *markdown.body(reference),
            *_see_also((f"{PROGRAM}(1)", f"{PROGRAM}-check(1)", f"{PROGRAM}-schema(1)")),
        ]
    )


def _head(name: str, summary: str, edition: Edition, section: int = SECTION) -> list[str]:
    return [
        *roff.title(name, section, edition.date, edition.version),
        *roff.heading("Name"),
        f"{roff.typed(name)} \\- {roff.spoken(summary)}",
    ]


def _usages(command: Command) -> Iterator[str]:
    """The parts of a synopsis; none of them is broken over lines."""
    yield roff.bold(f"{PROGRAM} {command.name}").replace(" ", "\\ ")
    for option in command.options:
        if "--help" not in option.names:
            yield _usage(option)
    for argument in command.arguments:
        yield argument.metavar.replace(argument.name, roff.italic(argument.name))


def _usage(option: Option) -> str:
    usage = "\\ ".join((roff.bold(option.names[-1]), *_value(option)))
    more = "..." if option.is_repeatable else ""
    return f"{usage}{more}" if option.is_required else f"[{usage}]{more}"


def _value(option: Option) -> tuple[str, ...]:
    """What stands behind an option's name: nothing or one thing."""
    if option.metavar:
        return (roff.italic(option.metavar),)
    return ("|".join(map(roff.bold, option.choices)),) if option.choices else ()


def _option(option: Option, command: Command) -> list[str]:
    names = ", ".join(map(roff.bold, option.names))
    told = option.help if option.help.endswith((".", "?")) else f"{option.help}."
    if option.choices and option.metavar:
        told += f" {option.metavar} is one of {', '.join(option.choices)}."
    if option.is_required:
        told += " Has to be given."
    elif option.default:
        told += f" Default: {option.default}."
    return roff.item(" ".join((names, *_value(option))), roff.prose(told, command.metavars))


def _exits() -> list[str]:
    told = f"0 when it is done; what else there is stands in {PROGRAM}(1)."
    return [*roff.heading("Exit status"), roff.prose(told)]


def _examples(each: Iterable[tuple[str, str]]) -> list[str]:
    """Command lines, each with what it is for: a question, or the end of a sentence."""
    return [
        line
        for typed, told in each
        for line in roff.item(roff.bold(typed), roff.prose(f"{told[0].upper()}{told[1:]}"))
    ]


def _terms(each: Iterable[tuple[str, str]]) -> list[str]:
    return [line for term, told in each for line in roff.item(roff.bold(term), roff.prose(told))]


def _see_also(names: Sequence[str]) -> list[str]:
    references = (_reference(*_split(name)) for name in names)
    lines = ",\n".join(references).split("\n")
    return [*roff.heading("See also"), *lines]


def _split(name: str) -> tuple[str, int]:
    bare, _, section = name.rstrip(")").partition("(")
    return bare, int(section)


def _reference(name: str, section: int) -> str:
    return f"{roff.bold(name)}({section})"
