"""From saved listings to moments, as they come: nothing is held but one moment and one piece.

A moment begins with a header, with the next stream, and with a row that another tool
wrote. Two headers are of one moment: netstat's title and the columns below it, and
that of /proc/net/tcp6 behind rows of /proc/net/tcp, in the next stream too.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Protocol

from agent.errors import UnreadableError
from agent.model.sample import Sample, State
from agent.observe.saved.forms import LINE_BYTES
from agent.observe.saved.reading import Reading
from agent.observe.saved.values import Moment
from agent.observe.tally import sample_of

_PIECE_BYTES = 1 << 16


class Stream(Protocol):
    """Something that gives bytes, as a file that is open for reading."""

    def read1(self, size: int, /) -> bytes:
        """Give the next bytes, at most so many; none at the end."""


def read_moments(
    streams: Iterable[tuple[str, Stream]], stateless: State = State.ESTABLISHED
) -> Iterator[Moment]:
    """Read the moments in some streams, one after another.

    Args:
        streams: Each with the name by which it is shown.
        stateless: The state of sockets that ss wrote without one.

    Raises:
        UnreadableError: There is no row and no header in any of them.
    """
    reading = Reading(stateless)
    for name, stream in streams:
        reading.begin(name)
        for piece in _pieces(stream):
            yield from reading.take(piece)
    last = reading.finished()
    if last is None:
        raise UnreadableError(_nothing(reading))
    yield last


def sample_of_saved(moment: Moment, ports: Iterable[int], now: datetime) -> Sample:
    """Give the sample that a moment is.

    Args:
        moment: As it was read; it stays as it is.
        ports: Those of the services: they count as listening where no row listens.
        now: When it was taken.
    """
    return sample_of(moment.raw.copy(), now, frozenset(ports))


def _nothing(reading: Reading) -> str:
    if reading.examples:
        one = reading.examples[0]
        return f"{one.where}: {one.reason}: {one.text}"
    return f"{reading.name or 'nothing given'}: no line of netstat, ss or /proc/net/tcp in it"


def _pieces(stream: Stream) -> Iterator[bytes]:
    """Give whole lines, each with its line feed; of one that is too long the first bytes."""
    rest, is_skipping = b"", False
    while piece := stream.read1(_PIECE_BYTES):
        begin = piece.find(b"\n") if is_skipping else 0
        if begin < 0:
            continue
        end = piece.rfind(b"\n") + 1
        if end:
            yield rest + piece[begin:end]
            rest, begin = b"", end
        rest, is_skipping = rest + piece[begin:], False
        if len(rest) > LINE_BYTES:
            rest, is_skipping = rest[: LINE_BYTES + 1], True
    if rest:
        yield rest + b"\n"
