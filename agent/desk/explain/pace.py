"""How far a source is on its way: the newest moments of a tape, judged one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.decide import Memory
from agent.decide.weigh import Weight, remembering
from agent.desk.explain.values import Ruling
from agent.model.address import Prefix
from agent.model.frame import Frame
from agent.model.inputs import Identities
from agent.model.policy import Policy, Rule

_STALE = timedelta(seconds=2)
_STALE_CYCLES = 3
_MORE = 2
"""Moments ahead of those that count: pressure of SYNs is seen between two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the newest moments leave behind.

    Attributes:
        memory: After the last of them.
        frames: They, oldest first; none where they are not the last ones up to now.
        why: Why there are none; empty otherwise.
    """

    memory: Memory
    frames: tuple[Frame, ...] = ()
    why: str = ""

    @property
    def identities(self) -> Identities:
        """Who was looked up, by the last moment."""
        return self.frames[-1].inputs.identities if self.frames else Identities()

    def ruling(self, weight: Weight) -> Ruling:
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


def pace_of(
    frames: Sequence[Frame], wide: Prefix, policy: Policy, memory: Memory, now: datetime
) -> Pace:
    """Judge the newest moments.

    Args:
        frames: Those of the last `window_of`, oldest first.
        wide: Whose neighbourhood.
        policy: By which.
        memory: What an earlier run has learned.
        now: The moment.
    """
    if not frames:
        return Pace(memory=memory, why="no sample of this moment is on a tape")
    if now - frames[-1].at > policy.every * _STALE_CYCLES + _STALE:
        return Pace(memory=memory, why="the newest sample on the tape is too old")
    return Pace(memory=remembering(frames, wide, policy, memory), frames=tuple(frames))
