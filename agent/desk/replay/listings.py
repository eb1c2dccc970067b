"""Moments out of saved listings: what an operator has at hand where nothing was recorded.

A listing tells the sockets of one moment, and nothing of the kernel's counters, of names or
of who else was here before. The moments are taken to be as far apart as the policy's cycles.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from agent.model.frame import Frame
from agent.model.inputs import OWN_ADDRESS, Inputs
from agent.model.sample import State
from agent.observe.saved.read import sample_of_saved
from agent.observe.saved.values import Example, Moment, Reason
from agent.observe.surroundings import guards_of
from agent.record.phrases import counted

EXAMPLES_AT_MOST = 10

_LISTING = f"{OWN_ADDRESS} (the listing)"


@dataclass(slots=True)
class Heard:
    """What was read, over all moments.

    Attributes:
        moments: How many there were.
        sockets: Lines that are sockets.
        others: Headers and what is no TCP socket.
        unread: Lines that could not be read, by the reason.
        examples: Some of them.
        is_stateless: Whether some sockets came without a state.
        is_deaf: Whether some moment had no LISTEN rows.
    """

    moments: int = 0
    sockets: int = 0
    others: int = 0
    unread: Counter[Reason] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    is_stateless: bool = False
    is_deaf: bool = False

    def take(self, moment: Moment) -> None:
        """Add one moment."""
        self.moments += 1
        self.sockets += moment.lines
        self.others += moment.others
        self.unread.update(moment.unread.reasons)
        self.is_deaf |= State.LISTEN not in {key[1] for key in moment.raw}
        room = EXAMPLES_AT_MOST - len(self.examples)
        self.examples += moment.unread.examples[: max(0, room)]
        self.is_stateless |= moment.is_stateless


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """How moments are to be taken.

    Attributes:
        ports: Those that count as listening where a listing has no LISTEN rows.
        begin: The first moment; aware, UTC.
        every: From one to the next.
    """

    ports: frozenset[int]
    begin: datetime
    every: timedelta


def frames_of(moments: Iterable[Moment], series: Series, heard: Heard) -> Iterator[Frame]:
    """Give a frame for each moment, and note in `heard` what was read.

    Raises:
        AgentError: What reading the listings raises.
    """
    for number, moment in zip(count(), moments, strict=False):
        heard.take(moment)
        at = series.begin + number * series.every
        own = ((address, _LISTING) for address in moment.own)
        yield Frame(
            at=at,
            is_start=number == 0,
            inputs=Inputs(
                sample=sample_of_saved(moment, series.ports, at),
                surroundings=guards_of(own, ()),
            ),
        )


def reasons_of(unread: Mapping[Reason, int]) -> Iterator[str]:
    """Say why lines could not be read, the most frequent reason first."""
    for reason, lines in sorted(unread.items(), key=lambda one: (-one[1], one[0])):
        yield f"{counted(lines, 'line')}: {reason}"
