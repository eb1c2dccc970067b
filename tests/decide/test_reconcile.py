from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent.decide import Reconciliation, Recorded, layout_of, reconcile
from agent.model.address import Source
from agent.model.ban import Ban, Held, Mark
from agent.model.policy import Rate, Scope, Service
from tests.builders import (
    NOW,
    SSH,
    WEB,
    ban,
    half_open,
    held,
    policy,
    prefix,
    rule,
    source,
    throttle,
)

BAN = ban()
MARK = Mark(ban_id="b1", rule="web-connections", begins=NOW, lasts=timedelta(minutes=10))


def compare(
    in_force: Iterable[Ban] = (),
    installed: Iterable[Held] = (),
    now: datetime = NOW,
    services: tuple[Service, ...] = (WEB, SSH),
    **changes: Any,
) -> Reconciliation:
    recorded = Recorded(in_force=tuple(in_force), intended={}, has_ended=lambda _: False)
    sets = layout_of(policy(rule(), half_open(), services=services))
    return reconcile(replace(recorded, **changes), installed, sets, now)


def test_what_both_know_is_kept() -> None:
    assert compare([BAN], [held(BAN)]) == Reconciliation(keep=(BAN,))


def test_a_ban_that_the_firewall_lost_is_restored() -> None:
    assert compare([BAN]) == Reconciliation(restore=(BAN,))


def test_a_ban_with_two_seconds_left_has_expired() -> None:
    late = BAN.until - timedelta(seconds=2)

    assert compare([BAN], now=late) == Reconciliation(expired=(BAN,))


def test_a_ban_that_is_over_is_lifted_where_a_saved_firewall_holds_it_for_longer() -> None:
    found = compare([BAN], [held(BAN, left=timedelta(minutes=5))], now=BAN.until)

    assert found.expired == (BAN,)
    assert [(lift.held.source, lift.reason) for lift in found.lift] == [(BAN.source, "over")]


def test_a_clock_set_back_makes_no_rest_longer_than_asked() -> None:
    (restored,) = compare([BAN], now=NOW - timedelta(hours=1)).restore

    assert restored.rest(NOW - timedelta(hours=1)) == BAN.lasts


@pytest.mark.parametrize("left", [timedelta(minutes=9), timedelta(hours=9)])
def test_a_ban_with_another_rest_than_asked_is_set_anew(left: timedelta) -> None:
    assert compare([BAN], [held(BAN, left=left)]) == Reconciliation(restore=(BAN,))


def test_a_rest_that_differs_by_rounding_is_kept() -> None:
    left = timedelta(minutes=10, seconds=1)

    assert compare([BAN], [held(BAN, left=left)]).keep == (BAN,)


def test_a_throttle_at_another_rate_is_set_anew() -> None:
    slow = throttle()

    assert compare([slow], [held(slow, rate=None)]).restore == (slow,)


def test_a_ban_of_a_service_that_is_gone_is_over() -> None:
    assert compare([BAN], services=(SSH,)) == Reconciliation(gone=(BAN,))


def test_a_ban_of_the_host_outlives_its_service() -> None:
    host = ban(scope=Scope.HOST)

    assert compare([host], [held(host)], services=()).keep == (host,)


def test_a_ban_that_was_intended_and_holds_is_adopted_whole() -> None:
    found = compare([], [held(BAN)], intended={"b1": BAN})

    assert found == Reconciliation(adopt=(BAN,))


def test_a_ban_that_was_intended_and_is_not_there_never_held() -> None:
    assert compare(intended={"b1": BAN}) == Reconciliation(never=(BAN,))


def test_a_ban_with_our_mark_is_adopted_for_what_is_left_of_it() -> None:
    (found,) = compare([], [held(BAN, left=timedelta(minutes=4))]).adopt

    assert (found.ban_id, found.rule, found.source, found.target, found.service) == (
        BAN.ban_id,
        BAN.rule,
        BAN.source,
        BAN.target,
        WEB,
    )
    assert (found.rest(NOW), found.lasts) == (timedelta(minutes=4), BAN.lasts)


@pytest.mark.parametrize("service", [WEB, SSH])
def test_a_ban_of_the_host_is_adopted_where_it_was(service: Service) -> None:
    host = ban(scope=Scope.HOST, service=service)

    (found,) = compare([], [held(host)], services=()).adopt

    assert found.target == host.target


def test_a_ban_that_was_over_is_lifted_when_a_saved_firewall_brings_it_back() -> None:
    (lift,) = compare([], [held(BAN)], has_ended=lambda one: one == "b1").lift

    assert lift.reason == "over"


def test_a_ban_that_is_over_is_left_to_the_kernel_for_its_last_second() -> None:
    ending = held(BAN, left=timedelta(seconds=1))

    assert compare([], [ending], has_ended=lambda _: True) == Reconciliation()


def test_a_ban_without_our_mark_is_foreign() -> None:
    (lift,) = compare([], [held(BAN, mark=None)]).lift

    assert lift.reason == "foreign"


def test_a_permanent_ban_is_lifted() -> None:
    endless = held(BAN, left=None)

    assert [lift.reason for lift in compare([], [endless]).lift] == ["permanent"]


def test_a_permanent_ban_of_ours_gets_its_timer_back() -> None:
    endless = held(BAN, left=None)

    found = compare([BAN], [endless])

    assert [lift.held for lift in found.lift] == [endless]
    assert found.restore == (BAN,)


def test_a_firewall_knows_no_zones() -> None:
    zoned = ban(source=Source(prefix("fe80::1/128"), 3))
    read_back = held(zoned, source=Source(prefix("fe80::1/128")))

    assert compare([zoned], [read_back]).keep == (zoned,)


def test_a_ban_that_was_replaced_when_the_agent_was_killed_is_over() -> None:
    newer = ban(ban_id="b2", lasts=timedelta(hours=1))

    found = compare([BAN], [held(newer)], intended={"b2": newer})

    assert found == Reconciliation(replaced=(BAN,), adopt=(newer,))


def test_a_ban_intended_elsewhere_is_not_adopted_here() -> None:
    elsewhere = ban("192.0.2.77/32")

    found = compare([], [held(BAN)], intended={"b1": elsewhere})

    assert [one.source for one in found.adopt] == [BAN.source]
    assert found.adopt[0].count is None


def test_a_throttle_whose_rate_is_gone_is_over() -> None:
    faster = throttle(rate=Rate(count=7, per=timedelta(seconds=1)))

    assert compare([faster]).gone == (faster,)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"source": source("128.0.0.0/2")}, id="wider-than-any-ban"),
        pytest.param({"source": source("2000::/3")}, id="wider-than-any-ban-of-ipv6"),
        pytest.param({"left": timedelta(days=23)}, id="longer-than-its-own-mark-says"),
    ],
)
def test_what_no_ban_of_ours_could_be_is_foreign_whatever_its_mark(changes: Any) -> None:
    found = compare([], [held(BAN, **changes)])

    assert (found.adopt, [lift.reason for lift in found.lift]) == ((), ["foreign"])


def test_one_mark_stands_beside_one_ban_only() -> None:
    copies = [held(BAN, source=source(f"192.0.2.{host}/32")) for host in (11, 12)]

    beside = compare([BAN], [held(BAN), *copies])
    alone = compare([], copies)

    assert (beside.keep, beside.adopt, len(beside.lift)) == ((BAN,), (), 2)
    assert (len(alone.adopt), len(alone.lift)) == (1, 1)
