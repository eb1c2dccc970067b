"""One contract, every firewall. A new one is a line in `FIREWALLS`.

Those with a kernel behind them each get a network namespace of their own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from agent.act.dry_run import DryRun
from agent.act.interface import Firewall
from agent.act.iptables.firewall import Iptables
from agent.act.nftables.firewall import Nftables
from agent.decide.layout import layout_of
from agent.model.ban import Ban, Held
from agent.model.plan import Lift, Plan
from agent.model.policy import Rate, Scope, Service
from tests.builders import (
    NOW,
    SSH,
    WEB,
    ban,
    half_open,
    held,
    layout,
    policy,
    prefix,
    rule,
    throttle,
)
from tests.range import in_namespace, namespace, why_not

_ROUNDING = timedelta(seconds=2)
"""A kernel's timers run on while a test runs, and their lengths are rounded up."""

FIREWALLS = [
    pytest.param((DryRun, False), id="dry-run"),
    pytest.param((Nftables, True), id="nftables", marks=pytest.mark.root),
    pytest.param(
        (partial(Iptables, "-legacy"), True), id="iptables-legacy", marks=pytest.mark.root
    ),
    pytest.param((partial(Iptables, "-nft"), True), id="iptables-nft", marks=pytest.mark.root),
]


@dataclass(slots=True)
class Trial:
    """A firewall, and a moment that passes as fast as the firewall's own clock."""

    firewall: Firewall
    is_live: bool
    now: datetime = NOW

    def wait(self, seconds: float) -> None:
        if self.is_live:
            time.sleep(seconds)
        self.now += timedelta(seconds=seconds)

    def apply(self, *add: Ban, **changes: object) -> None:
        self.firewall.apply(replace(Plan(add=add), **changes), self.now)  # type: ignore[arg-type]

    def bans(self) -> tuple[Held, ...]:
        return tuple(
            sorted(
                self.firewall.installed(self.now).bans,
                key=lambda one: (one.source.order, one.target),
            )
        )

    def sources(self) -> list[str]:
        return [str(one.source) for one in self.bans()]


@pytest.fixture(name="trial", params=FIREWALLS)
def _trial(request: pytest.FixtureRequest) -> Iterator[Trial]:
    make, is_live = request.param
    if not is_live:
        yield Trial(make(), is_live=False)
        return
    if reason := why_not():
        pytest.skip(reason)
    with namespace() as name, in_namespace(name):
        yield Trial(make(), is_live=True)


@pytest.fixture(autouse=True)
def _prepared(trial: Trial) -> None:
    trial.firewall.prepare(layout())


def test_it_begins_empty(trial: Trial) -> None:
    installed = trial.firewall.installed(NOW)

    assert (installed.bans, installed.allowed) == ((), frozenset())


def test_preparing_again_makes_nothing(trial: Trial) -> None:
    assert trial.firewall.prepare(layout()) == ()


def test_nothing_is_missing_once_it_is_prepared(trial: Trial) -> None:
    assert trial.firewall.missing(layout()) == ()


def test_bans_stay_when_it_is_prepared_again(trial: Trial) -> None:
    trial.apply(ban())

    trial.firewall.prepare(layout(rule(), rule("other", limit=7)))

    assert trial.sources() == ["192.0.2.10"]


def test_a_set_that_a_new_policy_needs_is_made(trial: Trial) -> None:
    mail = Service(name="mail", ports=frozenset({25}))
    changed = layout_of(policy(services=(WEB, SSH, mail)))

    trial.firewall.prepare(changed)
    trial.apply(ban(service=mail))

    assert trial.sources() == ["192.0.2.10"]


def test_a_service_that_is_gone_takes_its_bans_with_it(trial: Trial) -> None:
    trial.apply(ban(), ban("192.0.2.11/32", service=SSH))

    trial.firewall.prepare(layout_of(policy(services=(WEB,))))

    assert trial.sources() == ["192.0.2.10"]


def test_a_service_of_any_name_and_many_ports_is_taken(trial: Trial) -> None:
    wide = Service(
        name="A.rather-long_name." + "x" * 45,
        ports=frozenset({*range(2000, 2500), *range(3000, 3060, 2)}),
    )

    trial.firewall.prepare(layout_of(policy(rule(service=wide), services=(wide,))))
    trial.apply(ban(service=wide, rule="a" * 64))

    assert [one.target for one in trial.bans()] == [ban(service=wide).target]
    assert trial.bans()[0].mark == held(ban(rule="a" * 64)).mark


@pytest.mark.parametrize("make", [ban, throttle])
def test_what_was_added_is_read_back_whole(trial: Trial, make: Callable[..., Ban]) -> None:
    trial.apply(make())

    (found,) = trial.bans()

    assert replace(found, left=None) == replace(held(make()), left=None)
    assert found.left is not None
    assert abs(found.left - make().lasts) < _ROUNDING


@pytest.mark.parametrize("make", [ban, throttle])
@pytest.mark.parametrize(
    "source", ["192.0.2.1/32", "192.0.2.0/24", "2001:db8::/64", "2001:db8::1/128", "2001:db8::/48"]
)
def test_hosts_and_prefixes_of_both_families_are_taken(
    trial: Trial, source: str, make: Callable[..., Ban]
) -> None:
    trial.apply(make(source))

    assert [str(one.source.prefix) for one in trial.bans()] == [source]


def test_the_longer_ban_of_one_line_stays_beside_that_of_its_neighbourhood(trial: Trial) -> None:
    pairs = ("192.0.2.1/32", "192.0.2.0/24", "2001:db8::/64", "2001:db8::/48", "2001:db8::1/128")

    trial.apply(*(ban(one, ban_id=f"b{index}") for index, one in enumerate(pairs)))

    assert {str(one.source.prefix) for one in trial.bans()} == set(pairs)


def test_a_ban_ends_by_itself(trial: Trial) -> None:
    trial.apply(ban(lasts=timedelta(seconds=1)), ban("192.0.2.0/24", lasts=timedelta(seconds=1)))
    assert trial.sources() == ["192.0.2.0/24", "192.0.2.10"]

    trial.wait(2.5)

    assert trial.sources() == []


def test_every_ban_has_a_timer(trial: Trial) -> None:
    trial.apply(ban(lasts=timedelta(milliseconds=1)))

    assert all(one.left is not None for one in trial.bans())


def test_a_ban_whose_time_is_over_is_not_added(trial: Trial) -> None:
    trial.now += timedelta(minutes=11)

    trial.apply(ban())

    assert trial.sources() == []


@pytest.mark.parametrize("make", [ban, throttle])
@pytest.mark.parametrize(
    "source", ["192.0.2.1/32", "192.0.2.0/24", "2001:db8::/64", "2001:db8::/48"]
)
def test_a_ban_is_lifted(trial: Trial, source: str, make: Callable[..., Ban]) -> None:
    trial.apply(make(source), make("198.51.100.1/32"))

    trial.apply(lift=(Lift(held=held(make(source)), reason="test"),))

    assert trial.sources() == ["198.51.100.1"]


def test_a_lift_of_an_expired_ban_does_not_sink_the_rest(trial: Trial) -> None:
    gone = tuple(
        Lift(held=held(ban(one)), reason="test") for one in ("203.0.113.9/32", "203.0.113.0/24")
    )

    trial.apply(ban(), ban("192.0.2.0/24"), lift=gone)

    assert trial.sources() == ["192.0.2.0/24", "192.0.2.10"]


def test_a_lift_of_a_service_that_is_gone_does_not_sink_the_rest(trial: Trial) -> None:
    gone = held(ban(service=Service(name="gone", ports=frozenset({7}))))

    trial.apply(ban(), lift=(Lift(held=gone, reason="test"),))

    assert trial.sources() == ["192.0.2.10"]


def test_a_wider_ban_replaces_the_narrow_one_in_one_plan(trial: Trial) -> None:
    trial.apply(ban("192.0.2.0/25"))

    trial.apply(ban("192.0.2.0/24"), lift=(Lift(held=held(ban("192.0.2.0/25")), reason="test"),))

    assert trial.sources() == ["192.0.2.0/24"]


def test_the_same_plan_twice_is_the_plan_once(trial: Trial) -> None:
    bans, allow = (ban(), ban("192.0.2.0/24")), frozenset({prefix("198.51.100.7/32")})
    trial.apply(*bans, allow=allow)
    once = [(one.source, one.target, one.mark) for one in trial.bans()]

    trial.apply(*bans, allow=allow)

    assert [(one.source, one.target, one.mark) for one in trial.bans()] == once


def test_adding_what_is_there_refreshes_its_end(trial: Trial) -> None:
    trial.apply(ban(lasts=timedelta(seconds=10)), ban("192.0.2.0/24", lasts=timedelta(seconds=10)))

    trial.apply(ban(lasts=timedelta(seconds=60)), ban("192.0.2.0/24", lasts=timedelta(seconds=60)))

    assert all(one.left and one.left > timedelta(seconds=55) for one in trial.bans())


def test_a_throttle_of_another_rate_takes_the_place_of_the_first(trial: Trial) -> None:
    faster = Rate(count=5, per=timedelta(seconds=1))
    trial.firewall.prepare(layout(half_open(), half_open("faster", rate=faster)))
    trial.apply(throttle())

    trial.apply(throttle(rate=faster))

    assert [one.rate for one in trial.bans()] == [faster]


def test_one_source_may_be_banned_for_several_targets(trial: Trial) -> None:
    bans = (
        ban(),
        ban(service=SSH),
        ban(scope=Scope.HOST),
        ban(scope=Scope.HOST, service=SSH),
        throttle(),
    )

    trial.apply(*bans)

    assert {one.target for one in trial.bans()} == {one.target for one in bans}


def test_the_allow_set_is_replaced_by_what_a_plan_says(trial: Trial) -> None:
    first = frozenset({prefix("192.0.2.1/32"), prefix("10.0.0.0/8"), prefix("fe80::/10")})
    second = frozenset({prefix("2001:db8::/32"), prefix("10.0.0.0/8")})
    trial.apply(allow=first)
    trial.apply()
    assert trial.firewall.installed(NOW).allowed == first

    trial.apply(allow=second)

    assert trial.firewall.installed(NOW).allowed == second
    assert trial.firewall.allowed() == second


def test_an_allow_set_of_everything_holds(trial: Trial) -> None:
    everything = frozenset({prefix("0.0.0.0/0"), prefix("::/0")})

    trial.apply(allow=everything)

    assert trial.firewall.installed(NOW).allowed == everything


def test_nothing_is_touched_by_its_own_changes(trial: Trial) -> None:
    trial.apply(ban(), allow=frozenset({prefix("192.0.2.1/32")}))
    trial.firewall.installed(NOW)

    assert not trial.firewall.is_touched()


def test_nothing_is_wrong_with_what_it_made(trial: Trial) -> None:
    trial.apply(ban())

    assert trial.firewall.inspect().faults == ()


def test_teardown_removes_everything(trial: Trial) -> None:
    trial.apply(ban(), throttle(), allow=frozenset({prefix("192.0.2.1/32")}))

    trial.firewall.teardown()

    assert trial.firewall.teardown() == ()
    trial.firewall.prepare(layout())
    assert trial.sources() == []
