"""The judgement as a whole: one moment, or several in a row."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from ipaddress import ip_address
from types import MappingProxyType

import pytest

from agent.decide import Memory, step
from agent.model.inputs import Identities
from agent.model.policy import Answer, Mode, Policy, Safety, Scope, Service, Sustained
from agent.model.sample import State
from agent.model.verdict import Finding
from tests.builders import (
    NET24,
    NOW,
    SSH,
    WEB,
    ban,
    banned,
    decide,
    entry,
    found,
    guards,
    half_open,
    holding,
    inputs,
    policy,
    prefix,
    rule,
    sample,
    tally,
)


def run(series: list[dict[str, int]], by: Policy) -> list[dict[str, str]]:
    """Judge samples in a row, each five seconds after the one before."""
    memory, findings = Memory(), []
    for index, counts in enumerate(series):
        memory, decision = step(memory, inputs(counts), by, NOW + index * timedelta(seconds=5))
        findings.append(found(decision))
    return findings


def test_only_a_count_above_the_limit_bans() -> None:
    decision = decide(inputs({"192.0.2.1": 101, "192.0.2.2": 100, "192.0.2.3": 5}), policy())

    assert banned(decision) == ["192.0.2.1"]
    assert found(decision) == {"192.0.2.1": "ban", "192.0.2.2": "warned"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("2001:db8:1:2:3::4", "2001:db8:1:2::/64", id="ipv6-host-is-a-64"),
        pytest.param("64:ff9b::192.0.2.1", "64:ff9b::c000:201", id="nat64-is-one-address"),
        pytest.param("2001:0:53aa:64c::1", "2001:0:53aa:64c::1", id="teredo-is-one-address"),
        pytest.param("::ffff:192.0.2.1", "192.0.2.1", id="mapped-is-ipv4"),
        pytest.param("fe80::1%3", "fe80::1%3", id="link-local-with-its-interface"),
    ],
)
def test_a_host_is_one_customers_line(address: str, expected: str) -> None:
    assert banned(decide(inputs({address: 101}), policy())) == [expected]


def test_addresses_of_two_families_with_the_same_bytes_are_two_sources() -> None:
    counts = {"32.1.13.184": 60, "2001:db8::": 60}

    assert banned(decide(inputs(counts), policy())) == []


def test_the_addresses_of_one_64_are_summed() -> None:
    counts = {"2001:db8::1": 60, "2001:db8::2": 60}

    assert banned(decide(inputs(counts), policy())) == ["2001:db8::/64"]


def test_ports_and_states_that_the_rule_does_not_name_do_not_count() -> None:
    seen = sample(
        tally({"192.0.2.1": 90}),
        tally({"192.0.2.1": 500}, port=22),
        tally({"192.0.2.1": 500}, state=State.TIME_WAIT),
        tally({"192.0.2.1": 500}, state=State.SYN_RECV),
    )

    assert banned(decide(inputs(seen), policy())) == []


def test_a_source_is_sustaining_until_it_was_above_often_enough() -> None:
    by = policy(rule(sustained=Sustained(times=3, of=5)))
    over, under = {"192.0.2.1": 101}, {"192.0.2.1": 1}

    findings = run([over, under, over, under, over], by)

    assert [one.get("192.0.2.1") for one in findings] == [
        "sustaining",
        None,
        "sustaining",
        None,
        "ban",
    ]


def test_a_short_burst_is_forgotten() -> None:
    by = policy(rule(sustained=Sustained(times=3, of=5)))
    over: dict[str, int] = {"192.0.2.1": 101}

    findings = run([over, over, {}, {}, {}, over, over], by)

    assert findings[-1] == {"192.0.2.1": "sustaining"}


def test_a_changed_rule_starts_over() -> None:
    strict = policy(rule(sustained=Sustained(times=2, of=5)))
    stricter = policy(rule(limit=50, sustained=Sustained(times=2, of=5)))
    memory, _ = step(Memory(), inputs({"192.0.2.1": 101}), strict, NOW)

    _, decision = step(memory, inputs({"192.0.2.1": 101}), stricter, NOW)

    assert found(decision) == {"192.0.2.1": "sustaining"}


def test_an_exempt_source_is_told_and_not_banned() -> None:
    by = policy(allowlist=(entry("monitoring", "192.0.2.0/24"),))

    decision = decide(inputs({"192.0.2.1": 500}), by)

    (verdict,) = decision.verdicts
    assert verdict.finding is Finding.EXEMPT
    assert verdict.entry == by.allowlist[0]
    assert banned(decision) == []


def test_patience_multiplies_the_limit() -> None:
    by = policy(allowlist=(entry("office", "192.0.2.1/32", patience=10),))

    assert banned(decide(inputs({"192.0.2.1": 1000}), by)) == []
    assert banned(decide(inputs({"192.0.2.1": 1001}), by)) == ["192.0.2.1"]


def test_an_entry_for_another_service_grants_nothing() -> None:
    by = policy(allowlist=(entry("on-call", "192.0.2.1/32", services=frozenset({"ssh"})),))

    assert banned(decide(inputs({"192.0.2.1": 101}), by)) == ["192.0.2.1"]


def test_an_entry_that_has_ended_grants_nothing() -> None:
    by = policy(allowlist=(entry("on-call", "192.0.2.1/32", until=NOW),))

    assert banned(decide(inputs({"192.0.2.1": 101}), by)) == ["192.0.2.1"]


def test_a_guarded_source_is_never_banned() -> None:
    decision = decide(inputs({"192.0.2.1": 500}, surroundings=guards("192.0.2.1/32")), policy())

    assert found(decision) == {"192.0.2.1": "exempt"}
    assert banned(decision) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"names": ("googlebot.com",)}, "pending", id="names"),
        pytest.param({"ranges": ("/etc/googlebot.json",)}, "pending", id="ranges"),
        pytest.param({"hosts": ("vpn.example.net",)}, "pending", id="hosts"),
        pytest.param(
            {"names": ("googlebot.com",), "patience": 5}, "pending", id="could-be-patient"
        ),
        pytest.param({"names": ("googlebot.com",), "patience": 2}, "ban", id="over-patience-too"),
    ],
)
def test_a_source_that_may_be_on_the_allowlist_waits(
    changes: dict[str, object], expected: str
) -> None:
    by = policy(allowlist=(entry("crawler", **changes),))

    unread = Identities(unread=frozenset({"crawler"}))
    decision = decide(inputs({"192.0.2.1": 300}, identities=unread), by)

    assert found(decision) == {"192.0.2.1": expected}
    assert decision.questions == ((ip_address("192.0.2.1"),) if expected == "pending" else ())


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(frozenset[str](), "ban", id="nobody"),
        pytest.param(frozenset({"crawler"}), "exempt", id="the-crawler"),
    ],
)
def test_an_identified_source_is_judged(known: frozenset[str], expected: str) -> None:
    by = policy(allowlist=(entry("crawler", names=("googlebot.com",)),))
    crawler = ip_address("192.0.2.1")
    identities = Identities(
        found={name: frozenset({prefix("192.0.2.1/32")}) for name in known},
        answered=frozenset({crawler}),
    )

    decision = decide(inputs({"192.0.2.1": 300}, identities=identities), by)

    assert found(decision) == {"192.0.2.1": expected}


def test_a_shadow_rule_bans_nobody() -> None:
    decision = decide(inputs({"192.0.2.1": 101}), policy(rule(mode=Mode.OBSERVE)))

    assert found(decision) == {"192.0.2.1": "observed"}
    assert banned(decision) == []


def test_a_banned_source_is_held_and_not_banned_again() -> None:
    decision = decide(inputs({"192.0.2.10": 101}, installed=holding(ban())), policy())

    assert found(decision) == {"192.0.2.10": "held"}
    assert banned(decision) == []


def test_a_ban_of_another_service_does_not_hold_this_one() -> None:
    installed = holding(ban(service=SSH))

    assert banned(decide(inputs({"192.0.2.10": 101}, installed=installed), policy())) == [
        "192.0.2.10"
    ]


def test_a_ban_of_the_whole_host_holds_every_service() -> None:
    installed = holding(ban(service=SSH, scope=Scope.HOST))

    assert found(decide(inputs({"192.0.2.10": 101}, installed=installed), policy())) == {
        "192.0.2.10": "held"
    }


class TestHalfOpen:
    """A forged packet makes a half-open connection."""

    counts = tally({"192.0.2.1": 65}, state=State.SYN_RECV)

    def judge(self, before: int, after: int, *clients: str) -> str:
        by = policy(half_open())
        calm = inputs(sample(tally(dict.fromkeys(clients, 1))), counters={"SyncookiesSent": before})
        memory, _ = step(Memory(), calm, by, NOW)
        flood = inputs(sample(self.counts), counters={"SyncookiesSent": after})
        _, decision = step(memory, flood, by, NOW + timedelta(seconds=5))
        return found(decision)["192.0.2.1"]

    def test_nothing_is_done_without_pressure(self) -> None:
        assert self.judge(7, 7) == "unproven"

    def test_a_source_is_throttled_under_pressure(self) -> None:
        assert self.judge(7, 8) == "throttle"

    def test_a_source_that_was_established_lately_is_left_alone(self) -> None:
        assert self.judge(7, 8, "192.0.2.1") == "unproven"

    def test_nothing_is_done_on_the_first_reading(self) -> None:
        given = inputs(sample(self.counts), counters={"SyncookiesSent": 10**9})

        assert found(decide(given, policy(half_open()))) == {"192.0.2.1": "unproven"}


class TestWide:
    """A rule over prefixes."""

    rule = rule("crowd", per=NET24, limit=100, members=3)
    crowd: Mapping[str, int] = MappingProxyType({f"198.51.100.{host}": 40 for host in range(1, 5)})

    def test_a_prefix_is_banned_as_one(self) -> None:
        assert banned(decide(inputs(self.crowd), policy(self.rule))) == ["198.51.100.0/24"]

    def test_too_few_members_are_no_crowd(self) -> None:
        counts = {"198.51.100.1": 100, "198.51.100.2": 100}

        assert decide(inputs(counts), policy(self.rule)).verdicts == ()

    def test_exempt_members_are_not_counted(self) -> None:
        by = policy(self.rule, allowlist=(entry("probe", "198.51.100.1/32", "198.51.100.2/32"),))

        assert decide(inputs(self.crowd), by).verdicts == ()

    def test_patient_members_are_not_counted(self) -> None:
        spared = entry("nat", "198.51.100.1/32", "198.51.100.2/32", patience=2)

        assert decide(inputs(self.crowd), policy(self.rule, allowlist=(spared,))).verdicts == ()

    def test_a_listed_prefix_gives_patience_to_the_whole(self) -> None:
        by = policy(self.rule, allowlist=(entry("nat", "198.51.0.0/16", patience=2),))

        assert banned(decide(inputs(self.crowd), by)) == []

    def test_an_exempt_address_in_it_turns_the_ban_into_bans_of_members(self) -> None:
        by = policy(self.rule, allowlist=(entry("probe", "198.51.100.200/32"),))

        assert banned(decide(inputs(self.crowd), by)) == list(self.crowd)

    def test_an_exempt_address_that_the_kernel_lets_through_does_not(self) -> None:
        by = policy(self.rule, allowlist=(entry("probe", "198.51.100.200/32"),))
        installed = holding(allowed=["198.51.100.200/32"])

        assert banned(decide(inputs(self.crowd, installed=installed), by)) == ["198.51.100.0/24"]

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"services": frozenset({"web"})}, id="exempt-for-the-service"),
            pytest.param({"patience": 10}, id="patient"),
        ],
    )
    def test_what_the_allow_set_can_not_hold_is_never_covered(
        self, changes: dict[str, object]
    ) -> None:
        by = policy(self.rule, allowlist=(entry("one", "198.51.100.200/32", **changes),))
        installed = holding(allowed=["198.51.100.200/32"][:0])

        assert banned(decide(inputs(self.crowd, installed=installed), by)) == list(self.crowd)

    def test_a_guard_in_a_64_turns_its_ban_into_bans_of_addresses(self) -> None:
        # The guarded one is counted apart: it makes nobody else guilty.
        counts = {"2001:db8::1": 60, "2001:db8::2": 60, "2001:db8::3": 500}

        decision = decide(inputs(counts, surroundings=guards("2001:db8::3/128")), policy())

        assert banned(decision) == ["2001:db8::1", "2001:db8::2"]

    @pytest.mark.parametrize(("count", "expected"), [(1000, {}), (1001, {"2001:db8::1": "ban"})])
    def test_patience_of_one_address_in_a_64_is_no_hole(
        self, count: int, expected: dict[str, str]
    ) -> None:
        by = policy(
            rule(warn=Fraction(1)), allowlist=(entry("nat", "2001:db8::1/128", patience=10),)
        )

        assert found(decide(inputs({"2001:db8::1": count, "2001:db8::2": 9}), by)) == expected

    def test_an_exempt_address_in_a_64_is_told_of(self) -> None:
        by = policy(allowlist=(entry("probe", "2001:db8::1/128"),))

        assert found(decide(inputs({"2001:db8::1": 150}), by)) == {"2001:db8::1": "exempt"}

    def test_a_member_judged_apart_is_told_when_it_ends(self) -> None:
        by = policy(allowlist=(entry("probe", "2001:db8::1/128"),))
        memory, _ = step(Memory(), inputs({"2001:db8::1": 150}), by, NOW)

        _, decision = step(memory, inputs({"2001:db8::1": 7, "2001:db8::2": 9}), by, NOW)

        assert [(str(one.source), one.count) for one in decision.ended] == [("2001:db8::1", 7)]

    def test_a_newcomer_without_weight_holds_nothing_up(self) -> None:
        by = policy(self.rule, allowlist=(entry("crawler", names=("googlebot.com",)),))
        known = Identities(answered=frozenset(map(ip_address, self.crowd)))
        counts = {**self.crowd, "198.51.100.99": 1}

        decision = decide(inputs(counts, identities=known), by)

        assert banned(decision) == list(self.crowd)
        assert [str(one) for one in decision.questions] == ["198.51.100.99"]

    def test_who_is_above_what_he_may_be_is_not_waited_for(self) -> None:
        by = policy(allowlist=(entry("crawler", names=("googlebot.com",), patience=5),))

        assert banned(decide(inputs({"2001:db8::1": 10_000}), by)) == ["2001:db8::/64"]

    def test_a_member_that_may_be_on_the_allowlist_holds_the_whole_up(self) -> None:
        by = policy(self.rule, allowlist=(entry("crawler", names=("googlebot.com",)),))

        decision = decide(inputs(self.crowd), by)

        assert found(decision) == {"198.51.100.0/24": "pending"}
        assert [str(one) for one in decision.questions] == list(self.crowd)

    def test_an_unidentified_member_of_a_64_holds_it_up(self) -> None:
        by = policy(allowlist=(entry("crawler", names=("googlebot.com",)),))

        assert found(decide(inputs({"2001:db8::1": 500}), by)) == {"2001:db8::/64": "pending"}


def test_a_host_ban_shrinks_to_the_service_where_another_service_is_exempt() -> None:
    by = policy(
        rule(scope=Scope.HOST),
        allowlist=(entry("admin", "192.0.2.1/32", services=frozenset({"ssh"})),),
    )

    (one,) = decide(inputs({"192.0.2.1": 101}), by).plan.add

    assert (one.scope, one.service and one.service.name) == (Scope.SERVICE, "web")


def test_every_rule_is_judged_and_the_longest_ban_installed_with_all_reasons() -> None:
    short, long = rule("short"), rule("long", limit=90, lasts=timedelta(hours=1))

    decision = decide(inputs({"192.0.2.1": 101}), policy(short, long))

    (one,) = decision.plan.add
    assert [verdict.rule.name for verdict in decision.verdicts] == ["long", "short"]
    assert one.lasts == timedelta(hours=1)
    assert [reason.split(":")[0] for reason in one.reasons] == ["long", "short"]


def test_a_drop_and_a_throttle_are_two_bans() -> None:
    slow = rule("slow", answer=Answer.THROTTLE)

    assert len(decide(inputs({"192.0.2.1": 101}), policy(rule(), slow)).plan.add) == 2


def test_what_begins_and_ends_is_told_once() -> None:
    by = policy(rule(sustained=Sustained(times=2, of=2)))
    memory, told = Memory(), []
    for count in (101, 101, 101, 1, 101, 1, 1, 1):
        memory, decision = step(memory, inputs({"192.0.2.1": count}), by, NOW)
        told.append((len(decision.began), [verdict.count for verdict in decision.ended]))

    assert told == [(1, []), (0, []), (0, []), (0, []), (0, []), (0, []), (0, [1]), (0, [])]


def test_swinging_around_the_limit_is_not_told_again_and_again() -> None:
    by = policy(rule(sustained=Sustained(times=3, of=5)))
    memory, news = Memory(), 0
    for index in range(100):
        memory, decision = step(memory, inputs({"192.0.2.1": 101 - index % 2}), by, NOW)
        news += len(decision.began) + len(decision.ended)

    assert news == 2


def test_a_warning_share_of_one_never_warns() -> None:
    decision = decide(inputs({"192.0.2.1": 100}), policy(rule(warn=Fraction(1))))

    assert decision.verdicts == ()


def test_the_heaviest_are_banned_and_the_others_deferred() -> None:
    counts = {f"192.0.2.{host}": 100 + host for host in range(1, 6)}
    capped = policy(safety=Safety(new_bans_per_cycle=2))

    decision = decide(inputs(counts), capped)

    assert banned(decision) == ["192.0.2.5", "192.0.2.4"]
    assert list(found(decision).values()) == ["ban", "ban", "deferred", "deferred", "deferred"]


def test_a_cap_may_cut_through_the_members_of_a_prefix() -> None:
    by = policy(
        TestWide.rule,
        allowlist=(entry("probe", "198.51.100.200/32"),),
        safety=Safety(new_bans_per_cycle=2),
    )

    decision = decide(inputs(TestWide.crowd), by)

    assert banned(decision) == ["198.51.100.1", "198.51.100.2"]
    assert found(decision) == {"198.51.100.0/24": "ban"}


def test_a_full_firewall_takes_no_more() -> None:
    full = policy(safety=Safety(max_bans=1))

    decision = decide(inputs({"192.0.2.1": 101}, installed=holding(ban())), full)

    assert found(decision) == {"192.0.2.1": "deferred"}


def test_a_ban_of_what_became_exempt_is_lifted() -> None:
    by = policy(allowlist=(entry("office", "192.0.2.0/24"),))

    decision = decide(inputs({}, installed=holding(ban())), by)

    assert [str(lift.held.source) for lift in decision.plan.lift] == ["192.0.2.10"]


def test_a_ban_is_lifted_once_the_kernel_no_longer_lets_an_exempt_member_through() -> None:
    """Of two entries the one for all services ends, and with it the place in the allow set."""
    until = NOW + timedelta(seconds=60)
    ends, stays = (
        entry("all", "198.51.100.9/32", until=until),
        entry("some", "198.51.100.9/32", services=frozenset({"web"})),
    )
    by, memory, lifted = policy(TestWide.rule, allowlist=(ends, stays)), Memory(), []
    for after, allowed in ((0, "198.51.100.9/32"), (60, "198.51.100.9/32"), (90, None)):
        held = holding(ban("198.51.100.0/24"), allowed=(allowed,) if allowed else ())
        moment = NOW + timedelta(seconds=after)
        memory, decision = step(memory, inputs({}, installed=held), by, moment)
        lifted.append([str(lift.held.source) for lift in decision.plan.lift])

    assert lifted == [[], [], ["198.51.100.0/24"]]


def test_a_ban_is_lifted_where_the_clock_makes_an_entry_hold_again() -> None:
    by = policy(allowlist=(entry("office", "192.0.2.0/24", until=NOW),))
    installed = holding(ban())

    memory, after = step(Memory(), inputs({}, installed=installed), by, NOW)
    _, before = step(memory, inputs({}, installed=installed), by, NOW - timedelta(days=1))

    assert (len(after.plan.lift), len(before.plan.lift)) == (0, 1)


def test_a_wider_ban_replaces_the_narrower_ones_of_its_target() -> None:
    inside, longer = ban("198.51.100.64/26"), ban("198.51.100.9/32", lasts=timedelta(hours=9))
    installed = holding(inside, longer, ban("192.0.2.1/32"))
    crowd = {f"198.51.100.{host}": 40 for host in range(1, 5)}

    decision = decide(inputs(crowd, installed=installed), policy(TestWide.rule))

    assert [str(lift.held.source) for lift in decision.plan.lift] == ["198.51.100.64/26"]


class TestPatientPrefixes:
    """A listed or guarded address inside a prefix that has patience."""

    office = entry("office", "2001:db8::/48", patience=10)

    def test_a_more_patient_member_is_judged_by_its_own_limit(self) -> None:
        proxy = entry("proxy", "2001:db8::7/128", patience=100)
        by = policy(rule(warn=Fraction(1)), allowlist=(self.office, proxy))

        assert found(decide(inputs({"2001:db8::7": 5000}), by)) == {}
        assert banned(decide(inputs({"2001:db8::7": 10_001}), by)) == ["2001:db8::7"]

    @pytest.mark.parametrize("guarded", [True, False])
    def test_a_spared_member_makes_nobody_else_guilty(self, guarded: bool) -> None:
        probe = entry("probe", "2001:db8::7/128")
        by = policy(allowlist=(self.office,) if guarded else (self.office, probe))
        around = guards("2001:db8::7/128") if guarded else guards()

        decision = decide(inputs({"2001:db8::7": 5000, "2001:db8::8": 5}, surroundings=around), by)

        assert found(decision) == {"2001:db8::7": "exempt"}

    def test_patience_that_is_greater_than_what_it_may_be_needs_no_question(self) -> None:
        crawler = entry("crawler", names=("googlebot.com",), patience=5)
        by = policy(allowlist=(self.office, crawler))

        assert banned(decide(inputs({"2001:db8::8": 1001}), by)) == ["2001:db8::/64"]


def test_the_addresses_of_one_ipv6_line_are_one_member() -> None:
    counts = {f"2001:db8::{host:x}": 80 for host in range(1, 9)}
    by = policy(rule("crowd", per=NET24, limit=600, members=8))

    assert decide(inputs(counts), by).verdicts == ()


def test_a_64_keeps_its_longer_ban_when_its_neighbourhood_is_banned() -> None:
    long = ban("2001:db8:0:1::/64", lasts=timedelta(hours=24))
    counts = {f"2001:db8:0:{line}::1": 40 for line in range(2, 6)}

    decision = decide(inputs(counts, installed=holding(long)), policy(TestWide.rule))

    assert banned(decision) == ["2001:db8::/48"]
    assert decision.plan.lift == ()


def test_a_guard_that_is_lost_for_one_look_is_not_followed_by_a_ban_at_once() -> None:
    by = policy(rule(sustained=Sustained(times=3, of=5)))
    memory, around = Memory(), guards("192.0.2.53/32")
    for _ in range(9):
        memory, _ = step(memory, inputs({"192.0.2.53": 500}, surroundings=around), by, NOW)

    _, decision = step(memory, inputs({"192.0.2.53": 500}), by, NOW)

    assert found(decision) == {"192.0.2.53": "sustaining"}


def test_a_banned_source_is_told_as_held_while_a_changed_rule_starts_over() -> None:
    by = policy(rule(limit=90, sustained=Sustained(times=3, of=5)))

    decision = decide(inputs({"192.0.2.10": 101}, installed=holding(ban())), by)

    assert found(decision) == {"192.0.2.10": "held"}


def test_nothing_ends_because_a_rule_was_changed() -> None:
    memory, _ = step(Memory(), inputs({"192.0.2.1": 101}), policy(rule(limit=100)), NOW)

    _, decision = step(memory, inputs({"192.0.2.1": 101}), policy(rule(limit=50)), NOW)

    assert decision.ended == ()


def test_an_exemption_holds_for_every_service_with_one_of_its_ports() -> None:
    everything = Service(name="all", ports=frozenset({22, 80}))
    by = policy(
        rule(service=everything),
        services=(WEB, SSH, everything),
        allowlist=(entry("admin", "192.0.2.1/32", services=frozenset({"ssh"})),),
    )

    assert found(decide(inputs({"192.0.2.1": 500}), by)) == {"192.0.2.1": "exempt"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Answer.THROTTLE, "ban", id="a-throttle-does-not-hold-a-drop"),
        pytest.param(Answer.DROP, "held", id="a-drop-does"),
    ],
)
def test_what_holds_a_source(answer: Answer, expected: str) -> None:
    installed = holding(ban(answer=answer))

    assert found(decide(inputs({"192.0.2.10": 101}, installed=installed), policy())) == {
        "192.0.2.10": expected
    }


def test_a_ban_of_one_service_does_not_hold_the_host() -> None:
    by = policy(rule(scope=Scope.HOST))

    assert banned(decide(inputs({"192.0.2.10": 101}, installed=holding(ban())), by)) == [
        "192.0.2.10"
    ]


def test_a_wider_ban_leaves_those_of_another_service_alone() -> None:
    installed = holding(ban("198.51.100.9/32", service=SSH, lasts=timedelta(seconds=5)))

    decision = decide(inputs(TestWide.crowd, installed=installed), policy(TestWide.rule))

    assert banned(decision) == ["198.51.100.0/24"]
    assert decision.plan.lift == ()


def test_a_listed_address_of_another_service_does_not_split_a_ban() -> None:
    probe = entry("probe", "198.51.100.200/32", services=frozenset({"ssh"}))
    ended = entry("guest", "198.51.100.201/32", until=NOW)

    by = policy(TestWide.rule, allowlist=(probe, ended))

    assert banned(decide(inputs(TestWide.crowd), by)) == ["198.51.100.0/24"]


def test_a_lift_that_did_not_hold_is_asked_for_again_and_then_no_more() -> None:
    by = policy(allowlist=(entry("office", "192.0.2.0/24"),))
    memory, lifts = Memory(), []
    for installed in (holding(ban()), holding(ban()), holding(), holding(ban())):
        memory, decision = step(memory, inputs({}, installed=installed), by, NOW)
        lifts.append(len(decision.plan.lift))

    # Looked for until there was nothing to lift, and not in every cycle from then on:
    # what comes later was judged by the same grants.
    assert lifts == [1, 1, 0, 0]
