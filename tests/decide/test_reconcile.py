from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent.decide import Reconciliation, Recorded, reconcile
from agent.model.address import Source
from agent.model.ban import Ban, Held, Mark
from agent.model.policy import Scope, Service
from tests.builders import NOW, SSH, WEB, ban, held, prefix, throttle

BAN = ban()
SERVICES = {"web": WEB, "ssh": SSH}
MARK = Mark(ban_id="b1", rule="web-connections", begins=NOW, lasts=timedelta(minutes=10))


def compare(
    in_force: Iterable[Ban] = (),
    installed: Iterable[Held] = (),
    now: datetime = NOW,
    services: Mapping[str, Service] = SERVICES,
    **changes: Any,
) -> Reconciliation:
    recorded = Recorded(in_force=tuple(in_force), intended={}, has_ended=lambda _: False)
    return reconcile(replace(recorded, **changes), installed, services, now)


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
    assert compare([BAN], services={"ssh": SSH}) == Reconciliation(gone=(BAN,))


def test_a_ban_of_the_host_outlives_its_service() -> None:
    host = ban(scope=Scope.HOST)

    assert compare([host], [held(host)], services={}).keep == (host,)


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

    (found,) = compare([], [held(host)], services={}).adopt

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
