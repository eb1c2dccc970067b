"""``abuse-agent suggest``: which limits fit this machine?"""

from collections.abc import Iterator
from datetime import UTC, timedelta

import click

from agent.cli.examples import examples
from agent.cli.options import as_json, span_of, tape_options, where
from agent.cli.output import say, show
from agent.cli.replayed import bans_lines, fields_of
from agent.desk.norms.norm import Norm
from agent.desk.replay.recordings import Recording, of_tape
from agent.desk.suggest import Known, Suggestion, Suggestions
from agent.desk.suggest import suggest as look
from agent.model.address import HOST
from agent.model.frame import Frame
from agent.policy import default_paths, load_policy
from agent.record.events import Json, rfc3339
from agent.record.phrases import counted

_RULES = """\
Rules to paste into the policy. Each limit is twice what 999 of 1,000 sources, and every
known client, ever held here; so look at whom they would have banned:"""


@click.command(
    epilog=examples(
        ("abuse-agent suggest", "which limits fit this machine?"),
        (
            "abuse-agent suggest --since 7d --until 2d",
            "... without the attack of the last two days",
        ),
    )
)
@click.option(
    "--policy",
    "paths",
    metavar="PATH",
    multiple=True,
    help="The policy whose services, widths and allowlist count; may be given again.  "
    "[default: as for run]",
)
@tape_options
@as_json
def suggest(  # noqa: PLR0913 - one argument an option
    *,
    paths: tuple[str, ...],
    since: timedelta | None,
    until: timedelta | None,
    tape: str | None,
    state_dir: str,
    is_json: bool,
) -> None:
    """Tell what sources usually hold here, and which limits fit that.

    Looks at the tape that a running agent records, and ends with rules to paste, and whom
    they would have banned. What attackers held counts like all else: leave their hours out
    with --since and --until. Nothing is changed.
    """
    policy = load_policy(paths or default_paths())
    place = where((), None, state_dir)
    span = span_of(since, until, place.now)
    read: list[Recording] = []

    def again() -> Iterator[Frame]:
        read.append(of_tape(place.folder, tape, span))
        return read[-1].frames

    found = look(again, policy)
    notes = read[0].notes
    if is_json:
        show(_fields(found) | {"notes": notes})
        return
    for line in (*notes, *_lines(found)):
        say(line)


def _lines(found: Suggestions) -> Iterator[str]:
    outcome = found.outcome
    if not found.each:
        yield "nobody held a connection to a service of the policy while this was recorded"
        return
    if outcome is not None:
        began, ended = (
            f"{one.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for one in (outcome.began, outcome.ended)
        )
        yield f"{counted(outcome.cycles, 'cycle')}, {began} to {ended} UTC"
    for one in found.each:
        yield ""
        yield from _subject(one)
    yield ""
    yield from _RULES.split("\n")
    yield ""
    yield "rules:"
    for one in found.each:
        yield from (f"  {line}" for line in one.rule.split("\n"))
    yield ""
    if found.skipped:
        yield (
            f"without {counted(found.skipped, 'cycle')}, of which the tape had room for the "
            "heaviest sources only:"
        )
    if outcome is not None:
        yield from bans_lines(outcome)


def _subject(one: Suggestion) -> Iterator[str]:
    norm, spread = one.norm, one.norm.spread
    per = "" if norm.width == HOST else f" per {norm.width}"
    yield f"{norm.measure.unit} to {norm.service.name}{per}, a source in a cycle:"
    yield (
        f"  p50 {spread.p50}, p99 {spread.p99}, p99.9 {spread.p999}, most {spread.most}; "
        f"known clients {norm.known_most}"
    )
    if norm.is_partial:
        yield f"  recorded without it: only sources with more than {norm.floor} sockets count"
    for known in one.top:
        yield f"  {_known(known)}"


def _known(known: Known) -> str:
    peak, who = known.peak, ", ".join(known.who)
    return (
        f"{peak.count:>7}  {peak.source}  at {peak.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}, "
        f"there in {counted(peak.cycles, 'cycle')}{f': {who}' if who else ''}"
    )


def _fields(found: Suggestions) -> dict[str, Json]:
    return {
        "subjects": [_subject_fields(one) for one in found.each],
        "replay": fields_of(found.outcome) if found.outcome else None,
        "skipped": found.skipped,
    }


def _subject_fields(one: Suggestion) -> dict[str, Json]:
    norm: Norm = one.norm
    return {
        "service": norm.service.name,
        "measure": norm.measure.name,
        "per": str(norm.width),
        "cycles": norm.cycles,
        "sources": norm.spread.sources,
        "p50": norm.spread.p50,
        "p99": norm.spread.p99,
        "p99_9": norm.spread.p999,
        "max": norm.spread.most,
        "known_clients_max": norm.known_most,
        "partial": norm.is_partial,
        "top": [
            {
                "source": str(each.peak.source),
                "count": each.peak.count,
                "at": rfc3339(each.peak.at),
                "cycles": each.peak.cycles,
                "who": list(each.who),
            }
            for each in one.top
        ],
        "rule": one.rule,
    }
