from datetime import timedelta

import pytest

from agent.decide import Memory, step
from agent.decide.bans.court import REASONS_AT_MOST
from agent.decide.bans.wish import Wish, merge, target_of
from agent.model.layout import HOST_AND_SSH_DROP
from agent.model.policy import Scope, Service
from tests.builders import (
    NET24,
    NOW,
    SSH,
    WEB,
    ban,
    decide,
    entry,
    found,
    holding,
    inputs,
    policy,
    rule,
    sample,
    source,
    tally,
)

HOUR = timedelta(hours=1)
MINUTES = timedelta(minutes=10)


def wish(index: int, text: str, lasts: timedelta = MINUTES, service: Service = WEB) -> Wish:
    return Wish(
        verdicts=(index,),
        source=source(text),
        target=target_of(rule(service=service), Scope.SERVICE),
        lasts=lasts,
        rule=rule(service=service, lasts=lasts),
        count=101 + index,
        limit=100,
    )


def test_overlapping_bans_become_the_widest() -> None:
    (merged,) = merge([wish(0, "192.0.2.10/32"), wish(1, "192.0.2.0/24", HOUR)])

    assert (str(merged.source), merged.lasts) == ("192.0.2.0/24", HOUR)
    assert (merged.verdicts, merged.count) == ((0, 1), 102)


def test_a_longer_ban_of_one_line_stays_beside_that_of_its_neighbourhood() -> None:
    merged = merge([wish(0, "192.0.2.10/32", HOUR), wish(1, "192.0.2.0/24")])

    assert [(str(one.source), one.lasts) for one in merged] == [
        ("192.0.2.0/24", MINUTES),
        ("192.0.2.10", HOUR),
    ]


def test_a_longer_ban_of_a_prefix_does_not() -> None:
    (merged,) = merge([wish(0, "192.0.2.64/26", HOUR), wish(1, "192.0.2.0/24")])

    assert (str(merged.source), merged.lasts) == ("192.0.2.0/24", MINUTES)


def test_of_two_for_one_source_the_longest_is_installed() -> None:
    (merged,) = merge([wish(0, "192.0.2.1/32"), wish(1, "192.0.2.1/32", HOUR)])

    assert (merged.lasts, merged.count, merged.verdicts) == (HOUR, 102, (0, 1))


def test_bans_of_different_targets_are_not_merged() -> None:
    wishes = [wish(0, "192.0.2.1/32"), wish(1, "192.0.2.1/32", service=SSH)]

    assert len(merge(wishes)) == 2


def test_the_order_is_that_of_the_heaviest_verdict() -> None:
    wishes = [
        wish(0, "192.0.2.9/32"),
        wish(1, "192.0.2.1/32", service=SSH),
        wish(2, "192.0.2.5/32"),
    ]

    assert [str(one.source) for one in merge(wishes)] == ["192.0.2.9", "192.0.2.1", "192.0.2.5"]


def test_a_ban_by_members_says_of_whom() -> None:
    crowd = rule("crowd", per=NET24, members=3)
    by = policy(crowd, allowlist=(entry("probe", "192.0.2.200/32"),))

    added = decide(inputs({f"192.0.2.{host}": 40 for host in range(3)}), by).plan.add

    expected = "crowd: 120 connections of 192.0.2.0/24, limit 100, above in 1 of the last 1 samples"
    assert {one.reasons for one in added} == {(expected,)}


def test_of_very_many_reasons_the_heaviest_are_told() -> None:
    rules = [rule("crowd", per=NET24, limit=1), rule("host", limit=1)]
    counts = {f"192.0.2.{host}": 2 + host for host in range(50)}

    (one,) = decide(inputs(counts), policy(*rules)).plan.add

    assert len(one.reasons) == REASONS_AT_MOST + 1
    assert one.reasons[-1] == f"and {51 - REASONS_AT_MOST} more"


def test_a_ban_of_the_whole_host_covers_no_service_by_name() -> None:
    assert target_of(rule(scope=Scope.HOST), Scope.HOST)[1] == ""


def test_a_ban_carries_its_evidence() -> None:
    (one,) = decide(inputs({"192.0.2.1": 101}), policy()).plan.add

    assert (one.rule, one.measure, one.count, one.limit) == (
        "web-connections",
        "connections",
        101,
        100,
    )
    assert one.reasons == (
        "web-connections: 101 connections, limit 100, above in 1 of the last 1 samples",
    )


def test_ids_differ_by_source_and_by_moment() -> None:
    added = decide(inputs({"192.0.2.1": 101, "192.0.2.2": 101}), policy()).plan.add

    assert len({one.ban_id for one in added}) == 2
    assert all(one.ban_id.isalnum() for one in added)


@pytest.mark.parametrize(
    ("service", "answers"),
    [
        pytest.param(WEB, "held", id="a-ban-of-the-host-covers-the-web"),
        pytest.param(SSH, "ban", id="but-leaves-ssh-open"),
    ],
)
def test_a_ban_of_the_host_covers_every_service_but_ssh(service: Service, answers: str) -> None:
    crowd = sample(tally({"192.0.2.10": 101}, port=min(service.ports)))
    host = holding(ban(scope=Scope.HOST, service=WEB))

    decision = decide(inputs(crowd, installed=host), policy(rule(service=service)))

    assert found(decision) == {"192.0.2.10": answers}


def test_a_rule_about_ssh_bans_from_all_of_the_host() -> None:
    crowd = sample(tally({"192.0.2.10": 101}, port=22))

    decision = decide(inputs(crowd), policy(rule(service=SSH, scope=Scope.HOST)))

    assert [one.target for one in decision.plan.add] == [HOST_AND_SSH_DROP]


def test_bans_that_nobody_judged_are_looked_through_again() -> None:
    by = policy(allowlist=(entry("office", "192.0.2.10", services=frozenset({"web"})),))
    memory, _ = step(Memory(), inputs({}), by, NOW)
    adopted = inputs({}, installed=holding(ban()), is_strange=True)

    _, decision = step(memory, adopted, by, NOW)

    assert [lift.reason for lift in decision.plan.lift] == ["exempt"]
