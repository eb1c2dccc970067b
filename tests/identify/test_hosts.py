"""What host names stand for: again and again, and while nobody answers."""

from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from agent.identify.hosts import MOST_ADDRESSES, Hosts
from agent.identify.known import STALE_S
from agent.identify.question import Answer
from tests.builders import prefix

NAME = "vpn.example.net"


def at(*addresses: str, ttl_s: int = 300) -> Answer:
    return Answer(addresses=tuple(map(ip_address, addresses)), ttl_s=ttl_s)


@dataclass(slots=True)
class Book:
    """One host name, and a stopwatch to turn."""

    seconds: float = 1000.0
    learned: tuple[str, ...] = ()
    hosts: Hosts = field(init=False)

    def __post_init__(self) -> None:
        learned = {NAME: frozenset(map(prefix, self.learned))} if self.learned else {}
        self.hosts = Hosts(lambda: self.seconds, learned)
        self.hosts.adopt([NAME])

    def take(self, of4: Answer | None, of6: Answer | None = None) -> bool:
        return self.hosts.take(NAME, (of4, of6))

    @property
    def found(self) -> list[str]:
        return sorted(str(one.network_address) for one in self.hosts.found.get(NAME, ()))


@pytest.fixture
def book() -> Book:
    return Book()


def test_a_name_is_open_until_its_first_outcome(book: Book) -> None:
    assert book.hosts.is_open(NAME)
    assert book.hosts.next() == NAME
    assert book.hosts.next() is None

    assert book.take(at("192.0.2.1"), at("2001:db8::1"))

    assert not book.hosts.is_open(NAME)
    assert book.found == ["192.0.2.1", "2001:db8::1"]


def test_silence_is_an_outcome_too(book: Book) -> None:
    assert book.take(None, None)
    assert not book.hosts.is_open(NAME)
    assert book.found == []


@pytest.mark.parametrize(("ttl_s", "due_s"), [(0, 60), (300, 300), (86_400, 3600)])
def test_it_is_asked_again_by_its_ttl(book: Book, ttl_s: int, due_s: float) -> None:
    book.hosts.next()
    book.take(at("192.0.2.1", ttl_s=ttl_s), at(ttl_s=86_400))

    book.seconds += due_s - 1
    assert book.hosts.next() is None
    book.seconds += 2
    assert book.hosts.next() == NAME


def test_a_change_is_told_and_no_change_is_not(book: Book) -> None:
    book.take(at("192.0.2.1"), at())

    assert not book.take(at("192.0.2.1"), at())
    assert book.take(at("192.0.2.2"), at())
    assert book.found == ["192.0.2.2"]
    assert book.take(at(), at())
    assert book.found == []


def test_without_an_answer_the_last_one_holds_for_seven_days(book: Book) -> None:
    book.take(at("192.0.2.1"), at("2001:db8::1"))
    book.seconds += STALE_S - 10
    book.take(None, at("2001:db8::2"))
    assert book.found == ["192.0.2.1", "2001:db8::2"]

    book.seconds += 20
    assert book.take(None, None)

    assert book.found == ["2001:db8::2"]


def test_without_an_answer_it_is_asked_again_soon(book: Book) -> None:
    book.take(None, at())

    book.seconds += 6
    assert book.hosts.next() == NAME


def test_only_so_many_addresses_are_taken_always_the_same(book: Book) -> None:
    many = [f"192.0.2.{number}" for number in range(MOST_ADDRESSES + 20)]
    book.take(at(*many), at())
    assert len(book.found) == MOST_ADDRESSES

    assert not book.take(at(*reversed(many)), at())


def test_what_was_learned_holds_until_it_is_asked() -> None:
    book = Book(learned=("192.0.2.1/32", "2001:db8::1/128"))

    assert not book.hosts.is_open(NAME)
    assert book.hosts.next() == NAME
    assert book.found == ["192.0.2.1", "2001:db8::1"]


def test_a_name_that_is_listed_no_longer_is_forgotten(book: Book) -> None:
    book.take(at("192.0.2.1"), at())

    book.hosts.adopt(["other.example.net"])

    assert book.found == []
    assert not book.take(at("192.0.2.1"), at())
    assert book.hosts.next() == "other.example.net"
