"""Who stands in front is told, and who is merely heavy is not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent.decide import Memory, step
from agent.decide.machine.proxy import AGAIN, LONG, Front, front_after
from agent.model.alarm import BehindProxy
from agent.model.inputs import Guard, Identities, Surroundings
from agent.model.policy import Mode, Policy
from agent.model.sample import State
from tests.builders import NOW, entry, half_open, inputs, policy, prefix, rule, sample, tally

CDN = "198.18.0.0/20"
KNOWN = Identities(
    vendors={
        "cloudfront": frozenset({prefix(CDN), prefix("2001:db8:cd::/48")}),
        "quickly": frozenset({prefix("198.19.0.0/20")}),
    }
)


def edges(count: int, each: int = 4) -> dict[str, int]:
    """So many machines of the CDN with as many connections each."""
    return {f"198.18.{n >> 8}.{n & 255}": each for n in range(count)}


def visitors(count: int, each: int = 1) -> dict[str, int]:
    return {f"203.0.{n >> 8}.{n & 255}": each for n in range(count)}


BEHIND = edges(20) | visitors(30)
DIRECT = edges(2) | visitors(60)


@dataclass(slots=True)
class Server:
    """A server that is looked at every 20 seconds."""

    by: Policy = field(default_factory=policy)
    known: Identities = KNOWN
    memory: Memory = field(default_factory=Memory)
    now: datetime = NOW
    told: list[BehindProxy] = field(default_factory=list)

    def minutes(self, count: int, held: Mapping[str, int], **changes: Any) -> None:
        for _ in range(3 * count):
            self.now += timedelta(seconds=20)
            usual = {"identities": self.known}
            given = inputs(sample(tally(held)), **{**usual, **changes})
            self.memory, decision = step(self.memory, given, self.by, self.now)
            self.told += [one for one in decision.alarms if isinstance(one, BehindProxy)]

    def vendors(self) -> list[str]:
        return [one.vendor for one in self.told]


@pytest.fixture
def server() -> Server:
    return Server()


def test_it_is_told_after_half_an_hour_with_figures_and_what_to_do(server: Server) -> None:
    server.minutes(LONG - 1, BEHIND)
    assert server.told == []

    server.minutes(1, BEHIND)
    (one,) = server.told
    assert (one.vendor, one.connections, one.total, one.sources) == ("cloudfront", 80, 110, 20)
    assert one.advice[0] == (
        "if it is in front of this server, put cloudfront's file of policies/ranges into the "
        "policy's trusted_proxies"
    )


def test_it_is_told_again_after_a_day_and_not_before(server: Server) -> None:
    server.minutes(LONG, BEHIND)
    front = server.memory.watch.front
    given = inputs(sample(tally(BEHIND)), identities=KNOWN)

    told = []
    for minute in range(1, AGAIN + 2):
        now = server.now + timedelta(minutes=minute)
        front, news = front_after(front, given, server.by, now, is_loud=False)
        told += [minute for _ in news]

    assert told == [AGAIN]


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(DIRECT, id="most-come-directly"),
        pytest.param(edges(10, 5) | visitors(50), id="just-half"),
        pytest.param(edges(19, 1), id="too-few-to-say"),
        pytest.param(edges(1100, 1), id="as-many-addresses-as-only-visitors-have"),
        pytest.param(
            edges(10, 4) | {f"198.19.0.{n}": 4 for n in range(10)}, id="two-of-them-with-half-each"
        ),
    ],
)
def test_nothing_is_told_where_no_cdn_is_in_front(server: Server, held: dict[str, int]) -> None:
    server.minutes(2 * LONG, held)

    assert server.told == []


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(entry("trusted_proxies", CDN), [], id="trusted"),
        pytest.param(entry("office", CDN, patience=10), ["cloudfront"], id="only-patience"),
        pytest.param(
            entry("trusted_proxies", "198.18.0.0/30"), ["cloudfront"], id="only-some-of-them"
        ),
        pytest.param(entry("trusted_proxies", "198.18.0.0/28"), [], id="nearly-all"),
        pytest.param(entry("trusted_proxies", CDN, until=NOW), ["cloudfront"], id="not-any-more"),
    ],
)
def test_whom_the_policy_exempts_it_knows_about(listed: Any, expected: list[str]) -> None:
    server = Server(by=policy(allowlist=(listed,)))

    server.minutes(LONG + 1, BEHIND)

    assert server.vendors() == expected


def test_whom_a_range_file_of_the_policy_names_it_knows_about_too() -> None:
    proxies = entry("trusted_proxies", ranges=("/ranges/cloudfront.txt",))
    known = Identities(
        found={"trusted_proxies": KNOWN.vendors["cloudfront"]}, vendors=KNOWN.vendors
    )
    server = Server(by=policy(allowlist=(proxies,)), known=known)

    server.minutes(2 * LONG, BEHIND)

    assert server.told == []


def test_the_machine_s_own_connections_are_not_counted(server: Server) -> None:
    own = Surroundings(
        guards=(Guard(prefix=prefix("10.0.0.5/32"), why="own address (eth0); gateway"),)
    )
    held = edges(20, 2) | {"127.0.0.1": 100, "::1": 100, "10.0.0.5": 90}

    server.minutes(LONG + 1, held, surroundings=own)

    assert [(one.vendor, one.total) for one in server.told] == [("cloudfront", 40)]


def test_what_is_half_open_or_closed_is_not_counted(server: Server) -> None:
    rows = sample(
        tally(edges(20), state=State.TIME_WAIT),
        tally(edges(20), state=State.SYN_RECV),
        tally(visitors(30)),
    )
    for minute in range(2 * LONG):
        given = inputs(rows, identities=KNOWN)
        now = NOW + timedelta(minutes=minute)
        server.memory, decision = step(server.memory, given, server.by, now)
        assert decision.alarms == ()


class TestAttack:
    """Whoever attacks out of a CDN's network never becomes a proxy by it."""

    def test_an_attack_is_no_progress(self, server: Server) -> None:
        server.minutes(3 * LONG, edges(20, 4) | {"198.18.9.9": 101})

        assert server.told == []

    def test_a_minute_with_one_moment_of_it_does_not_count(self, server: Server) -> None:
        heavy = edges(20, 4) | {"203.0.113.9": 101}
        for _ in range(3 * LONG):
            server.minutes(1, BEHIND)
            self.moment(server, heavy)

        assert server.told == []

    def moment(self, server: Server, held: Mapping[str, int]) -> None:
        given = inputs(sample(tally(held)), identities=KNOWN)
        server.memory, _ = step(server.memory, given, server.by, server.now)

    def test_it_takes_nothing_from_what_was_seen_before(self, server: Server) -> None:
        server.minutes(LONG - 1, BEHIND)
        server.minutes(2 * LONG, visitors(2, 150))
        server.minutes(4, BEHIND)

        assert server.vendors() == ["cloudfront"]

    def test_a_flood_of_syns_is_one(self) -> None:
        server = Server(by=policy(half_open()))
        flood = tally(visitors(200), state=State.SYN_RECV)
        for cycle in range(9 * LONG):
            given = inputs(
                sample(tally(BEHIND), flood),
                identities=KNOWN,
                counters={"SyncookiesSent": cycle},
            )
            now = NOW + timedelta(seconds=20 * cycle)
            server.memory, decision = step(server.memory, given, server.by, now)
            assert not [one for one in decision.alarms if isinstance(one, BehindProxy)]

    @pytest.mark.parametrize(
        "by",
        [
            pytest.param(policy(rule(mode=Mode.OBSERVE)), id="a-shadow-rule"),
            pytest.param(policy(allowlist=(entry("probe", "203.0.113.9/32"),)), id="an-exempt-one"),
        ],
    )
    def test_what_nobody_is_banned_for_is_none(self, by: Policy) -> None:
        server = Server(by=by)
        server.minutes(LONG + 1, edges(60, 4) | {"203.0.113.9": 101})

        assert server.vendors() == ["cloudfront"]

    def test_once_most_come_directly_the_time_runs_back(self, server: Server) -> None:
        server.minutes(LONG - 1, BEHIND)
        server.minutes(5, DIRECT)
        server.minutes(5, BEHIND)
        assert server.told == []

        server.minutes(3, BEHIND)
        assert server.vendors() == ["cloudfront"]


class TestOne:
    """One address that holds nearly everything."""

    by = policy(rule(limit=1000))

    @pytest.mark.parametrize(
        ("address", "lines"),
        [
            pytest.param("172.17.0.1", 4, id="docker"),
            pytest.param("11.0.0.7", 3, id="a-load-balancer"),
            pytest.param("2a00::7", 3, id="over-ipv6"),
        ],
    )
    def test_it_is_told(self, address: str, lines: int) -> None:
        server = Server(by=self.by)
        server.minutes(LONG + 1, {address: 95} | visitors(5))

        (one,) = server.told
        assert (one.vendor, one.connections, one.sources) == (f"one address: {address}", 95, 1)
        assert one.advice[0] == (
            f"if {address} is a proxy or a load balancer, put it into the policy's trusted_proxies"
        )
        assert len(one.advice) == lines

    @pytest.mark.parametrize(
        "held",
        [
            pytest.param({"203.0.113.7": 89} | visitors(11), id="not-nearly-all"),
            pytest.param({"203.0.113.7": 19}, id="too-few-to-say"),
        ],
    )
    def test_it_is_not_told(self, held: dict[str, int]) -> None:
        server = Server(by=self.by)
        server.minutes(2 * LONG, held)

        assert server.told == []

    def test_whom_the_policy_exempts_is_known(self) -> None:
        listed = entry("private", "172.16.0.0/12")
        server = Server(by=policy(rule(limit=1000), allowlist=(listed,)))
        server.minutes(2 * LONG, {"172.17.0.1": 95})

        assert server.told == []

    def test_an_attacker_is_none(self) -> None:
        server = Server()
        server.minutes(2 * LONG, {"203.0.113.7": 101})

        assert server.told == []


def test_a_clock_that_jumps_counts_one_minute_and_hides_nothing_for_long() -> None:
    given = inputs(sample(tally(BEHIND)), identities=KNOWN)
    front, told = Front(), 0
    for turn in range(3 * LONG):
        now = NOW + timedelta(days=400 * (turn % 2))
        front, news = front_after(front, given, policy(), now, is_loud=False)
        told += len(news)

    assert told >= 1
    assert max(front.quiet.values()) <= 2 * LONG


def test_the_memory_is_bounded() -> None:
    server = Server(by=policy(rule(limit=10_000)))
    for n in range(200):
        server.minutes(1, {f"203.0.113.{n}": 100})

    front = server.memory.watch.front
    assert len(front.quiet) <= 2
    assert front.told == {}
