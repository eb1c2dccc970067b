"""``abuse-agent explain``: why is this one banned, or why not?"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import click

from agent.cli.examples import examples
from agent.cli.explained import fields_of
from agent.cli.options import AGO, SourceType, as_json, tape_option, where, where_options
from agent.cli.output import say, show
from agent.desk.explain.frames import Tape
from agent.desk.explain.look import explain as look_at
from agent.desk.explain.look import open_scene
from agent.desk.explain.tape_words import tape_lines
from agent.desk.explain.words import lines_of
from agent.desk.where import Where
from agent.errors import MissingSourceError
from agent.model.address import Source
from agent.record.tape.reader import TAPE

_SINCE = "24h"


@click.command(
    epilog=examples(
        ("abuse-agent explain 198.51.100.7", "why is it banned, or why not?"),
        ("abuse-agent explain 2001:db8:7::/64 --since 7d", "and what did that line do in a week?"),
    )
)
@click.argument("source", type=SourceType())
@click.option(
    "--since",
    type=AGO,
    default=_SINCE,
    show_default=True,
    help="How far back the tape is read, as 7d.",
)
@tape_option
@where_options
@as_json
@click.pass_context
def explain(  # noqa: PLR0913 - one argument an option
    context: click.Context,
    *,
    source: Source,
    since: timedelta,
    tape: str | None,
    paths: tuple[str, ...],
    firewall: str | None,
    state_dir: str,
    is_json: bool,
) -> None:
    """Tell why SOURCE is banned or not, and all that is known of it.

    Who that address or prefix is, what it holds now, what each rule counts of it, its bans,
    what the firewall holds, and what the tape has. As much of it as can be had is told
    without root and without an agent. Nobody is asked about it, and nothing is changed. Exit
    status 66 when nothing at all is known.
    """
    scene = open_scene(where(paths, firewall, state_dir))
    reel = Tape(Path(tape) if tape else scene.where.folder / TAPE, scene.where.now)
    told = look_at(scene, source, reel.newest)
    if not is_json:
        _say(lines_of(told))
    taped, why = reel.of(source.prefix, scene.policy, since)
    if is_json:
        show(fields_of(told, taped, why))
    else:
        _say(tape_lines(taped, why))
    context.exit(0 if told.is_known or (taped and taped.seen) else MissingSourceError.exit_status)


def words_about(place: Where, source: Source) -> Iterator[str]:
    """Give the lines that the command prints, for whoever shows them elsewhere.

    Raises:
        AgentError: As `open_scene` and `look_at` say.
    """
    scene = open_scene(place)
    reel = Tape(place.folder / TAPE, place.now)
    yield from lines_of(look_at(scene, source, reel.newest))
    since = AGO.convert(_SINCE, None, None)
    yield from tape_lines(*reel.of(source.prefix, scene.policy, since))


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)
