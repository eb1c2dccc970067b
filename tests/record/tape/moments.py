"""Moments to be recorded, made by hand."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from agent.decide import Memory, standing_of
from agent.model.inputs import Standing
from agent.model.learned import Learned
from agent.model.policy import Policy
from agent.model.sample import SOCKETS, Sample
from agent.record.tape.interface import Moment
from tests.builders import NOW, inputs, policy

EVERY = timedelta(seconds=5)


def moment(
    number: int,
    counts: Mapping[str, int] | Sample,
    by: Policy | None = None,
    memory: Memory | None = None,
    **changes: Any,
) -> Moment:
    """Give the cycle of that number, from 0."""
    return moment_at(NOW + number * EVERY, counts, by, memory, **changes)


def moment_at(
    at: datetime,
    counts: Mapping[str, int] | Sample,
    by: Policy | None = None,
    memory: Memory | None = None,
    **changes: Any,
) -> Moment:
    """Give a cycle."""
    learned = changes.pop("learned", Learned())
    given = inputs(counts, **changes)
    seen = replace(given, sample=replace(given.sample, taken_at=at))

    def standing(kept: Collection[bytes]) -> Standing:
        return standing_of(memory or Memory(), seen.sample.tallies[SOCKETS], kept)

    return Moment(inputs=seen, policy=by or policy(), standing=standing, learned=lambda: learned)
