"""Who an address belongs to, by what is answered; without any I/O."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.identify.confirm import (
    MOST_ADDRESSES,
    MOST_NAMES,
    Confirmed,
    Silence,
    above,
    confirm,
)
from agent.identify.question import Answer, Kind, Question

DOMAINS = frozenset({"googlebot.com", "search.msn.com"})
OWN = ip_address("192.0.2.7")
OTHER = ip_address("192.0.2.8")


def named(*names: str, ttl_s: int = 300) -> Answer:
    return Answer(names=names, ttl_s=ttl_s)


def at(*addresses: object, ttl_s: int = 300) -> Answer:
    return Answer(addresses=tuple(ip_address(str(one)) for one in addresses), ttl_s=ttl_s)


def run(
    *answers: Sequence[Answer | None], address: str = "192.0.2.7"
) -> tuple[list[tuple[Question, ...]], Confirmed | Silence | None]:
    """Answer question after question; give them, and what came of it once it has ended."""
    steps = confirm(ip_address(address), DOMAINS)
    asked = [next(steps)]
    for answer in answers:
        try:
            asked.append(steps.send(tuple(answer)))
        except StopIteration as end:
            return asked, end.value
    return asked, None


def outcome(*answers: Sequence[Answer | None]) -> Confirmed | Silence | None:
    return run(*answers)[1]


def test_a_name_that_leads_back_is_confirmed() -> None:
    asked, found = run([named("crawl-7.googlebot.com", ttl_s=100)], [at(OTHER, OWN, ttl_s=60)])

    assert asked == [
        (Question("7.2.0.192.in-addr.arpa", Kind.PTR),),
        (Question("crawl-7.googlebot.com", Kind.A),),
    ]
    assert found == Confirmed(names=("crawl-7.googlebot.com",), ttl_s=60)


def test_an_ipv6_address_is_confirmed_by_aaaa() -> None:
    asked, found = run([named("crawl.googlebot.com")], [at("2001:db8::7")], address="2001:db8::7")

    assert asked[1] == (Question("crawl.googlebot.com", Kind.AAAA),)
    assert found == Confirmed(names=("crawl.googlebot.com",), ttl_s=300)


def test_a_forged_name_is_nobodys() -> None:
    assert outcome([named("crawl-8.googlebot.com")], [at(OTHER)]) == Confirmed(ttl_s=300)
    assert outcome([named("crawl-9.googlebot.com")], [at()]) == Confirmed(ttl_s=300)


@pytest.mark.parametrize(
    "name",
    [
        "xgooglebot.com",
        "googlebot.com.evil.net",
        "googlebot.com.",
        "7.2.0.192.bc.googleusercontent.com",
        "com",
    ],
)
def test_a_name_in_no_listed_domain_is_not_even_asked_for(name: str) -> None:
    asked, found = run([named(name)])

    assert len(asked) == 1
    assert found == Confirmed(ttl_s=300)


def test_a_listed_domain_itself_is_meant_too() -> None:
    assert outcome([named("googlebot.com")], [at(OWN)]) == Confirmed(
        names=("googlebot.com",), ttl_s=300
    )


def test_without_a_name_it_is_nobodys() -> None:
    assert outcome([Answer(ttl_s=77)]) == Confirmed(ttl_s=77)


def test_of_many_names_the_first_in_a_domain_are_asked_for() -> None:
    many = [f"c{number}.googlebot.com" for number in range(MOST_NAMES + 3)]

    asked, found = run([named("evil.net", many[0], *many)], [at(OTHER), at(OWN), at(), at(OWN)])

    assert [one.name for one in asked[1]] == many[:MOST_NAMES]
    assert found == Confirmed(names=(many[1], many[3]), ttl_s=300)


def test_only_the_first_addresses_are_compared() -> None:
    others = [f"198.51.100.{number}" for number in range(MOST_ADDRESSES)]

    assert outcome([named("a.googlebot.com")], [at(*others, OWN)]) == Confirmed(ttl_s=300)


def test_what_is_not_answered_is_told_apart() -> None:
    assert outcome([None]) is Silence.REVERSE
    assert outcome([named("a.googlebot.com")], [None]) is Silence.FORWARD
    assert outcome([named("a.googlebot.com", "b.googlebot.com")], [None, at()]) is Silence.FORWARD


def test_one_confirmed_name_is_enough() -> None:
    names = named("a.googlebot.com", "b.googlebot.com")

    assert outcome([names], [None, at(OWN)]) == Confirmed(names=("b.googlebot.com",), ttl_s=300)


@given(st.lists(st.text("abc.-_", max_size=10), max_size=6))
def test_whole_labels_are_above_a_name(labels: list[str]) -> None:
    name = ".".join(label.replace(".", "") or "x" for label in labels)

    for one in above(name):
        assert name == one or name.endswith(f".{one}")
