"""Recorded moments, made by hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from agent.model.address import HOST
from agent.model.frame import Frame, Rest
from agent.model.inputs import Standing
from agent.model.sample import Sample
from tests.builders import NOW, inputs

EVERY = timedelta(seconds=5)
KEPT = (Rest(width=HOST, floor=10),)


def frame(number: int, counts: Mapping[str, int] | Sample, **changes: Any) -> Frame:
    """Give the moment of that number, from 0, which is an agent's first."""
    inputs_changes = changes.pop("inputs", {})
    given = inputs(counts, **{"standing": Standing(), **inputs_changes})
    usual = Frame(
        at=NOW + number * EVERY,
        is_start=number == 0,
        policy_sha256="0" * 64,
        inputs=given,
        rest=KEPT,
    )
    return replace(usual, **changes)


def frames(*moments: Mapping[str, int]) -> list[Frame]:
    """Give moments one after the other."""
    return [frame(number, counts) for number, counts in enumerate(moments)]
