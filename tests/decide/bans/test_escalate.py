from datetime import timedelta

import pytest

from agent.decide.bans.escalate import length_of
from agent.model.inputs import PastBan
from agent.model.policy import Escalation
from tests.builders import NOW, ban, decide, inputs, policy, source

MINUTES = timedelta(minutes=1)
GROWING = Escalation(times=2, up_to=timedelta(hours=1), within=timedelta(days=7))


def past(*days_ago: float) -> list[PastBan]:
    return [
        PastBan(began=NOW - timedelta(days=days, minutes=10), ended=NOW - timedelta(days=days))
        for days in days_ago
    ]


@pytest.mark.parametrize(
    ("earlier", "minutes"),
    [
        pytest.param([], 10, id="the-first"),
        pytest.param([1], 20, id="the-second"),
        pytest.param([2, 1], 40, id="the-third"),
        pytest.param([3, 2, 1], 60, id="not-above-the-cap"),
        pytest.param([1] * 5000, 60, id="nor-after-thousands"),
        pytest.param([7], 20, id="exactly-as-far-back-as-counts"),
        pytest.param([7.01], 10, id="forgotten-after-that"),
    ],
)
def test_each_earlier_ban_multiplies(earlier: list[float], minutes: int) -> None:
    assert length_of(10 * MINUTES, GROWING, past(*earlier), NOW) == minutes * MINUTES


def test_a_cap_below_the_first_length_shortens_nothing() -> None:
    assert length_of(timedelta(hours=2), GROWING, past(1), NOW) == timedelta(hours=2)


def test_a_source_with_a_past_is_banned_for_longer() -> None:
    history = {source("192.0.2.10"): tuple(past(1))}

    (one,) = decide(inputs({"192.0.2.10": 101}, history=history), policy()).plan.add

    assert one.lasts == 2 * ban().lasts
