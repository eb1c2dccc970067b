"""What no key can know alone: keys that need or exclude each other, names that must exist. Pure.

Every check looks only at values that are sound, so that no fault follows from another.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from agent.model.address import HOST
from agent.model.policy import Scope
from agent.model.sample import State
from agent.policy.block import Block
from agent.policy.fallback import Fallback
from agent.policy.names import is_slug
from agent.policy.place import Faults, Place
from agent.policy.relations import WHO
from agent.policy.respell import nearest
from agent.policy.shapes import AdministratorsShape, Defaults, PartyShape, RuleShape, keys
from agent.policy.words import did_you_mean, listed, shortened, shown

D = TypeVar("D", bound=Defaults)
P = TypeVar("P", bound=PartyShape)

_MOST_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the rules and entries may refer to.

    Attributes:
        services: Names, of broken services too; None when some may be lost.
        fallback: What a rule may leave out; None when that is broken.
    """

    services: Collection[str] | None
    fallback: Fallback | None


def check_unique(named: Iterable[tuple[str, Place]], faults: Faults) -> None:
    """Tell of each name that stands for a second time."""
    first: dict[str, Place] = {}
    for name, place in named:
        if name in first:
            faults.add(place, f"the name {shown(name)} is taken by {first[name].line}")
        else:
            first[name] = place


def check_party(party: Block[P], known: Known, faults: Faults) -> None:
    """Check one allowlist entry, or the trusted proxies."""
    who = [key for key in WHO if key in keys(type(party.shape))]
    if party.given.isdisjoint(who) and party.sound(*who):
        faults.add(party.place, f"names nobody: give {listed(who, 'or')}")
    if party.sound("services"):
        for number, name in enumerate(party.shape.services):
            _check_service(name, party.place.at("services", number), known, faults)


def check_administrators(block: Block[AdministratorsShape], faults: Faults) -> None:
    """Check that somebody is named."""
    if not block.given:
        faults.add(block.place, "names nobody: give users or groups, or leave the key out")


def check_rule(rule: Block[RuleShape], known: Known, faults: Faults) -> None:
    """Check one rule."""
    if rule.sound("service"):
        _check_service(rule.shape.service, rule.place.at("service"), known, faults)
    if rule.sound("count", "throttle"):
        _check_answer(rule, faults)
    if rule.sound("count"):
        _check_states(rule, faults)
    _check_scope(rule, faults)
    if rule.sound("per", "members"):
        _check_members(rule, faults)
    check_length(rule, "for" if "throttle" in rule.given else "ban", known.fallback, faults)


def check_length(block: Block[D], key: str, fallback: Fallback | None, faults: Faults) -> None:
    """Check that a first ban, whose length is that of `key`, is not above its maximum."""
    if (
        fallback is None
        or not block.sound(key, "escalate")
        or block.given.isdisjoint([key, "escalate"])
    ):
        return
    escalation = fallback.under(block.shape).escalation
    if escalation.times > 1 and (_own_length(block) or fallback.ban) > escalation.up_to:
        steps = (key,) if key in block.given else ("escalate", "up_to")
        problem = "a first ban is longer than escalate's up_to (24h unless given): raise up_to"
        faults.add(block.place.at(*steps), f"{problem}, or write escalate: none")


def _own_length(block: Block[D]) -> timedelta | None:
    shape = block.shape
    return shape.lasts if isinstance(shape, RuleShape) and "throttle" in block.given else shape.ban


def _check_service(name: str, place: Place, known: Known, faults: Faults) -> None:
    if known.services is None or name in known.services:
        return
    if not known.services:
        faults.add(place, f"no service is named {shown(name)}: declare it under services")
        return
    first = [shortened(one) for one in list(known.services)[:_MOST_LISTED]]
    more = len(known.services) - len(first)
    there = listed([*first, *([f"{more} more"] if more else [])])
    right = [] if faults.is_crowded else filter(is_slug, known.services)
    close = nearest(name, right)
    advice = f"; {did_you_mean(close)}" if close else ""
    faults.add(place, f"no service is named {shown(name)}: there is {there}{advice}")


def _check_answer(rule: Block[RuleShape], faults: Faults) -> None:
    place, given, measure = rule.place, rule.given, rule.shape.count
    if {"ban", "throttle"} <= given:
        problem = "ban and throttle exclude each other: remove one; the length of a throttle is for"
        faults.add(place.at_key("throttle"), problem)
    elif "throttle" not in given and not measure.proves:
        culprit = place.at_key("ban") if "ban" in given else place.at("count")
        problem = f"{measure.name} proves nothing, a forged packet would ban an innocent source"
        faults.add(culprit, f"{problem}: give throttle, as 1/s, instead of a ban")
    elif "throttle" not in given and "for" in given:
        problem = "for is the length of a throttle: give throttle too, or write ban instead"
        faults.add(place.at_key("for"), problem)


def _check_states(rule: Block[RuleShape], faults: Faults) -> None:
    measure = rule.shape.count
    if "states" in rule.given and not measure.proves:
        names = listed(state.name for state in measure.states)
        faults.forget_within(rule.place.at("states"))
        faults.add(
            rule.place.at_key("states"), f"{measure.name} always counts {names}: leave it out"
        )
        return
    states = rule.shape.states if rule.sound("states") else None
    for number, state in enumerate(states or ()):
        if state not in measure.states:
            advice = "count half_open, with throttle, instead" if state is State.SYN_RECV else ""
            possible = advice or f"possible: {listed(sorted(each.name for each in measure.states))}"
            problem = f"{measure.name} does not count {state.name}: {possible}"
            faults.add(rule.place.at("states", number), problem)


def _check_scope(rule: Block[RuleShape], faults: Faults) -> None:
    is_wrong = "scope" in rule.given and (
        not rule.sound("scope") or rule.shape.scope is not Scope.SERVICE
    )
    if "throttle" in rule.given and is_wrong:
        faults.forget_within(rule.place.at("scope"))
        problem = "a throttle is of scope service: it slows new connections to its ports down"
        faults.add(rule.place.at("scope"), problem)


def _check_members(rule: Block[RuleShape], faults: Faults) -> None:
    per = rule.shape.per
    if rule.shape.members > 1 and (per.ipv4 >= HOST.ipv4 or per.ipv6 >= HOST.ipv6):
        problem = "a host is one source, not several: give a wider per, as {ipv4: 24, ipv6: 48}"
        faults.add(rule.place.at("members"), problem)
