"""``abuse-agent replay``: what would a policy have done?"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import click

from agent.cli import replayed
from agent.cli.examples import examples
from agent.cli.options import as_json, span_of, tape_options, where
from agent.cli.output import say, show
from agent.desk.replay.compare import Difference, differences
from agent.desk.replay.journal import Outcome
from agent.desk.replay.listings import Heard, reasons_of
from agent.desk.replay.recordings import Recording, of_listings, of_tape
from agent.desk.replay.run import Run
from agent.desk.replay.run import replay as judge
from agent.identify.vendors import read_vendors
from agent.model.inputs import History
from agent.model.policy import Policy
from agent.model.sample import State
from agent.policy import default_paths, load_policy
from agent.record.events import Json
from agent.record.phrases import counted
from agent.service import clock

_STATES = [state.name for state in State if state is not State.LISTEN]


@click.command(
    epilog=examples(
        ("abuse-agent replay --policy my.yaml --since 24h", "whom would it have banned?"),
        (
            "abuse-agent replay --policy new.yaml --against old.yaml",
            "what would the new one do otherwise?",
        ),
        (
            "ss -tan | abuse-agent replay --policy my.yaml --assume-sustained -",
            "whom would it ban, by a listing?",
        ),
    )
)
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option(
    "--policy",
    "paths",
    metavar="PATH",
    multiple=True,
    help="The policy to try; a file or a folder, may be given again.  [default: as for run]",
)
@click.option(
    "--against",
    metavar="PATH",
    multiple=True,
    help="Tell what differs from this policy; exit status 1 if anything does.",
)
@click.option(
    "--assume-sustained",
    is_flag=True,
    help="Take each moment as if it had lasted, as rules want it.",
)
@click.option(
    "--state",
    type=click.Choice(_STATES),
    default=State.ESTABLISHED.name,
    metavar="STATE",
    help="What ss was asked for, where it wrote no State column.  [default: ESTABLISHED]",
)
@tape_options
@as_json
def replay(  # noqa: PLR0913 - one argument an option
    *,
    files: tuple[str, ...],
    paths: tuple[str, ...],
    against: tuple[str, ...],
    assume_sustained: bool,
    state: str,
    since: timedelta | None,
    until: timedelta | None,
    tape: str | None,
    state_dir: str,
    is_json: bool,
) -> int:
    """Tell what a policy would have done, to whom, when and why.

    Without FILE that is judged on the tape, which a running agent records. FILE
    is saved output of netstat -n, netstat -ant, ss -tan, /proc/net/tcp or tcp6,
    plain or gzip, of one moment or of several; "-" is standard input. Nothing is
    changed, and no root is needed for what may be read.
    """
    if files and (since or until or tape):
        raise click.UsageError("--since, --until and --tape are about the tape, not about FILE")
    groups = [paths or default_paths(), *([against] if against else [])]
    policies = [_policy(group, assume_sustained=assume_sustained) for group in groups]
    if files:
        recording = of_listings(files, policies, State[state], clock.now())
        history: History = {}
    else:
        from agent.desk.replay.history import read_history  # noqa: PLC0415 - a listing has none

        place = where((), None, state_dir)
        recording = of_tape(place.folder, tape, span_of(since, until, place.now))
        history = read_history(place)
    vendors = read_vendors()
    runs = [Run(policy, vendors, history) for policy in policies]
    judge(recording.frames, runs)
    outcomes = [outcome for run in runs if (outcome := run.journal.outcome())]
    different = differences(*outcomes) if against else ()
    if is_json:
        show(_fields(outcomes, different, recording))
    else:
        for line in _lines(outcomes, different, recording):
            say(line)
    return int(bool(different))


def _policy(paths: Sequence[str], *, assume_sustained: bool) -> Policy:
    policy = load_policy(paths)
    return policy.as_if_sustained() if assume_sustained else policy


def _lines(
    outcomes: Sequence[Outcome], different: Sequence[Difference], recording: Recording
) -> Iterator[str]:
    if recording.heard is not None:
        yield from _heard(recording.heard, outcomes[0])
    yield from recording.notes
    yield from replayed.lines_of(outcomes[0])
    if len(outcomes) > 1:
        new, old = outcomes
        yield ""
        yield from replayed.difference_lines(different, new, old)


def _heard(heard: Heard, outcome: Outcome) -> Iterator[str]:
    """Say what was read of listings, and what of it a person would not expect."""
    unread = heard.unread.total()
    yield (
        f"read {counted(heard.sockets, 'socket')} in {counted(heard.moments, 'moment')}; "
        f"{counted(heard.others, 'other line')}, {counted(unread, 'line')} not understood"
    )
    for reason in reasons_of(heard.unread):
        yield f"  {reason}"
    for example in heard.examples:
        yield f"  {example.where}: {example.text}"
    if heard.is_stateless:
        yield "no State column: all are taken as --state says, ESTABLISHED unless it is given"
    if heard.is_deaf:
        yield "no LISTEN rows: what is on the ports of the policy's services counts as inbound"
    slow = [rule.name for rule in outcome.policy.rules if rule.sustained.times > heard.moments]
    if slow:
        yield (
            f"{counted(heard.moments, 'moment')} can't show what lasts: {', '.join(slow)} want "
            "more; --assume-sustained takes each moment as if it had lasted"
        )


def _fields(
    outcomes: Sequence[Outcome], different: Sequence[Difference], recording: Recording
) -> dict[str, Json]:
    found: dict[str, Json] = {"replay": replayed.fields_of(outcomes[0])}
    if len(outcomes) > 1:
        found["against"] = replayed.fields_of(outcomes[1])
        found["differences"] = replayed.difference_fields(different)
    if recording.heard is not None:
        heard = recording.heard
        found["read"] = {
            "moments": heard.moments,
            "sockets": heard.sockets,
            "others": heard.others,
            "unread": {reason.name.lower(): count for reason, count in heard.unread.items()},
            "examples": [
                {"where": one.where, "text": one.text, "reason": str(one.reason)}
                for one in heard.examples
            ],
            "stateless": heard.is_stateless,
            "listeners": not heard.is_deaf,
        }
    found["notes"] = list(recording.notes)
    return found
