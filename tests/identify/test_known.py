"""What is known of addresses: for how long, how many, and what ends it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from agent.identify import known as module
from agent.identify.confirm import Confirmed, Silence
from agent.identify.known import STALE_S, Answered, Known, back_off
from agent.model.address import Address
from agent.model.learned import Verified
from tests.builders import NOW, prefix

DOMAINS = {"googlebot.com": frozenset({"google"}), "msn.com": frozenset({"bing", "all"})}
ONE = ip_address("192.0.2.1")
TWO = ip_address("2001:db8::2")


@dataclass(slots=True)
class Book:
    """What is known, and a stopwatch to turn."""

    seconds: float = 1000.0
    known: Known = field(init=False)

    def __post_init__(self) -> None:
        self.known = Known(lambda: self.seconds)
        self.known.adopt(DOMAINS)

    def confirm(self, address: Address, name: str = "a.googlebot.com", ttl_s: int = 300) -> None:
        self.known.take(address, Confirmed(names=(name,) if name else (), ttl_s=ttl_s), NOW)

    def is_settled(self, address: Address) -> bool:
        return self.known.is_settled(address.packed)

    def sweep(self, after_s: float) -> tuple[Address, ...]:
        self.seconds += after_s
        return self.known.sweep()

    def belong(self, entry: str) -> list[str]:
        return sorted(map(str, self.known.members(entry)))


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_confirmed_address_belongs_to_each_entry_of_its_domain(book: Book) -> None:
    book.confirm(ONE)
    book.confirm(TWO, "x.msn.com")

    assert book.belong("google") == ["192.0.2.1/32"]
    assert book.belong("bing") == book.belong("all") == ["2001:db8::2/128"]
    assert book.known.changed == {"google", "bing", "all"}
    assert book.known.verified[ONE] == Verified(
        entries=frozenset({"google"}), at=NOW, names=("a.googlebot.com",)
    )
    assert set(book.known.answered()) == {ONE, TWO}


def test_nobody_is_an_answer_that_holds_for_a_time(book: Book) -> None:
    book.confirm(ONE, "", ttl_s=100)
    assert ONE in book.known.answered()
    assert book.is_settled(ONE)

    book.sweep(101)

    assert not book.is_settled(ONE)
    assert ONE not in book.known.answered()


@pytest.mark.parametrize(("ttl_s", "lasts_s"), [(0, 30), (100, 100), (86_400, 3600)])
def test_nobody_holds_neither_too_short_nor_too_long(
    book: Book, ttl_s: int, lasts_s: float
) -> None:
    book.confirm(ONE, "", ttl_s=ttl_s)

    book.seconds += lasts_s - 1
    assert book.is_settled(ONE)
    book.seconds += 2
    assert not book.is_settled(ONE)


@pytest.mark.parametrize(("ttl_s", "due_s"), [(0, 60), (300, 300), (10**9, 86_400)])
def test_a_confirmed_address_is_asked_again_and_stays_meanwhile(
    book: Book, ttl_s: int, due_s: float
) -> None:
    book.confirm(ONE, ttl_s=ttl_s)

    assert book.sweep(due_s - 1) == ()
    assert book.sweep(11) == (ONE,)
    assert book.sweep(11) == ()
    assert book.belong("google") == ["192.0.2.1/32"]


def test_a_confirmed_address_is_believed_for_seven_days_without_an_answer(book: Book) -> None:
    book.confirm(ONE)

    for _ in range(6):
        book.known.miss(ONE, Silence.REVERSE, others_answer=True)
        book.sweep(86_400)
        assert book.belong("google") == ["192.0.2.1/32"]
    book.sweep(86_400 + 1)

    assert book.belong("google") == []
    assert not book.is_settled(ONE)
    assert ONE not in book.known.verified


def test_a_definite_answer_ends_it_at_once(book: Book) -> None:
    book.confirm(ONE)
    book.known.changed.clear()

    book.confirm(ONE, "")

    assert book.belong("google") == []
    assert book.known.changed == {"google"}
    assert ONE in book.known.answered()
    assert ONE not in book.known.verified


def test_without_an_answer_it_is_asked_again_later_and_later(book: Book) -> None:
    book.confirm(ONE)
    waits = []
    for _ in range(8):
        book.known.miss(ONE, Silence.REVERSE, others_answer=False)
        waited = 0.0
        while not book.sweep(10.0):
            waited += 10.0
        waits.append(waited)

    assert waits[0] < waits[1] < waits[2]
    assert max(waits) <= 3600


def test_backing_off_is_bounded() -> None:
    assert [back_off(misses, (5.0, 300.0)) for misses in (1, 2, 3, 10, 10_000)] == [
        *(5.0, 10.0, 20.0),
        *(300.0, 300.0),
    ]


def test_no_answer_while_dns_is_dead_is_no_outcome(book: Book) -> None:
    for _ in range(10):
        book.known.miss(ONE, Silence.REVERSE, others_answer=False)

    assert ONE not in book.known.answered()
    assert book.is_settled(ONE)
    book.seconds += 3
    assert not book.is_settled(ONE)


def test_whose_own_zone_is_dead_while_others_answer_is_nobodys(book: Book) -> None:
    book.known.miss(ONE, Silence.REVERSE, others_answer=True)
    assert ONE not in book.known.answered()

    book.known.miss(ONE, Silence.REVERSE, others_answer=True)

    assert ONE in book.known.answered()


def test_a_vendors_zone_that_does_not_answer_makes_nobody_of_its_crawler(book: Book) -> None:
    for _ in range(10):
        book.known.miss(ONE, Silence.FORWARD, others_answer=True)

    assert ONE not in book.known.answered()


def hosts(number: int) -> Iterable[Address]:
    return (IPv4Address(0xC6120000 + one) for one in range(number))


def test_a_million_of_nobody_push_out_no_crawler(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_NOBODY", 100)
    monkeypatch.setattr(module, "MOST_SILENT", 100)
    book.confirm(TWO)

    for address in hosts(1000):
        book.confirm(address, "")
        book.known.miss(address, Silence.REVERSE, others_answer=False)

    assert len(book.known.answered()) == 101
    assert TWO in book.known.answered()
    assert IPv4Address(0xC6120000) not in book.known.answered()


def test_of_too_many_crawlers_the_oldest_goes(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CONFIRMED", 100)
    for address in hosts(101):
        book.confirm(address)

    assert len(book.known.verified) == 100
    assert len(book.known.members("google")) == 100
    assert IPv4Address(0xC6120000) not in book.known.verified


def test_another_policy_judges_the_names_anew(book: Book) -> None:
    book.confirm(ONE)
    book.confirm(TWO, "x.msn.com")

    book.known.adopt({"msn.com": frozenset({"others"})})

    assert book.known.members("google") == frozenset()
    assert book.belong("others") == ["2001:db8::2/128"]
    assert set(book.known.verified) == {TWO}


def test_with_a_new_domain_nobody_is_asked_anew(book: Book) -> None:
    book.confirm(ONE, "a.example.net")
    assert book.is_settled(ONE)

    book.known.adopt({"googlebot.com": frozenset({"google"})})
    assert book.is_settled(ONE)
    book.known.adopt({"example.net": frozenset({"partner"})})

    assert not book.is_settled(ONE)
    assert ONE not in book.known.answered()


def test_what_was_learned_holds_until_it_is_seven_days_old(book: Book) -> None:
    def learned(age: timedelta) -> Verified:
        return Verified(entries=frozenset({"old name"}), at=NOW - age, names=("a.googlebot.com",))

    known = Known(lambda: 5.0)
    known.remember(
        {
            ONE: learned(timedelta(days=6)),
            TWO: learned(timedelta(days=8)),
            IPv6Address("2001:db8::3"): learned(timedelta(days=-400)),
        },
        NOW,
    )
    known.adopt(DOMAINS)

    assert known.members("google") == {prefix("192.0.2.1/32"), prefix("2001:db8::3/128")}
    assert set(known.sweep()) == {ONE, IPv6Address("2001:db8::3")}
    assert book.belong("google") == []


def test_a_set_of_addresses_is_one() -> None:
    some = Answered(frozenset({ONE.packed, TWO.packed}))

    assert ONE in some
    assert "192.0.2.1" not in some
    assert len(some) == 2
    assert set(some) == {ONE, TWO}
    assert timedelta(days=7).total_seconds() == STALE_S
