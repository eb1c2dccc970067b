"""The promises over series of moments, with what was banned before in force."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.decide import Memory, allow_set, step
from agent.decide.ask import WAITED_FOR
from agent.model.address import is_line, overlaps
from agent.model.ban import Ban, Held, Installed
from agent.model.inputs import Inputs
from agent.model.plan import Plan
from agent.model.policy import Policy
from agent.model.verdict import Finding
from tests.builders import NOW, held
from tests.decide.test_safety import reaches, spared
from tests.decide.worlds import SETTINGS, moments, policies

serieses = st.lists(moments(), min_size=2, max_size=5)


def after(plan: Plan, before: Installed) -> Installed:
    """Give what a firewall holds that did as it was told."""
    places: dict[tuple[object, object], Held] = {
        (one.source, one.target): one for one in before.bans
    }
    for lift in plan.lift:
        del places[lift.held.source, lift.held.target]
    places |= {(ban.source, ban.target): held(ban) for ban in plan.add}
    return replace(before, bans=tuple(places.values()))


def disjoint(one: Held | Ban, other: Held | Ban) -> bool:
    lines = is_line(one.source.prefix) or is_line(other.source.prefix)
    return (
        one.target != other.target
        or not overlaps(one.source.prefix, other.source.prefix)
        or (lines and one.source != other.source)
    )


@SETTINGS
@given(policies(), serieses, st.booleans())
def test_at_every_moment_the_promises_hold(
    by: Policy, series: list[Inputs], allow_set_is_there: bool
) -> None:
    memory, installed = Memory(), Installed()
    for number, moment in enumerate(series):
        allowed = allow_set(by, moment.spared, NOW) if allow_set_is_there else frozenset()
        given_ = replace(moment, installed=replace(installed, allowed=allowed))
        memory, decision = step(memory, given_, by, NOW + number * by.every)
        installed = after(decision.plan, given_.installed)

        assert len(decision.plan.add) <= by.safety.new_bans_per_cycle
        assert len(installed.bans) <= max(by.safety.max_bans, len(given_.installed.bans))
        for prefix, port in spared(by, moment):
            for ban in decision.plan.add:
                covered = any(overlaps(listed, prefix) for listed in allowed)
                assert covered or not reaches(ban, prefix, port)
        for index, one in enumerate(installed.bans):
            assert all(disjoint(one, other) for other in installed.bans[:index])


@SETTINGS
@given(policies(), moments())
def test_nobody_is_waited_for_longer_than_an_answer_takes(by: Policy, moment: Inputs) -> None:
    memory, waits = Memory(), Counter[object]()
    cycles = 6
    for number in range(cycles):
        memory, decision = step(memory, moment, by, NOW + number * by.every)
        waits.update(
            (one.source, one.rule.name)
            for one in decision.verdicts
            if one.finding is Finding.PENDING
        )

    assert max(waits.values(), default=0) <= 1 + -(-WAITED_FOR // by.every)


@SETTINGS
@given(policies(), serieses)
def test_who_is_above_for_long_enough_is_banned_or_told_why_not(
    by: Policy, series: list[Inputs]
) -> None:
    """Nothing is ever lost: each source above its limit gets a verdict with a reason."""
    memory = Memory()
    for number, moment in enumerate(series):
        memory, decision = step(memory, moment, by, NOW + number * by.every)
        banned = {one.source for one in decision.plan.add}
        for verdict in decision.verdicts:
            asks = verdict.finding in {Finding.BAN, Finding.THROTTLE}
            if asks:
                assert any(overlaps(verdict.source.prefix, one.prefix) for one in banned)
            if verdict.finding in {Finding.BAN, Finding.SPARED, Finding.DEFERRED}:
                assert verdict.above >= verdict.rule.sustained.times
                assert verdict.count > verdict.limit
