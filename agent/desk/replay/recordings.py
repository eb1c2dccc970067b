"""What is replayed: a tape, or saved listings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from agent.desk.replay.listings import Heard, Series, frames_of
from agent.errors import InputError, UnreadableError
from agent.model.frame import Frame
from agent.model.policy import Policy
from agent.model.sample import State
from agent.observe.saved.files import open_listings
from agent.observe.saved.read import read_moments
from agent.record.phrases import duration
from agent.record.tape.reader import TAPE, read_tape

_NOTED_AT_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the time before now.

    Attributes:
        since: How long ago it begins; None for where the tape does.
        until: How long ago it ends; None for now.
        now: The moment; aware, UTC.
    """

    since: timedelta | None = None
    until: timedelta | None = None
    now: datetime


@dataclass(slots=True)
class Recording:
    """Moments to be judged, once.

    Attributes:
        frames: In their order; at least one, or an error.
        heard: What was read of listings; None for a tape.
        notes: What there is to say of it, complete when all frames were taken.
    """

    frames: Iterator[Frame]
    heard: Heard | None = None
    notes: list[str] = field(default_factory=list)


def of_listings(
    files: Sequence[str], policies: Sequence[Policy], state: State, now: datetime
) -> Recording:
    """Read saved listings, the first policy's cycle apart.

    Args:
        files: Paths; ``-`` for standard input.
        policies: Their services' ports count as inbound where nothing tells who listens.
        state: Of sockets that ss wrote without one.
        now: The moment of the first listing.
    """
    ports = frozenset(
        port for one in policies for service in one.services for port in service.ports
    )
    heard = Heard()
    series = Series(ports=ports, begin=now, every=policies[0].every)
    moments = read_moments(open_listings(files), state)
    return Recording(frames=frames_of(moments, series, heard), heard=heard)


def of_tape(folder: Path, tape: str | None, span: Span) -> Recording:
    """Read a tape.

    Args:
        folder: The state directory.
        tape: The tape's own; None for that of the state directory.
        span: Which part of it.
    """
    place = Path(tape) if tape else folder / TAPE
    recording = Recording(frames=iter(()))
    recording.frames = _taped(place, span, recording.notes)
    return recording


def _taped(place: Path, span: Span, notes: list[str]) -> Iterator[Frame]:
    """Give the frames of a tape.

    Raises:
        InputError: There is none, or none in this part of it.
        UnreadableError: There might be, but what there is can't be read.
    """
    begin = span.now - span.since if span.since else None
    end = span.now - span.until if span.until else None
    last: Frame | None = None
    for frame in read_tape(place, begin, end, notes.append):
        last = frame
        yield frame
    if last is None and notes:
        raise UnreadableError(f"{place}: {'; '.join(notes[:_NOTED_AT_MOST])}")
    if last is None:
        raise InputError(_nothing(place, span))


def _nothing(place: Path, span: Span) -> str:
    if not place.is_dir():
        return (
            f"{place}: there is no tape: a live run of the agent records one, a dry run "
            "with --tape DIR; replay also reads saved output of netstat and ss"
        )
    if span.since is None and span.until is None:
        return f"{place}: nothing is recorded there yet"
    begin = f"from {duration(span.since.total_seconds())} ago " if span.since else ""
    end = f"to {duration(span.until.total_seconds())} ago" if span.until else "to now"
    return f"{place}: nothing was recorded {begin}{end}"
