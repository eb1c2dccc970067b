"""One contract, every firewall. A new one is a line in `FIREWALLS`."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from agent.act.dry_run import DryRun
from agent.act.interface import Firewall
from agent.model.plan import Lift, Plan
from agent.model.policy import Answer, Scope
from tests.builders import NOW, SSH, ban, held, prefix

FIREWALLS: list[Callable[[], Firewall]] = [DryRun]


@pytest.fixture(params=FIREWALLS)
def firewall(request: pytest.FixtureRequest) -> Firewall:
    made: Firewall = request.param()
    return made


def sources(firewall: Firewall, later: timedelta = timedelta(0)) -> list[str]:
    return sorted(str(one.source) for one in firewall.installed(NOW + later).bans)


def test_it_begins_empty(firewall: Firewall) -> None:
    installed = firewall.installed(NOW)

    assert (installed.bans, installed.allowed) == ((), frozenset())


def test_what_was_added_is_read_back_whole(firewall: Firewall) -> None:
    firewall.apply(Plan(add=(ban(),)), NOW)

    assert firewall.installed(NOW).bans == (held(ban()),)


@pytest.mark.parametrize(
    "source", ["192.0.2.1/32", "192.0.2.0/24", "2001:db8::/64", "2001:db8::1/128"]
)
def test_hosts_and_prefixes_of_both_families_are_taken(firewall: Firewall, source: str) -> None:
    firewall.apply(Plan(add=(ban(source),)), NOW)

    assert [str(one.source.prefix) for one in firewall.installed(NOW).bans] == [source]


def test_a_ban_ends_by_itself(firewall: Firewall) -> None:
    firewall.apply(Plan(add=(ban(lasts=timedelta(seconds=10)),)), NOW)

    assert sources(firewall, timedelta(seconds=9)) == ["192.0.2.10"]
    assert sources(firewall, timedelta(seconds=10)) == []


def test_every_ban_has_a_timer(firewall: Firewall) -> None:
    firewall.apply(Plan(add=(ban(lasts=timedelta(milliseconds=1)),)), NOW)

    assert all(one.left is not None for one in firewall.installed(NOW).bans)


def test_a_ban_is_lifted(firewall: Firewall) -> None:
    firewall.apply(Plan(add=(ban(), ban("192.0.2.11/32"))), NOW)

    firewall.apply(Plan(lift=(Lift(held=held(ban()), reason="test"),)), NOW)

    assert sources(firewall) == ["192.0.2.11"]


def test_a_lift_of_an_expired_ban_does_not_sink_the_rest(firewall: Firewall) -> None:
    gone = Lift(held=held(ban("203.0.113.9/32")), reason="test")

    firewall.apply(Plan(add=(ban(),), lift=(gone,)), NOW)

    assert sources(firewall) == ["192.0.2.10"]


def test_the_same_plan_twice_is_the_plan_once(firewall: Firewall) -> None:
    plan = Plan(add=(ban(), ban("192.0.2.0/24")), allow=frozenset({prefix("198.51.100.7/32")}))
    firewall.apply(plan, NOW)
    once = firewall.installed(NOW)

    firewall.apply(plan, NOW)

    assert firewall.installed(NOW) == once


def test_adding_what_is_there_refreshes_its_end(firewall: Firewall) -> None:
    firewall.apply(Plan(add=(ban(lasts=timedelta(seconds=10)),)), NOW)

    firewall.apply(Plan(add=(ban(lasts=timedelta(seconds=60)),)), NOW)

    assert sources(firewall, timedelta(seconds=59)) == ["192.0.2.10"]


def test_one_source_may_be_banned_for_several_targets(firewall: Firewall) -> None:
    bans = (
        ban(),
        ban(service=SSH),
        ban(scope=Scope.HOST),
        ban(answer=Answer.THROTTLE),
    )

    firewall.apply(Plan(add=bans), NOW)

    assert {one.target for one in firewall.installed(NOW).bans} == {one.target for one in bans}


def test_the_allow_set_is_replaced_by_what_a_plan_says(firewall: Firewall) -> None:
    first, second = frozenset({prefix("192.0.2.1/32")}), frozenset({prefix("2001:db8::/32")})
    firewall.apply(Plan(allow=first), NOW)
    firewall.apply(Plan(), NOW)
    assert firewall.installed(NOW).allowed == first

    firewall.apply(Plan(allow=second), NOW)

    assert firewall.installed(NOW).allowed == second
