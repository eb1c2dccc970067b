"""Limits that lie below what this machine has normally seen."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from agent.desk.norms.norm import Norm, norms_of
from agent.errors import AgentError
from agent.model.caution import Caution
from agent.model.policy import Mode, Policy, Rule
from agent.record.tape.reader import read_tape

CYCLES_AT_LEAST = 40
"""Of fewer nothing can be called normal."""

_LOOKED_BACK = timedelta(days=1)
_FRAMES = 960
_OF_EACH = 40
"""Frames of each hour of a day: they tell what is normal, and are read in a second. Of a
shorter tape there are as many in all, so that its first minutes do not speak for the rest."""


def tape_cautions(folder: Path, policy: Policy, now: datetime) -> Iterator[Caution]:
    """Tell of rules whose limit ordinary sources have passed by a tape; nothing without one."""
    try:
        frames = read_tape(folder, since=now - _LOOKED_BACK, until=now, each=_each(folder))
        norms = norms_of(frames, policy)
    except AgentError:
        return
    yield from low_cautions(policy, norms)


def _each(folder: Path) -> int:
    files = sum(1 for _ in folder.glob("*.tape"))
    return max(_OF_EACH, _FRAMES // max(files, 1))


def low_cautions(policy: Policy, norms: Iterable[Norm]) -> Iterator[Caution]:
    """Tell of rules whose limit ordinary sources have passed.

    Args:
        policy: Only rules that act, and count a measure's usual states, are looked at.
        norms: What is normal, for the services of that policy.
    """
    by_subject = {
        (one.service.name, one.measure.name, one.width): one
        for one in norms
        if one.cycles >= CYCLES_AT_LEAST
    }
    for rule in policy.rules:
        norm = by_subject.get((rule.service.name, rule.measure.name, rule.per))
        is_usual = rule.mode is Mode.ENFORCE and rule.states == rule.measure.usual
        if norm is not None and is_usual and (why := _why(rule, norm)):
            yield Caution(kind="low", about=("rules", rule.name, "above"), problem=why)


def _why(rule: Rule, norm: Norm) -> str:
    limit = rule.limit
    if norm.known_most > limit:
        seen = f"a known client, whom nothing spares, held {norm.known_most}"
    elif norm.spread.p999 > limit:
        seen = f"one in a thousand sources, unless they attacked, held {norm.spread.p999} or more"
    else:
        return ""
    return (
        f"the limit {limit} lies below what is normal here: by the tape {seen} "
        f"{norm.measure.unit} to {rule.service.name}; abuse-agent suggest tells who"
    )
