"""The breaker, by whole judgements: who is banned, who is spared, and what is told."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import ClassVar

import pytest

from agent.decide import Memory, step
from agent.decide.bans.breaker import CALM_FOR, FRESH_FOR
from agent.decide.bans.clients import KNOWN_AFTER, LOOK_EVERY
from agent.model.alarm import Breaker
from agent.model.ban import Installed
from agent.model.learned import Learned
from agent.model.plan import Decision
from agent.model.policy import Answer, Policy, Rate, Safety
from tests.builders import NET24, NOW, banned, found, held, inputs, policy, rule

QUIET = KNOWN_AFTER * LOOK_EVERY
"""Cycles after which a client is known."""

CLIENTS = {f"198.51.100.{host}": 4 for host in range(50)}
RULE = rule(limit=100)


@dataclass
class Scene:
    """One judgement after the other; what is banned is gone until its time is over."""

    policy: Policy
    memory: Memory = field(default_factory=Memory)
    now: datetime = NOW
    installed: Installed = field(default_factory=Installed)
    told: list[Breaker] = field(default_factory=list)

    def judge(self, counts: dict[str, int], cycles: int = 1) -> Decision:
        decision = Decision()
        for _ in range(cycles):
            gone = {str(one.source) for one in self.installed.bans}
            seen = {who: count for who, count in counts.items() if who not in gone}
            given = inputs(seen, installed=self.installed)
            self.memory, decision = step(self.memory, given, self.policy, self.now)
            self.told += [one for one in decision.alarms if isinstance(one, Breaker)]
            added = tuple(held(one) for one in decision.plan.add)
            self.installed = Installed(bans=(*self.installed.bans, *added))
            self.now += self.policy.every
        return decision


def quiet(by: Policy | None = None) -> Scene:
    """Give a scene in which the fifty clients have become known."""
    scene = Scene(by or policy(RULE))
    scene.judge(CLIENTS, QUIET)
    return scene


@pytest.mark.parametrize("bots", [60, 500, 900])
def test_bots_beside_old_clients_are_banned_at_once(bots: int) -> None:
    scene = quiet()
    crowd = {f"203.0.{host // 250}.{host % 250}": 101 for host in range(bots)}

    decision = scene.judge(CLIENTS | crowd)

    assert len(banned(decision)) == bots
    assert scene.told == []


def test_a_policy_mistake_bans_no_client() -> None:
    scene = quiet()
    scene.policy = policy(rule(limit=2), sha256="1" * 64)

    decision = scene.judge(CLIENTS, 3 * FRESH_FOR)

    assert scene.installed.bans == ()
    assert set(found(decision).values()) == {"spared"}
    assert [one.is_open for one in scene.told] == [True]
    assert (scene.told[0].candidates, scene.told[0].known_clients) == (50, 50)


def test_open_it_still_bans_above_three_times_the_limit() -> None:
    scene = quiet()
    scene.policy = policy(rule(limit=2), sha256="1" * 64)
    counts = CLIENTS | {"203.0.113.1": 6, "203.0.113.2": 7}

    assert banned(scene.judge(counts)) == ["203.0.113.2"]


def test_old_bots_that_open_it_on_purpose_gain_a_factor_and_no_more() -> None:
    waiting = {f"203.0.113.{host}": 1 for host in range(200)}
    scene = Scene(policy(RULE))
    scene.judge(CLIENTS | waiting, QUIET)

    below = scene.judge(CLIENTS | dict.fromkeys(waiting, 290))
    above = scene.judge(CLIENTS | dict.fromkeys(waiting, 301))

    assert banned(below) == []
    assert scene.told[0].is_open
    assert len(banned(above)) == 200


def test_it_closes_once_the_mistake_is_mended() -> None:
    scene = quiet()
    scene.policy = policy(rule(limit=2), sha256="1" * 64)
    scene.judge(CLIENTS, 2)
    scene.policy = policy(RULE)

    scene.judge(CLIENTS, CALM_FOR - 1)
    assert [one.is_open for one in scene.told] == [True]
    scene.judge(CLIENTS)
    assert [one.is_open for one in scene.told] == [True, False]


def test_a_few_known_clients_may_turn_bad() -> None:
    scene = quiet()
    bad = dict.fromkeys(list(CLIENTS)[:10], 101)

    assert len(banned(scene.judge(CLIENTS | bad))) == 10
    assert scene.told == []


def test_one_after_the_other_they_open_it_too() -> None:
    scene = quiet()
    bad: dict[str, int] = {}
    for client in CLIENTS:
        bad[client] = 101
        scene.judge(CLIENTS | bad)

    assert len(scene.installed.bans) == 10
    assert [one.is_open for one in scene.told] == [True]


def test_bans_that_are_over_no_longer_count() -> None:
    scene = quiet()
    scene.judge(CLIENTS | dict.fromkeys(list(CLIENTS)[:10], 101))
    scene.installed, scene.now = Installed(), scene.now + timedelta(hours=1)

    assert len(banned(scene.judge(CLIENTS | dict.fromkeys(list(CLIENTS)[20:24], 101)))) == 4


def test_of_very_few_known_clients_none_opens_it() -> None:
    scene = Scene(policy(RULE))
    scene.judge({"192.0.2.1": 4, "192.0.2.2": 4}, QUIET)

    assert banned(scene.judge({"192.0.2.1": 101, "192.0.2.2": 4})) == ["192.0.2.1"]


class TestFresh:
    """The first cycles of a policy, in which nobody is known."""

    counts: ClassVar = CLIENTS | {f"203.0.113.{host}": 101 for host in range(20)}

    def test_a_crowd_waits_for_ten_cycles(self) -> None:
        scene = Scene(policy(RULE))

        assert banned(scene.judge(self.counts, FRESH_FOR)) == []
        assert len(banned(scene.judge(self.counts))) == 20
        assert [one.is_open for one in scene.told] == [True, False]
        assert (scene.told[0].candidates, scene.told[0].known_clients) == (20, 70)

    def test_a_share_that_is_allowed_does_not(self) -> None:
        few = CLIENTS | {f"203.0.113.{host}": 101 for host in range(12)}

        assert len(banned(Scene(policy(RULE)).judge(few))) == 12

    @pytest.mark.parametrize(("others", "expected"), [(18, 1), (19, 0)])
    def test_of_less_than_twenty_no_share_is_taken(self, others: int, expected: int) -> None:
        by = policy(RULE, safety=Safety(known_clients_share=Fraction(1, 100)))
        counts = {f"198.51.100.{host}": 1 for host in range(others)} | {"192.0.2.1": 101}

        assert len(banned(Scene(by).judge(counts))) == expected

    @pytest.mark.parametrize(
        ("tried", "expected"),
        [
            pytest.param(policy().sha256, 20, id="the-same-policy"),
            pytest.param("1" * 64, 0, id="another-one"),
            pytest.param("", 0, id="none"),
        ],
    )
    def test_a_policy_that_an_earlier_run_has_tried_is_not_fresh(
        self, tried: str, expected: int
    ) -> None:
        scene = Scene(policy(RULE), memory=Memory.of(Learned(tried=tried)))

        assert len(banned(scene.judge(self.counts))) == expected

    def test_a_policy_is_tried_once_its_first_cycles_are_over(self) -> None:
        scene = Scene(policy(RULE))
        scene.judge(CLIENTS, FRESH_FOR)
        assert scene.memory.fuse.tried == ""

        scene.judge(CLIENTS)
        assert scene.memory.fuse.tried == policy().sha256

    def test_a_changed_policy_is_fresh_again(self) -> None:
        scene = quiet()
        scene.policy = policy(RULE, sha256="1" * 64)

        assert banned(scene.judge(self.counts, FRESH_FOR)) == []
        assert len(banned(scene.judge(self.counts))) == 20


def test_a_wide_ban_counts_all_whom_it_hits() -> None:
    wide = rule("crowd", per=NET24, limit=220, members=8)
    scene = quiet(policy(wide, RULE, sha256="0" * 64))

    assert banned(scene.judge(dict.fromkeys(CLIENTS, 5))) == []
    assert [one.candidates for one in scene.told] == [50]


def test_a_throttle_hits_nobody() -> None:
    slow = replace(
        rule(limit=2),
        answer=Answer.THROTTLE,
        rate=Rate(count=1, per=timedelta(seconds=1)),
    )
    scene = quiet()
    scene.policy = policy(slow, sha256="1" * 64)

    assert len(banned(scene.judge(CLIENTS))) == 50
    assert scene.told == []


def test_clients_learned_before_a_restart_are_known_after_it() -> None:
    clients = quiet().memory.clients
    scene = Scene(policy(rule(limit=2)), memory=Memory(clients=clients))

    scene.judge(CLIENTS, 2 * FRESH_FOR)

    assert scene.installed.bans == ()
