"""How far a source is on its way: the newest moments of a tape, judged one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.decide.weigh import Scales, Weight
from agent.desk.explain.values import Ruling
from agent.model.frame import Frame
from agent.model.inputs import Inputs
from agent.model.policy import Policy, Rule

_STALE = timedelta(seconds=2)
_STALE_CYCLES = 3
_MORE = 2
"""Moments ahead of those that count: pressure of SYNs is seen between two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the newest moments leave behind.

    Attributes:
        scales: What weighs the source, with their memories.
        frames: They, oldest first; none where they are not the last ones up to now.
        why: Why there are none; empty otherwise.
    """

    scales: tuple[Scales, ...]
    frames: tuple[Frame, ...] = ()
    why: str = ""

    def rulings(self, inputs: Inputs, now: datetime) -> Iterator[Ruling]:
        """Weigh the source at this moment."""
        for one in self.scales:
            for weight in one.weigh(inputs, now):
                yield self._ruling(weight)

    def _ruling(self, weight: Weight) -> Ruling:
        """Tell in how many of how many samples a source was above a limit."""
        if not self.frames:
            return Ruling(weight=weight, unknown=self.why)
        rule = weight.rule
        floors = [_floor(frame, rule) for frame in self.frames]
        if None in floors:
            return Ruling(weight=weight, unknown="the tape keeps no sources of that width")
        floor = max(filter(None, floors), default=0)
        if floor > weight.limit:
            unknown = f"the tape keeps nobody with {floor} sockets or fewer"
            return Ruling(weight=weight, unknown=unknown)
        return Ruling(weight=weight, samples=min(len(self.frames), rule.sustained.of))


def _floor(frame: Frame, rule: Rule) -> int | None:
    """Give above how many sockets a rule's sources are kept; None where that can't be told.

    Whoever is above a limit has its whole wider source above it, whose members are all kept.
    """
    if not frame.rest:
        return 0
    fitting = [
        rest.floor
        for rest in frame.rest
        if rest.width.ipv4 <= rule.per.ipv4 and rest.width.ipv6 <= rule.per.ipv6
    ]
    return min(fitting, default=None)


def window_of(policy: Policy) -> timedelta:
    """Give how far back the newest moments lie that any rule looks at."""
    most = max(rule.sustained.of for rule in policy.rules)
    return policy.every * (most + _MORE + _STALE_CYCLES) + _STALE


def pace_of(frames: Sequence[Frame], scales: tuple[Scales, ...], now: datetime) -> Pace:
    """Judge the newest moments.

    Args:
        frames: Those of the last `window_of`, oldest first.
        scales: What weighs the source; their memories are added to.
        now: The moment.
    """
    every = scales[0].policy.every
    if not frames:
        return Pace(scales=scales, why="no sample of this moment is on a tape")
    if now - frames[-1].at > every * _STALE_CYCLES + _STALE:
        return Pace(scales=scales, why="the newest sample on the tape is too old")
    for one in scales:
        for frame in frames:
            one.remember(frame.inputs, frame.at)
    return Pace(scales=scales, frames=tuple(frames))
