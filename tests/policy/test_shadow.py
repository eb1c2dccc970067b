"""A rule that is called shadowed can be removed: the same are banned, as soon and for as long."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, event, given
from hypothesis import strategies as st

from agent.decide import Memory, allow_set, step
from agent.model.address import Prefix, Source, unpack
from agent.model.ban import Installed
from agent.model.inputs import Inputs
from agent.model.policy import Answer, Mode, Policy, Rule, Scope, Service, Sustained
from agent.policy.cautions.shadow import shadow_cautions
from tests.builders import NO_BREAKER, NOW, SSH, entry, inputs, policy, rule
from tests.decide.test_series import after
from tests.decide.worlds import ALL_THREE, CALM, SETTINGS, moments, policies

ALL = Service(name="all", ports=frozenset({22, 80, 443, 8080}))
SUSTAINED = [Sustained(times=times, of=of) for times, of in ((1, 2), (2, 2), (2, 3), (3, 3))]
PORTS = sorted(ALL.ports)


@st.composite
def pairs(draw: st.DrawFn) -> Policy:
    """A policy with a rule and one that may shadow it, anywhere among its rules."""
    by = draw(policies(CALM))
    rule = by.rules[0]
    is_slowed = rule.answer is Answer.THROTTLE
    service = rule.service if is_slowed else draw(st.sampled_from([rule.service, ALL, ALL]))
    scopes = [Scope.SERVICE] if is_slowed else [Scope.HOST] if service is ALL else list(Scope)
    other = replace(
        rule,
        name="other",
        service=service,
        limit=draw(st.integers(1, rule.limit)),
        members=draw(st.integers(1, rule.members)),
        lasts=rule.lasts + timedelta(minutes=draw(st.integers(-1, 5))),
        scope=draw(st.sampled_from(scopes)),
        sustained=draw(st.sampled_from([rule.sustained, *SUSTAINED])),
    )
    rules = list(by.rules)
    rules.insert(draw(st.integers(0, len(rules))), other)
    return replace(by, services=(*ALL_THREE, ALL), rules=tuple(rules))


def reached(installed: Installed, moment: Inputs) -> Mapping[tuple[Prefix, int, Answer], timedelta]:
    """Tell of each host that was seen which ports are kept from it, how, and for how long."""
    found: dict[tuple[Prefix, int, Answer], timedelta] = {}
    for held in installed.bans:
        scope, service, answer = held.target
        ports = next((one.ports for one in (*ALL_THREE, ALL) if one.name == service), frozenset())
        if scope is Scope.HOST:
            ports = frozenset(PORTS) - (frozenset() if service == "ssh" else SSH.ports)
        for port in ports:
            for prefix in _seen(moment):
                if prefix.version == held.source.prefix.version and prefix.overlaps(
                    held.source.prefix
                ):
                    key = (prefix, port, answer)
                    found[key] = max(held.left or timedelta(), found.get(key, timedelta()))
    return found


def _seen(moment: Inputs) -> list[Prefix]:
    tally = moment.sample.tallies["sockets"]
    return [Source.of(unpack(family, packed)).prefix for family, _, _, packed in tally]


def run(by: Policy, series: list[Inputs]) -> list[Mapping[tuple[Prefix, int, Answer], timedelta]]:
    """Let a policy judge one moment after the other, with its bans in force."""
    memory, installed, told = Memory(), Installed(), []
    for number, moment in enumerate(series):
        allowed = allow_set(by, moment.spared, NOW)
        given_ = replace(moment, installed=replace(installed, allowed=allowed))
        memory, decision = step(memory, given_, by, NOW + number * by.every)
        installed = after(decision.plan, given_.installed)
        told.append(reached(installed, moment))
    return told


@SETTINGS
@given(pairs(), st.lists(moments(), min_size=2, max_size=4))
def test_without_a_shadowed_rule_the_same_are_banned(by: Policy, series: list[Inputs]) -> None:
    shadowed = {caution.about[1] for caution in shadow_cautions(by)}
    assume(shadowed)
    left: tuple[Rule, ...] = tuple(rule for rule in by.rules if rule.name not in shadowed)
    assert any(rule.mode is Mode.ENFORCE for rule in left)

    without = run(replace(by, rules=left), series)

    event(f"bans: {bool(without[-1])}")
    assert run(by, series) == without


def test_a_rule_from_which_others_are_exempt_is_not_shadowed() -> None:
    relay = entry("relay", "192.0.2.1", services=frozenset({"ssh"}))
    web = rule("web", limit=3)
    every = rule("every", service=ALL, limit=3, scope=Scope.HOST)
    by = policy(web, every, services=(*ALL_THREE, ALL), allowlist=(relay,), safety=NO_BREAKER)
    series = [inputs({"192.0.2.1": 5})]

    assert list(shadow_cautions(by)) == []
    assert run(by, series) != run(replace(by, rules=(every,)), series)
    assert [one.about for one in shadow_cautions(replace(by, allowlist=()))] == [("rules", "web")]
