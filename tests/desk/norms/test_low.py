"""A limit that ordinary sources have passed is told, and no other."""

from dataclasses import replace
from typing import Any

import pytest

from agent.desk.norms.low import CYCLES_AT_LEAST, low_cautions
from agent.desk.norms.norm import Norm
from agent.desk.norms.spread import Spread
from agent.model.address import HOST
from agent.model.measure import MEASURES
from agent.model.policy import Mode
from agent.model.sample import State
from tests.builders import NET24, WEB, policy, rule

USUAL = Norm(
    service=WEB,
    measure=MEASURES["connections"],
    width=HOST,
    cycles=CYCLES_AT_LEAST,
    spread=Spread(sources=50_000, p50=2, p99=6, p999=20, most=4000),
    known_most=41,
    floor=10,
    top=(),
    is_partial=False,
)


def told(norm: Norm, **changes: Any) -> list[str]:
    cautions = low_cautions(policy(rule(**changes)), (norm,))
    return [f"{one.kind} {'.'.join(map(str, one.about))}: {one.problem}" for one in cautions]


def test_a_limit_that_a_known_client_has_passed() -> None:
    (line,) = told(USUAL, limit=40)

    assert line.startswith("low rules.web-connections.above: the limit 40 lies below what is")
    assert "a known client, whom nothing spares, held 41 connections to web" in line


def test_a_limit_that_one_in_a_thousand_has_passed() -> None:
    (line,) = told(replace(USUAL, known_most=0), limit=19)

    assert "one in a thousand sources, unless they attacked, held 20 or more connections" in line


@pytest.mark.parametrize(
    ("norm", "changes"),
    [
        (USUAL, {"limit": 41}),
        (replace(USUAL, known_most=0), {"limit": 20}),
        (USUAL, {"limit": 5, "mode": Mode.OBSERVE}),
        (USUAL, {"limit": 5, "states": frozenset({State.TIME_WAIT})}),
        (USUAL, {"limit": 5, "per": NET24}),
        (replace(USUAL, cycles=CYCLES_AT_LEAST - 1), {"limit": 5}),
    ],
    ids=["at the most", "at p99.9", "a shadow", "other states", "another width", "too short"],
)
def test_nothing_is_told_of(norm: Norm, changes: dict[str, Any]) -> None:
    assert told(norm, **changes) == []
