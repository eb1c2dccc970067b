"""``abuse-agent doctor``: is this machine well?"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from textwrap import TextWrapper

import click

from agent.cli.examples import examples
from agent.cli.options import LengthType, as_json, where, where_options
from agent.cli.output import say, show
from agent.desk.doctor.about import about
from agent.desk.doctor.examine import Examination, examine
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.record.events import rfc3339
from agent.record.phrases import counted

_COLUMNS = 80
_MARKS = {
    Grade.WRONG: "WRONG",
    Grade.ADVICE: "advice",
    Grade.UNKNOWN: "unknown",
    Grade.FINE: "fine",
}
_INDENT = " " * 9
_TEXT = TextWrapper(
    _COLUMNS,
    initial_indent=_INDENT,
    subsequent_indent=_INDENT,
    break_on_hyphens=False,
    break_long_words=False,
)


class _Watch(LengthType):
    """A duration, or ``0s`` for a single look."""

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        if value == "0s":
            return timedelta()
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            self.fail(f"{error.message}, nor 0s", param, ctx)


@click.command(
    epilog=examples(
        ("abuse-agent doctor", "what is wrong here, and what mends it?"),
        ("abuse-agent doctor --watch 30s --all", "watch longer, and tell of what is well, too"),
        ("abuse-agent doctor --json", "for a program, or a monitoring that asks for the status"),
    )
)
@click.option(
    "--watch",
    type=_Watch("1h"),
    default="3s",
    show_default=True,
    metavar="DURATION",
    help="Look twice, so long apart: what grows tells more than what is. 0s looks once.",
)
@click.option("--all", "is_all", is_flag=True, help="Tell also of what is well.")
@where_options
@as_json
@click.pass_context
def doctor(  # noqa: PLR0913 - one argument an option
    context: click.Context,
    *,
    watch: timedelta,
    is_all: bool,
    paths: tuple[str, ...],
    firewall: str | None,
    state_dir: str,
    is_json: bool,
) -> None:
    """Tell whether this machine is well, and what to do where it is not.

    Looks at the TCP sockets by state and what waits in them, the kernel's counters and
    settings, the firewall, the agent, the clock, the disk and the journal. Changes
    nothing, and needs no root; as root it sees whose sockets are whose. Exit status 1
    when something is wrong.
    """
    found = examine(where(paths, firewall, state_dir), watch, time.sleep)
    if is_json:
        show(_fields(found))
    else:
        for line in lines_of(found, is_all=is_all):
            say(line)
    context.exit(1 if found.of(Grade.WRONG) else 0)


def _fields(found: Examination) -> dict[str, object]:
    counts = {grade.value: len(found.of(grade)) for grade in Grade}
    return {
        "at": rfc3339(found.facts.now),
        "watched_s": round(found.facts.watched_s, 3),
        "well": not found.of(Grade.WRONG),
        "summary": counts,
        "findings": [asdict(one) for one in found.findings],
    }


def lines_of(found: Examination, *, is_all: bool) -> Iterator[str]:
    """Write for a person what was found; what is well only where all is asked for."""
    yield from (line for part in about(found.facts) for line in _PLAIN.wrap(part))
    told = found.findings if is_all else found.of(Grade.WRONG, Grade.ADVICE, Grade.UNKNOWN)
    topic: Topic | None = None
    for one in told:
        if is_all and one.topic is not topic:
            topic = one.topic
            yield from ("", topic.value)
        elif one.grade is not Grade.FINE:
            yield ""
        yield from _finding(one)
    yield ""
    yield from _PLAIN.wrap(_verdict(found, is_all=is_all))


_PLAIN = TextWrapper(_COLUMNS, break_on_hyphens=False, break_long_words=False)


def _finding(one: Finding) -> Iterator[str]:
    """Write one finding: a line that says what, then what it means, why, and what to do."""
    yield f"{_MARKS[one.grade]:<7}  {one.name}{f': {one.value}' if one.value else ''}"
    for part in (one.says, one.why):
        yield from _TEXT.wrap(part)
    for part in one.do:
        yield f"{_INDENT}> {part}"


def _verdict(found: Examination, *, is_all: bool) -> str:
    wrong, advice = len(found.of(Grade.WRONG)), len(found.of(Grade.ADVICE))
    fine = counted(len(found.of(Grade.FINE)), "thing")
    more = "" if is_all else "; --all tells of each"
    if wrong or advice:
        parts = [
            *([f"{wrong} wrong"] if wrong else []),
            *([counted(advice, "piece of advice", "pieces of advice")] if advice else []),
        ]
        return f"{', '.join(parts)}; {fine} found well{more}"
    return f"nothing is wrong: {fine} looked at and found well{more}"
