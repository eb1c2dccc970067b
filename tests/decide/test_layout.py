"""What a policy needs of a firewall, and where a ban goes."""

from datetime import timedelta

import pytest

from agent.decide import layout_of
from agent.model.address import HOST
from agent.model.layout import HOST_AND_SSH_DROP, HOST_DROP
from agent.model.policy import Rate, Scope, Service
from tests.builders import NET24, SSH, WEB, ban, half_open, layout, policy, rule, throttle


def test_every_service_can_be_dropped_and_the_host_in_two_ways() -> None:
    found = layout_of(policy(rule()))

    assert [one.target for one in found.sets] == [
        HOST_AND_SSH_DROP,
        HOST_DROP,
        ban(service=WEB).target,
        ban(service=SSH).target,
    ]


def test_rules_that_throttle_alike_share_a_set() -> None:
    found = layout_of(policy(half_open("one"), half_open("two", limit=7), rule()))

    (shared,) = [one for one in found.sets if one.rate is not None]
    assert (shared.ports, shared.per) == (WEB.ports, HOST)


@pytest.mark.parametrize(
    ("services", "ports"),
    [
        pytest.param((WEB,), {22}, id="nobody-says-where-ssh-is"),
        pytest.param((WEB, SSH), {22}, id="as-usual"),
        pytest.param((Service(name="ssh", ports=frozenset({2222})),), {2222}, id="elsewhere"),
    ],
)
def test_a_ban_of_the_host_leaves_ssh_open(services: tuple[Service, ...], ports: set[int]) -> None:
    assert layout_of(policy(services=services)).ssh == ports


def test_a_ban_goes_where_its_target_is() -> None:
    known = layout()

    assert known.set_for(ban()) in known.sets
    assert known.set_for(ban(scope=Scope.HOST, service=SSH)) == known.sets[0]
    assert known.set_for(ban(service=Service(name="gone", ports=frozenset({1})))) is None


def test_a_throttle_goes_where_its_rate_and_its_width_are() -> None:
    slow, fast = Rate(count=1, per=timedelta(seconds=1)), Rate(count=9, per=timedelta(seconds=1))
    known = layout(half_open(rate=slow), half_open("net", rate=slow, per=NET24))

    narrow, wide = known.set_for(throttle()), known.set_for(throttle("192.0.2.0/24"))

    assert narrow is not None
    assert wide is not None
    assert (narrow.per, wide.per) == (HOST, NET24)
    assert known.set_for(throttle("2001:db8::1/128")) == narrow
    assert known.set_for(throttle(rate=fast)) is None
