"""The identifier as the loop uses it, with real sockets to name servers of every kind."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest

from agent.decide.ask import WAITED_FOR
from agent.identify.inquirer import Inquirer
from agent.identify.inquiry import MOST_IN_TIME
from agent.identify.post import MOST_LOOKED_AT
from agent.identify.turns import Turns
from agent.model.address import Address
from agent.model.inputs import Identities
from agent.model.learned import Learned, Verified
from agent.model.policy import AllowEntry, Policy
from tests.builders import NOW, entry, policy, prefix
from tests.identify.name_server import (
    NameServer,
    answers,
    dead,
    failing,
    first_of,
    lying,
    name_server,
    resolv_conf,
    slow,
)

JUDGED_AFTER_S = WAITED_FOR.total_seconds()
"""Whoever is known by then is never taken for a stranger."""

GOOD = ip_address("192.0.2.7")
FORGED = ip_address("192.0.2.8")
UNNAMED = ip_address("192.0.2.9")
ZONE = {
    ("7.2.0.192.in-addr.arpa", "PTR"): ["crawl-7.googlebot.com."],
    ("8.2.0.192.in-addr.arpa", "PTR"): ["crawl-8.googlebot.com."],
    ("crawl-7.googlebot.com", "A"): ["192.0.2.7"],
    ("crawl-8.googlebot.com", "A"): ["198.51.100.8"],
    ("vpn.example.net", "A"): ["198.51.100.1"],
    ("vpn.example.net", "AAAA"): ["2001:db8::1"],
}
TRUE = answers(ZONE)
VENDORS = {"cdn": frozenset({prefix("203.0.113.0/24")})}
NAMES = entry("google", names=("googlebot.com",))
HOSTS = entry("vpn", hosts=("vpn.example.net",))


@dataclass(slots=True)
class Watching:
    """An identifier, and cycles that look again and again."""

    port: int
    folder: Path
    learned: Learned = field(default_factory=Learned)
    inquirer: Inquirer = field(init=False)

    def __post_init__(self) -> None:
        self.inquirer = Inquirer(
            time.monotonic, self.learned, VENDORS, resolv_conf(self.folder), self.port
        )

    def cycle(self, by: Policy, *asked: Address) -> Identities:
        seen = self.inquirer.look(by, NOW)
        self.inquirer.ask(asked, NOW)
        return seen

    def until(
        self, by: Policy, asked: Sequence[Address], check: Callable[[Identities], bool]
    ) -> Identities:
        """Run cycles until something is so."""
        end = time.monotonic() + 10
        while not check(seen := self.cycle(by, *asked)):
            assert time.monotonic() < end, (seen, self.inquirer.trouble())
            time.sleep(0.02)
        return seen


@pytest.fixture
def server() -> Iterator[NameServer]:
    with name_server(TRUE) as made:
        yield made


@pytest.fixture
def watching(server: NameServer, tmp_path: Path) -> Iterator[Watching]:
    made = Watching(server.port, tmp_path)
    yield made
    made.inquirer.close()


def by(*entries: AllowEntry) -> Policy:
    return policy(allowlist=entries)


def knows(*addresses: Address) -> Callable[[Identities], bool]:
    return lambda seen: all(one in seen.answered for one in addresses)


def texts(seen: Identities, name: str) -> list[str]:
    return sorted(map(str, seen.found.get(name, ())))


def test_a_policy_that_names_nobody_starts_nothing(watching: Watching) -> None:
    listed = by(entry("office", "192.0.2.0/24"))

    seen = watching.cycle(listed, GOOD)

    assert seen == Identities(vendors=VENDORS)
    assert watching.cycle(listed) is seen
    assert watching.inquirer._thread is None  # noqa: SLF001


def test_a_crawler_is_confirmed_and_who_only_says_so_is_not(watching: Watching) -> None:
    rules = by(NAMES)
    assert not knows(GOOD)(watching.cycle(rules, GOOD, FORGED, UNNAMED))

    seen = watching.until(rules, (GOOD, FORGED, UNNAMED), knows(GOOD, FORGED, UNNAMED))

    assert texts(seen, "google") == ["192.0.2.7/32"]
    assert seen.unread == frozenset()
    assert seen.vendors is VENDORS
    assert watching.inquirer.verified()[GOOD].names == ("crawl-7.googlebot.com",)
    watching.until(rules, (), lambda _: watching.inquirer.trouble() is None)


def test_the_same_is_given_while_nothing_changed(watching: Watching) -> None:
    rules = by(NAMES)
    seen = watching.until(rules, (GOOD,), knows(GOOD))

    assert all(watching.cycle(rules, GOOD) is seen for _ in range(20))


def test_an_answered_address_is_not_asked_again(watching: Watching, server: NameServer) -> None:
    rules = by(NAMES)
    watching.until(rules, (GOOD, UNNAMED), knows(GOOD, UNNAMED))
    asked = len(server.asked)

    for _ in range(5):
        watching.cycle(rules, GOOD, UNNAMED)
    time.sleep(0.2)

    assert len(server.asked) == asked == 3


def test_hosts_are_unread_until_they_are_resolved(watching: Watching) -> None:
    rules = by(HOSTS)
    assert watching.cycle(rules).unread == {"vpn"}

    seen = watching.until(rules, (), lambda seen: not seen.unread)

    assert texts(seen, "vpn") == ["198.51.100.1/32", "2001:db8::1/128"]
    assert set(watching.inquirer.hosts()) == {"vpn.example.net"}


def test_dead_dns_ends_the_wait_for_hosts_and_is_told(
    watching: Watching, server: NameServer
) -> None:
    server.behaviour = dead
    rules = by(HOSTS, NAMES)

    watching.until(rules, (GOOD,), lambda seen: not seen.unread)
    watching.until(rules, (GOOD, FORGED, UNNAMED), lambda _: bool(watching.inquirer.trouble()))

    assert watching.inquirer.trouble() == "no name server answers (127.0.0.1)"
    assert len(watching.cycle(rules).answered) == 0
    server.behaviour = TRUE
    watching.until(rules, (GOOD,), knows(GOOD))
    watching.until(rules, (), lambda _: watching.inquirer.trouble() is None)


def test_whose_own_zone_is_dead_is_not_waited_for(watching: Watching, server: NameServer) -> None:
    def picky(query: bytes) -> object:
        return dead(query) if b"\x019\x012\x010\x03192" in query else TRUE(query)

    server.behaviour = picky  # type: ignore[assignment] # either gives datagrams
    rules = by(NAMES)
    crowd = [IPv4Address(f"198.51.100.{number}") for number in range(100)]
    rounds = iter(range(10_000))

    def asked() -> list[Address]:
        return [UNNAMED, crowd[next(rounds) // 5 % 100]]

    end = time.monotonic() + 15
    while UNNAMED not in watching.cycle(rules, *asked()).answered:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_slow_answers_within_two_seconds_count(watching: Watching, server: NameServer) -> None:
    server.behaviour = slow(TRUE, 0.45)
    rules = by(NAMES)

    assert texts(watching.until(rules, (GOOD,), knows(GOOD)), "google") == ["192.0.2.7/32"]


def test_what_was_learned_holds_while_dns_is_dead(server: NameServer, tmp_path: Path) -> None:
    server.behaviour = failing
    learned = Learned(
        verified={
            GOOD: Verified(
                entries=frozenset({"google"}),
                at=NOW - timedelta(days=3),
                names=("crawl-7.googlebot.com",),
            )
        },
        hosts={"vpn.example.net": frozenset({prefix("198.51.100.1/32")})},
    )
    watching = Watching(server.port, tmp_path, learned)

    seen = watching.until(by(NAMES, HOSTS), (), lambda seen: not seen.unread)

    assert texts(seen, "google") == ["192.0.2.7/32"]
    assert texts(seen, "vpn") == ["198.51.100.1/32"]
    assert GOOD in seen.answered
    watching.inquirer.close()


def test_a_learned_crawler_that_is_none_any_more_is_ended(
    server: NameServer, tmp_path: Path
) -> None:
    verified = Verified(entries=frozenset({"google"}), at=NOW, names=("crawl-8.googlebot.com",))
    watching = Watching(server.port, tmp_path, Learned(verified={FORGED: verified}))
    rules = by(NAMES)
    watching.until(rules, (), lambda seen: texts(seen, "google") == ["192.0.2.8/32"])

    watching.until(rules, (), lambda seen: texts(seen, "google") == [])

    watching.inquirer.close()


def test_a_new_policy_keeps_what_is_known_of_the_entries_it_kept(watching: Watching) -> None:
    first = by(NAMES, HOSTS)
    watching.until(first, (GOOD,), lambda seen: knows(GOOD)(seen) and not seen.unread)

    second = by(NAMES, HOSTS, entry("partner", hosts=("nowhere.example.net",)))
    seen = watching.cycle(second)

    assert seen.unread == {"partner"}
    assert texts(seen, "google") == ["192.0.2.7/32"]
    assert texts(seen, "vpn") == ["198.51.100.1/32", "2001:db8::1/128"]
    seen = watching.until(second, (), lambda seen: not seen.unread)
    assert texts(seen, "partner") == []
    third = watching.until(by(), (), lambda seen: not seen.found)
    assert third.found == {}


def test_ranges_are_read_at_once_and_faults_are_told(watching: Watching, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("203.0.113.0/24\n")
    rules = by(entry("cdn", ranges=(str(good), str(bad))), entry("lost", ranges=(str(bad),)))
    assert watching.cycle(rules).unread == {"cdn", "lost"}

    seen = watching.until(rules, (), lambda seen: not seen.unread)

    assert texts(seen, "cdn") == ["203.0.113.0/24"]
    assert texts(seen, "lost") == []
    assert str(watching.inquirer.trouble()).startswith(f"{bad}: it is not there")


def test_a_run_of_one_cycle_may_wait_for_files_and_hosts(
    watching: Watching, server: NameServer
) -> None:
    rules = by(HOSTS)

    watching.inquirer.settle(rules, NOW, 5.0)
    assert watching.cycle(rules).unread == frozenset()

    server.behaviour = dead
    start = time.monotonic()
    watching.inquirer.settle(by(entry("x", hosts=("x.example",))), NOW, 0.2)
    assert time.monotonic() - start < 1.5


def test_more_than_can_be_asked_in_time_are_told_of(watching: Watching, server: NameServer) -> None:
    server.behaviour = dead
    rules = by(NAMES)
    crowd = [IPv4Address(0xC6120000 + number) for number in range(MOST_LOOKED_AT * 2)]
    watching.until(rules, crowd[: MOST_IN_TIME // 2], lambda seen: not seen.unread)
    time.sleep(0.2)
    assert "more addresses" not in str(watching.inquirer.trouble())

    watching.until(rules, crowd, lambda _: "more addresses" in str(watching.inquirer.trouble()))

    assert turns_of(watching).waiting <= MOST_LOOKED_AT


def turns_of(watching: Watching) -> Turns:
    inquiry = watching.inquirer._inquiry  # noqa: SLF001
    assert inquiry is not None
    return inquiry.turns


@pytest.mark.parametrize(
    ("networks", "first"),
    [
        pytest.param(1, "198.18.0.0", id="one-network"),
        pytest.param(200, "198.18.0.0", id="200-networks"),
        pytest.param(3000, "198.18.0.0", id="3000-networks"),
        pytest.param(1, "192.0.3.0", id="its-own-network"),
        pytest.param(40, "192.0.3.0", id="its-own-network-among-40"),
    ],
)
def test_silent_zones_keep_no_crawler_waiting(
    watching: Watching, server: NameServer, networks: int, first: str
) -> None:
    server.behaviour = first_of(ZONE)
    rules = by(NAMES)
    crowd = [
        IPv4Address((int(IPv4Address(first)) + (number % networks << 16) + number) % 2**32)
        for number in range(3000)
    ]
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        watching.cycle(rules, *crowd)
        time.sleep(0.1)

    start = time.monotonic()
    seen = watching.until(rules, (*crowd, GOOD), knows(GOOD))

    assert texts(seen, "google") == ["192.0.2.7/32"]
    assert time.monotonic() - start < JUDGED_AFTER_S
    watching.until(rules, (), lambda _: "no name" not in str(watching.inquirer.trouble()))


def test_lies_of_every_kind_delay_no_crawler_and_make_none(
    watching: Watching, server: NameServer
) -> None:
    server.behaviour = first_of(ZONE, lying)
    rules = by(NAMES)
    crowd = [IPv4Address(0xC6120000 + number) for number in range(300)]
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        watching.cycle(rules, *crowd)
        time.sleep(0.05)

    start = time.monotonic()
    seen = watching.until(rules, (*crowd, GOOD), knows(GOOD))

    assert texts(seen, "google") == ["192.0.2.7/32"]
    assert time.monotonic() - start < JUDGED_AFTER_S
    assert watching.inquirer.verified().keys() == {GOOD}


def test_a_server_that_answered_lately_is_not_called_dead(
    watching: Watching, server: NameServer
) -> None:
    server.behaviour = first_of(ZONE)
    rules = by(NAMES)
    watching.until(rules, (GOOD,), knows(GOOD))
    watching.until(rules, (), lambda _: watching.inquirer.trouble() is None)
    crowd = [IPv4Address(0xC6120000 + number) for number in range(10)]
    end = time.monotonic() + 3.0
    while time.monotonic() < end:
        watching.cycle(rules, *crowd)
        assert watching.inquirer.trouble() is None
        time.sleep(0.05)


def test_asking_and_looking_take_no_time(watching: Watching, server: NameServer) -> None:
    server.behaviour = dead
    rules = by(NAMES, HOSTS)
    crowd = [IPv4Address(0xC6120000 + number) for number in range(20_000)]
    watching.cycle(rules, *crowd)
    taken = []
    for _ in range(20):
        start = time.thread_time()
        watching.cycle(rules, *crowd)
        taken.append(time.thread_time() - start)

    assert sorted(taken)[10] < 0.01


def test_a_bug_is_told_and_ends_nothing(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = by(NAMES)
    watching.until(rules, (UNNAMED,), knows(UNNAMED))

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("oh")

    with monkeypatch.context() as patched:
        patched.setattr("agent.identify.inquiry.confirm", broken)
        watching.until(rules, (GOOD,), lambda _: "a bug" in str(watching.inquirer.trouble()))

    watching.until(rules, (GOOD, FORGED), knows(GOOD, FORGED))
