"""Limits that lie below what this machine has normally seen."""

from collections.abc import Iterable, Iterator

from agent.desk.norms.norm import Norm
from agent.model.caution import Caution
from agent.model.policy import Mode, Policy, Rule

CYCLES_AT_LEAST = 100
"""Of fewer nothing can be called normal."""


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
        seen = f"one in a thousand sources held more than {norm.spread.p999 - 1}"
    else:
        return ""
    return (
        f"the limit {limit} lies below what is normal here: by the tape {seen} "
        f"{norm.measure.unit} to {rule.service.name}; abuse-agent suggest tells more"
    )
