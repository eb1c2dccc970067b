"""Questions and answers as bytes: what is read, what is refused, what is not even looked at."""

from collections.abc import Callable
from itertools import pairwise

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.identify.question import MOST_BYTES, Answer, Kind, Question, Reply
from agent.identify.wire import MOST_ALIASES, decode, encode

PTR = Question("7.2.0.192.in-addr.arpa", Kind.PTR)
A = Question("crawl-7.googlebot.com", Kind.A)
NUMBER = 0x1234


def response(question: Question, *records: str, authority: str = "", rcode: int = 0) -> bytes:
    """Build an answer; each record is ``name ttl type data``."""
    built = dns.message.make_response(dns.message.from_wire(encode(question, NUMBER)))
    built.set_rcode(dns.rcode.Rcode(rcode))
    for where, texts in (
        (built.answer, records),
        (built.authority, (authority,) * bool(authority)),
    ):
        for text in texts:
            name, ttl, kind, data = text.split(" ", 3)
            where.append(dns.rrset.from_text(name, int(ttl), "IN", kind, *data.split("|")))
    return built.to_wire(max_size=65_535)


def read(question: Question, got: bytes) -> Answer | Reply:
    return decode(encode(question, NUMBER), question, got)


def names(*records: str) -> tuple[str, ...]:
    found = read(PTR, response(PTR, *records))
    assert isinstance(found, Answer)
    return found.names


def aliases(count: int) -> list[str]:
    """A chain of so many CNAME, each of which leads to the next."""
    chain = ["crawl-7.googlebot.com.", *(f"n{number}.example." for number in range(count))]
    return [f"{one} 60 CNAME {other}" for one, other in pairwise(chain)]


def test_a_question_asks_for_recursion_and_for_what_fits_a_packet() -> None:
    query = dns.message.from_wire(encode(PTR, NUMBER))

    assert query.id == NUMBER
    assert query.flags == dns.flags.RD
    assert query.payload == MOST_BYTES
    assert [str(one) for one in query.question] == ["7.2.0.192.in-addr.arpa. IN PTR"]


def test_a_name_is_read_in_lower_case() -> None:
    assert names("7.2.0.192.in-addr.arpa. 300 PTR Crawl-7.GoogleBot.com.") == (
        "crawl-7.googlebot.com",
    )


def test_a_name_with_a_dot_inside_a_label_is_no_name() -> None:
    record = r"7.2.0.192.in-addr.arpa. 300 PTR x.googlebot\.com.|evil\000.googlebot.com.|a.b."

    assert names(record) == ("a.b",)


def test_addresses_are_read() -> None:
    got = response(A, "crawl-7.googlebot.com. 300 A 192.0.2.7|192.0.2.8")

    found = read(A, got)

    assert isinstance(found, Answer)
    assert sorted(map(str, found.addresses)) == ["192.0.2.7", "192.0.2.8"]


def test_a_reverse_name_may_be_behind_an_alias() -> None:
    assert names(
        "7.2.0.192.in-addr.arpa. 300 CNAME 7.0-25.2.0.192.in-addr.arpa.",
        "7.0-25.2.0.192.in-addr.arpa. 300 PTR crawl-7.googlebot.com.",
    ) == ("crawl-7.googlebot.com",)


def test_an_address_with_very_many_names_is_nobodys() -> None:
    many = "|".join(f"a{number}.googlebot.com." for number in range(30))

    assert read(PTR, response(PTR, f"7.2.0.192.in-addr.arpa. 60 PTR {many}")) == Answer(ttl_s=300)


@pytest.mark.parametrize(("count", "found"), [(MOST_ALIASES, 1), (MOST_ALIASES + 1, 0), (15, 0)])
def test_only_so_many_aliases_are_followed(count: int, found: int) -> None:
    got = response(A, *aliases(count), f"n{count - 1}.example. 60 A 192.0.2.7")

    answer = read(A, got)

    assert isinstance(answer, Answer)
    assert len(answer.addresses) == found


def test_a_circle_of_aliases_leads_nowhere() -> None:
    got = response(
        A,
        "crawl-7.googlebot.com. 60 CNAME b.example.",
        "b.example. 30 CNAME crawl-7.googlebot.com.",
    )

    assert read(A, got) == Answer(ttl_s=30)


def test_the_shortest_time_of_a_chain_holds() -> None:
    got = response(A, "crawl-7.googlebot.com. 40 CNAME b.example.", "b.example. 60 A 192.0.2.7")

    answer = read(A, got)

    assert isinstance(answer, Answer)
    assert answer.ttl_s == 40


@pytest.mark.parametrize("rcode", [0, 3])
def test_that_there_is_nothing_is_an_answer_with_the_zones_time(rcode: int) -> None:
    soa = "2.0.192.in-addr.arpa. 900 SOA ns.example. root.example. 1 2 3 4 600"

    assert read(PTR, response(PTR, authority=soa, rcode=rcode)) == Answer(ttl_s=600)
    assert read(PTR, response(PTR, rcode=rcode)) == Answer(ttl_s=300)


@pytest.mark.parametrize("rcode", [1, 2, 4, 5])
def test_a_server_that_fails_refuses(rcode: int) -> None:
    assert read(PTR, response(PTR, rcode=rcode)) is Reply.REFUSED


def truncated(got: bytes) -> bytes:
    return bytes([*got[:2], got[2] | 0x02, *got[3:]])


def cut(got: bytes) -> bytes:
    return got[:-20]


def with_many_records(got: bytes) -> bytes:
    return got[:6] + (10_000).to_bytes(2, "big") + got[8:]


@pytest.mark.parametrize("harm", [truncated, cut, with_many_records])
def test_an_answer_that_is_not_whole_is_none(harm: Callable[[bytes], bytes]) -> None:
    got = response(A, "crawl-7.googlebot.com. 300 A 192.0.2.7")

    assert read(A, harm(got)) is Reply.REFUSED


def test_an_answer_above_the_limit_is_not_read() -> None:
    many = "|".join(f"192.0.2.{number}" for number in range(100))
    got = response(A, f"crawl-7.googlebot.com. 300 A {many}")
    assert len(got) > MOST_BYTES

    assert read(A, got) is Reply.REFUSED


def other_id(got: bytes) -> bytes:
    return bytes([got[0] ^ 1]) + got[1:]


def a_question(got: bytes) -> bytes:
    return bytes([*got[:2], got[2] & 0x7F, *got[3:]])


def other_operation(got: bytes) -> bytes:
    return bytes([*got[:2], got[2] | 0x20, *got[3:]])


def other_name(got: bytes) -> bytes:
    return got.replace(b"googlebot", b"googleb0t")


def other_kind(got: bytes) -> bytes:
    return got.replace(b"\x00\x00\x01\x00\x01", b"\x00\x00\x1c\x00\x01", 1)


def no_question(got: bytes) -> bytes:
    return got[:4] + b"\0\0" + got[6:]


@pytest.mark.parametrize(
    "harm", [other_id, a_question, other_operation, other_name, other_kind, no_question]
)
def test_what_answers_no_question_of_ours_is_left_aside(harm: Callable[[bytes], bytes]) -> None:
    got = response(A, "crawl-7.googlebot.com. 300 A 192.0.2.7")

    assert read(A, harm(got)) is Reply.STRAY


def test_a_name_is_echoed_in_any_case() -> None:
    got = response(A, "crawl-7.googlebot.com. 300 A 192.0.2.7")

    assert isinstance(read(A, got.replace(b"crawl-7\x09", b"CRAWL-7\x09", 1)), Answer)


@given(st.data())
def test_any_harm_to_an_answer_breaks_nothing(data: st.DataObject) -> None:
    got = bytearray(response(A, *aliases(3), "n2.example. 60 A 192.0.2.7"))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(2, len(got) - 1))
        got[at] = data.draw(st.integers(0, 255))
    got = got[: data.draw(st.integers(0, len(got)))]

    assert isinstance(read(A, bytes(got)), Answer | Reply)


@given(st.binary(max_size=200))
def test_any_bytes_behind_our_question_break_nothing(tail: bytes) -> None:
    asked = encode(PTR, NUMBER)
    head = asked[:2] + b"\x81\x80" + b"\0\x01\0\x02\0\x01\0\x01"

    assert isinstance(read(PTR, head + asked[12:-11] + tail), Answer | Reply)
