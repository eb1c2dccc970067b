"""One source weighed by every rule: as the judgement itself would, and without anybody else."""

from fractions import Fraction
from typing import Any

import pytest

from agent.decide import Memory
from agent.decide.weigh import Weight, narrowed, neighbourhood, scales_for
from agent.model.address import HOST
from agent.model.inputs import Guard, Inputs, PastBan, Surroundings
from agent.model.learned import Learned
from agent.model.policy import Mode, Policy, Safety, Sustained
from agent.model.sample import SOCKETS, State
from agent.model.verdict import Finding
from tests.builders import (
    NET24,
    NOW,
    entry,
    half_open,
    inputs,
    policy,
    prefix,
    rule,
    sample,
    source,
    tally,
)

ONE = "192.0.2.10"
WIDE = rule("wide", per=NET24, members=3, limit=50)


def weights(seen: Inputs, by: Policy, text: str = ONE) -> list[Weight]:
    scales = scales_for(prefix(text), by, Memory())
    return [weight for one in scales for weight in one.weigh(seen, NOW)]


def findings(counts: dict[str, int], by: Policy, **changes: object) -> dict[str, Finding | None]:
    return {one.rule.name: one.finding for one in weights(inputs(counts, **changes), by)}


def test_a_count_far_below_its_limit_is_weighed_as_well() -> None:
    (one,) = weights(inputs({ONE: 1}), policy())

    assert (one.count, one.limit, one.hosts, one.is_above) == (1, 100, 1, False)
    assert one.finding is Finding.WARNED
    assert one.rule == rule()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Finding.BAN),
        ({"mode": Mode.OBSERVE}, Finding.OBSERVED),
        ({"sustained": Sustained(times=3, of=5)}, Finding.BAN),
    ],
)
def test_what_follows_is_told_as_if_it_stayed_so(
    changes: dict[str, Any], expected: Finding
) -> None:
    assert findings({ONE: 101}, policy(rule(**changes))) == {"web-connections": expected}


def test_who_is_spared_is_so_by_the_same_entry_as_ever() -> None:
    listed = policy(allowlist=(entry("office", f"{ONE}/32"),))
    assert findings({ONE: 101}, listed) == {"web-connections": Finding.EXEMPT}

    guards = Surroundings(guards=(Guard(prefix=prefix(f"{ONE}/32"), why="gateway"),))
    assert findings({ONE: 101}, policy(), surroundings=guards) == {
        "web-connections": Finding.EXEMPT
    }


def test_of_a_wide_source_the_hosts_are_counted_and_too_few_are_no_ground() -> None:
    by = policy(rule(), WIDE)
    few = {ONE: 40, "192.0.2.11": 40, "198.51.100.1": 99}
    (wide,) = [one for one in weights(inputs(few), by) if one.rule == WIDE]

    assert (wide.source, wide.count, wide.hosts) == (source("192.0.2.0/24"), 80, 2)
    assert wide.finding is None
    assert findings({**few, "192.0.2.12": 1}, by)["wide"] is Finding.BAN


def test_a_neighbourhood_is_as_wide_as_a_rule_or_what_is_asked_for() -> None:
    assert neighbourhood(prefix("192.0.2.10/32"), NET24) == prefix("192.0.2.0/24")
    assert neighbourhood(prefix("192.0.0.0/16"), NET24) == prefix("192.0.0.0/16")
    assert neighbourhood(prefix("2001:db8:1:2::/64"), NET24) == prefix("2001:db8:1::/48")
    assert neighbourhood(prefix("2001:db8::7/128"), HOST) == prefix("2001:db8::/64")


def test_in_a_wide_prefix_only_those_near_a_limit_are_told() -> None:
    counts = {f"192.0.2.{number}": 30 * number for number in range(1, 5)}
    found = weights(inputs(counts), policy(), "192.0.0.0/16")

    assert [(str(one.source), one.count) for one in found] == [
        ("192.0.2.4", 120),
        ("192.0.2.3", 90),
    ]


def test_a_host_has_the_rows_of_its_own_width_alone() -> None:
    by = policy(rule(), WIDE)
    found = weights(inputs({ONE: 5, "192.0.2.11": 200}), by)

    assert [(one.rule.name, one.count) for one in found] == [("web-connections", 5), ("wide", 205)]


def test_who_is_left_out_is_told_as_sums() -> None:
    seen = inputs(sample(tally({ONE: 3, "198.51.100.1": 5}), tally({"2001:db8::1": 2})))
    found = narrowed(seen, prefix(f"{ONE}/32")).sample

    assert sum(found.tallies[SOCKETS].values()) == 3
    assert found.others == {(State.ESTABLISHED, 80): 7}
    assert found.states == seen.sample.states


def test_known_clients_of_one_network_open_no_breaker() -> None:
    by = policy(safety=Safety(known_clients_share=Fraction(1, 5)))
    some = [f"192.0.2.{number}" for number in range(1, 7)]
    seen = (99, int(NOW.timestamp()))
    clients = {prefix(one).network_address.packed: seen for one in some}
    learned = Learned(clients=clients, tried=by.sha256)
    (scales,) = scales_for(prefix("192.0.2.0/24"), by, Memory.of(learned))
    found = list(scales.weigh(inputs(dict.fromkeys(some, 101)), NOW))

    assert [one.finding for one in found] == [Finding.BAN] * 6


def test_a_later_ban_is_longer_by_the_history() -> None:
    past = {source(f"{ONE}/32"): (PastBan(began=NOW, ended=NOW),)}
    (one,) = weights(inputs({ONE: 101}, history=past), policy())

    assert one.lasts == 2 * rule().lasts


def test_moments_on_a_tape_tell_how_far_it_is_sustained() -> None:
    by = policy(rule(sustained=Sustained(times=3, of=5)))
    (scales,) = scales_for(prefix(ONE), by, Memory())
    for count in (9, 101, 7, 102):
        scales.remember(inputs({ONE: count}), NOW)
    (one,) = scales.weigh(inputs({ONE: 103}), NOW)

    assert one.above == 2
    assert one.finding is Finding.BAN


def test_half_open_connections_are_unproven_where_no_syns_press() -> None:
    by = policy(half_open())
    seen = inputs(sample(tally({ONE: 99}, state=State.SYN_RECV)))
    (one,) = weights(seen, by)

    assert (one.finding, one.is_proven) == (Finding.UNPROVEN, False)

    both = sample(tally({ONE: 99}, state=State.SYN_RECV), tally({ONE: 1}))
    (one,) = weights(inputs(both), by)
    assert (one.finding, one.is_proven) == (Finding.UNPROVEN, True)
