"""What is going on at the machine as a whole: pressure of SYNs, floods, a proxy in front."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.decide.case import Case
from agent.decide.proof import under_pressure
from agent.model.alarm import Alarm
from agent.model.inputs import Counters, Inputs
from agent.model.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is remembered of it."""


def pressed(before: Counters, inputs: Inputs, policy: Policy) -> frozenset[str]:
    """Give the names of the services that are under pressure of SYNs."""
    if under_pressure(before, inputs.counters):
        return frozenset(one.name for one in policy.services)
    return frozenset()


def watched(
    watch: Watch, inputs: Inputs, policy: Policy, cases: Sequence[Case], now: datetime
) -> tuple[Watch, tuple[Alarm, ...]]:
    """Go on watching, and give what began or ended.

    Args:
        watch: What was remembered.
        inputs: The moment.
        policy: In force.
        cases: Who is near or above a limit.
        now: The moment.
    """
    return watch, ()
