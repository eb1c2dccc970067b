from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from ipaddress import ip_address
from typing import ClassVar

import pytest

from agent.decide import Memory, step
from agent.decide.bans.clients import KNOWN_AFTER
from agent.decide.bans.joining import Neighbours, join
from agent.decide.bans.wish import Wish, target_of
from agent.model.address import HOST, Source, covers, grouper, pack
from agent.model.ban import Held, Installed, Target
from agent.model.policy import Answer, Safety, Scope
from tests.builders import (
    NOW,
    RATE,
    ban,
    banned,
    decide,
    entry,
    found,
    held,
    inputs,
    policy,
    prefix,
    rule,
    source,
)

RULE = rule()
WEB_DROP = target_of(RULE, Scope.SERVICE)


def wish(text: str, lasts: timedelta = RULE.lasts, target: Target = WEB_DROP) -> Wish:
    return Wish(
        verdicts=(int(source(text).prefix.network_address) & 0xFF,),
        source=source(text),
        target=target,
        lasts=lasts,
        rule=RULE,
        count=101,
        limit=100,
    )


def neighbours(
    *bans: Held, others: tuple[str, ...] = (), spared: tuple[str, ...] = ()
) -> Neighbours:
    key_of = grouper(HOST)

    def may_reach(one: Source, _: Target) -> bool:
        return not any(one.prefix.overlaps(source(text).prefix) for text in spared)

    return Neighbours(
        held=bans,
        others={key_of(*pack(source(text).prefix.network_address)) for text in others},
        may_reach=may_reach,
        rules={RULE.name: RULE},
    )


def crowd(network: str, hosts: int, first: int = 0) -> list[Wish]:
    return [wish(f"{network}.{host}/32") for host in range(first, first + hosts)]


def sources(wishes: list[Wish]) -> list[str]:
    return [str(one.source) for one in wishes]


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        pytest.param(128, ["192.0.2.0/24"], id="half-of-24"),
        pytest.param(127, ["192.0.2.0/26", "192.0.2.64/26"], id="less-in-26"),
        pytest.param(40, ["192.0.2.0/26"], id="more-than-half-of-26"),
        pytest.param(24, ["192.0.2.0/28", "192.0.2.16/28"], id="less-in-28"),
        pytest.param(8, ["192.0.2.0/28"], id="half-of-28"),
    ],
)
def test_what_the_guilty_fill_is_joined(hosts: int, expected: list[str]) -> None:
    joined = join(crowd("192.0.2", hosts), neighbours())

    assert sources(joined) == expected
    assert sum(one.joined for one in joined) == hosts


def test_what_they_do_not_fill_stays_single() -> None:
    assert sources(join(crowd("192.0.2", 7), neighbours())) == [f"192.0.2.{n}" for n in range(7)]


def test_an_ipv6_customer_is_joined() -> None:
    wishes = [wish(f"2001:db8:0:{net:x}::/64") for net in range(0, 6400, 100)]

    (joined,) = join(wishes, neighbours())

    assert (str(joined.source), joined.joined) == ("2001:db8::/48", 64)


def test_single_addresses_of_a_64_are_not_joined() -> None:
    wishes = [wish(f"2001:db8:0:1::{host:x}/128") for host in range(40)]

    assert len(join(wishes, neighbours())) == 40


def test_whoever_else_is_there_keeps_his_network_from_being_joined() -> None:
    wishes = crowd("192.0.2", 200)

    joined = join(wishes, neighbours(others=("192.0.2.250/32",)))

    assert "192.0.2.0/24" not in sources(joined)
    assert not any(one.source.prefix.overlaps(source("192.0.2.250/32").prefix) for one in joined)


def test_whoever_is_spared_does_so_too() -> None:
    joined = join(crowd("192.0.2", 200), neighbours(spared=("192.0.2.251/32",)))

    assert not any(one.source.prefix.overlaps(source("192.0.2.251/32").prefix) for one in joined)


def test_what_is_held_is_joined_with_what_is_asked_for() -> None:
    bans = [held(ban(f"192.0.2.{host}/32")) for host in range(100)]

    (joined,) = join(crowd("192.0.2", 28, first=100), neighbours(*bans))

    assert (str(joined.source), joined.joined) == ("192.0.2.0/24", 128)


def test_a_connection_to_something_else_keeps_no_banned_network_from_being_joined() -> None:
    bans = [held(ban(f"192.0.2.{host}/32")) for host in range(100)]
    here = tuple(f"192.0.2.{host}/32" for host in range(100))

    (joined,) = join(crowd("192.0.2", 28, first=100), neighbours(*bans, others=here))

    assert str(joined.source) == "192.0.2.0/24"


def test_what_is_held_is_joined_alone_for_no_longer_than_its_longest() -> None:
    left = timedelta(minutes=3)
    bans = [held(ban(f"192.0.2.{host}/32"), left=left) for host in range(128)]

    (joined,) = join([], neighbours(*bans))

    assert (joined.lasts, joined.count, joined.verdicts) == (left, None, ())


@pytest.mark.parametrize(
    "changes", [{"left": None}, {"mark": None}], ids=["without-end", "without-mark"]
)
def test_what_is_not_ours_is_not_joined(changes: dict[str, None]) -> None:
    bans = [held(ban(f"192.0.2.{host}/32"), **changes) for host in range(128)]

    assert join([], neighbours(*bans)) == []


def test_what_a_rule_of_that_name_asked_for_once_is_not_joined() -> None:
    """The joined ban would be what the rule asks for now: something else."""
    bans = [held(ban(f"192.0.2.{host}/32")) for host in range(128)]
    changed = rule(answer=Answer.THROTTLE, rate=RATE)

    assert join([], replace(neighbours(*bans), rules={changed.name: changed})) == []


def test_what_is_joined_comes_first_and_lasts_for_the_longest() -> None:
    wishes = [wish("198.51.100.1/32"), *crowd("192.0.2", 128)]
    wishes[5] = wish("192.0.2.4/32", timedelta(hours=2))

    joined = join(wishes, neighbours())

    assert sources(joined) == ["192.0.2.0/24", "198.51.100.1"]
    assert joined[0].lasts == timedelta(hours=2)


class TestWhole:
    """By whole judgements."""

    counts: ClassVar = {f"192.0.2.{host}": 101 for host in range(130)}
    safety = Safety(max_bans=150, known_clients_share=policy().safety.known_clients_share * 5)

    def test_bans_are_joined_at_four_fifths(self) -> None:
        decision = decide(inputs(self.counts), policy(safety=self.safety))

        (only,) = decision.plan.add
        assert str(only.source) == "192.0.2.0/24"
        assert only.reasons[0].startswith("web-connections: joins 130 bans of its addresses")
        assert (only.count, only.limit) == (101, 100)

    def test_below_that_they_stay_single(self) -> None:
        few = dict(list(self.counts.items())[:120])

        assert len(banned(decide(inputs(few), policy(safety=self.safety)))) == 120

    def test_what_is_joined_takes_the_place_of_what_is_held(self) -> None:
        bans = tuple(held(ban(f"192.0.2.{host}/32")) for host in range(129))
        given = inputs({"198.51.100.9": 400}, installed=inputs({}).installed.__class__(bans=bans))
        by = policy(safety=Safety(max_bans=129))

        _, decision = step(Memory(), given, by, NOW)

        assert banned(decision) == ["192.0.2.0/24", "198.51.100.9"]
        assert len(decision.plan.lift) == 129

    def test_a_neighbour_who_is_here_or_known_keeps_them_single(self) -> None:
        by = policy(safety=replace(self.safety, max_bans=160))
        known = {grouper(HOST)(*pack(ip_address("192.0.2.250"))): (KNOWN_AFTER, 0)}

        here = step(Memory(), inputs(self.counts | {"192.0.2.250": 1}), by, NOW)[1]
        away = step(Memory(clients=known), inputs(self.counts), by, NOW)[1]

        for decision in (here, away):
            assert not any(one.source == source("192.0.2.0/24") for one in decision.plan.add)
            assert not any(
                one.source.prefix.overlaps(source("192.0.2.250/32").prefix)
                for one in decision.plan.add
            )

    def test_an_exempt_member_stays_out(self) -> None:
        by = policy(safety=self.safety, allowlist=(entry("office", "192.0.2.200/32"),))

        added = decide(inputs(self.counts), by).plan.add

        assert not any(one.source.prefix.overlaps(source("192.0.2.200/32").prefix) for one in added)

    def test_what_joins_no_held_bans_makes_no_room(self) -> None:
        """Room that another joined ban makes is there once that one is granted."""
        bans = tuple(held(ban(f"192.0.2.{host}/32")) for host in range(129))
        crowds = {f"10.0.{net}.{host}": 101 for net in range(9) for host in range(128)}
        given = inputs(crowds, installed=Installed(bans=bans))
        safety = replace(self.safety, max_bans=130, new_bans_per_cycle=5)

        decision = decide(given, policy(safety=safety))

        assert banned(decision)[0] == "192.0.2.0/24"
        assert len(banned(decision)) == 5
        assert len(bans) - len(decision.plan.lift) + 5 <= 130

    def test_max_bans_is_not_passed_by_joining(self) -> None:
        bans = tuple(held(ban(f"192.0.2.{host}/32")) for host in range(128))
        crowds = {f"10.0.{net}.{host}": 101 for net in range(150) for host in range(8)}
        given = inputs(crowds, installed=Installed(bans=bans))

        decision = decide(given, policy(safety=replace(self.safety, max_bans=130)))

        assert len(bans) - len(decision.plan.lift) + len(decision.plan.add) == 130

    def test_whom_the_breaker_spares_is_not_banned_with_his_neighbours(self) -> None:
        at = int(NOW.timestamp())
        clients = {ip_address(f"192.0.2.{host}").packed: (9, at) for host in range(200, 210)}
        seen = {f"192.0.2.{host}": 500 for host in range(130)}
        seen |= {f"192.0.2.{host}": 150 for host in range(200, 210)}
        by = policy(safety=replace(self.safety, known_clients_share=Fraction(1, 5)))

        _, decision = step(Memory(clients=clients), inputs(seen), by, NOW)

        assert found(decision)["192.0.2.200"] == "spared"
        assert "192.0.2.0/24" not in banned(decision)
        assert not any(
            covers(one.source.prefix, prefix("192.0.2.200")) for one in decision.plan.add
        )
