"""The text of range files: of every vendor's kind, and of nobody's."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Fault
from agent.identify.ranges import MOST_PREFIXES, Ranges, parse_ranges

GOOGLE = {
    "creationTime": "2026-11-20T22:00:57.000000",
    "prefixes": [{"ipv6Prefix": "2001:4860:4801:10::/64"}, {"ipv4Prefix": "66.249.64.0/27"}],
}
FASTLY = {"addresses": ["23.235.32.0/20"], "ipv6_addresses": ["2a04:4e40::/32"]}


def amazon(*services: str) -> dict[str, Any]:
    return {
        "syncToken": "1",
        "createDate": "2026-11-19-21-13-10",
        "prefixes": [
            {"ip_prefix": f"198.51.{number}.0/24", "service": service}
            for number, service in enumerate(services)
        ],
        "ipv6_prefixes": [{"ipv6_prefix": "2001:db8:9::/48", "service": services[0]}],
    }


def read(content: object) -> Ranges:
    found = parse_ranges(raw(content), "list")
    assert isinstance(found, Ranges), found
    return found


def refused(content: object) -> Fault:
    found = parse_ranges(raw(content), "list")
    assert isinstance(found, Fault), found
    return found


def raw(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else json.dumps(content).encode()


def texts(found: Ranges) -> set[str]:
    return set(map(str, found.prefixes))


def test_googles_and_bings_json_is_read_with_its_date() -> None:
    found = read(GOOGLE)

    assert texts(found) == {"66.249.64.0/27", "2001:4860:4801:10::/64"}
    assert found.date == datetime(2026, 11, 20, 22, 0, 57, tzinfo=UTC)


def test_fastlys_json_is_read() -> None:
    assert texts(read(FASTLY)) == {"23.235.32.0/20", "2a04:4e40::/32"}


def test_amazons_json_of_one_service_is_read_whole() -> None:
    found = read(amazon("S3"))

    assert texts(found) == {"198.51.0.0/24", "2001:db8:9::/48"}
    assert found.date == datetime(2026, 11, 19, 21, 13, 10, tzinfo=UTC)


def test_of_amazons_services_only_those_of_the_cdn_are_taken() -> None:
    found = read(amazon("EC2", "CLOUDFRONT", "S3", "CLOUDFRONT_ORIGIN_FACING"))

    assert texts(found) == {"198.51.1.0/24", "198.51.3.0/24"}


def test_amazons_services_without_a_cdn_are_refused() -> None:
    assert "several services" in refused(amazon("EC2", "S3")).problem


def test_a_plain_list_is_read_with_comments_and_its_date() -> None:
    found = read(
        "# date: 2026-11-27\n\n192.0.2.7   # a host\n2001:db8::/32\r\n::ffff:198.51.100.0/120\n"
    )

    assert texts(found) == {"192.0.2.7/32", "2001:db8::/32", "198.51.100.0/24"}
    assert found.date == datetime(2026, 11, 27, tzinfo=UTC)


def test_networks_that_overlap_become_the_widest() -> None:
    assert texts(read("192.0.2.0/24\n192.0.2.0/25\n198.51.100.0/25\n198.51.100.128/25")) == {
        "192.0.2.0/24",
        "198.51.100.0/24",
    }


def test_much_is_read_with_pauses() -> None:
    pauses: list[None] = []
    lines = "\n".join(f"10.{n >> 8}.{n & 255}.0/24" for n in range(1000)).encode()

    parse_ranges(lines, "list", lambda: pauses.append(None))

    assert len(pauses) == 4


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        pytest.param("", "list", "no prefix is in it", id="empty"),
        pytest.param("# none\n", "list", "no prefix is in it", id="only-comments"),
        pytest.param("192.0.2.0/24\n<html>\n", "list:2:1", "is no address", id="a-page"),
        pytest.param("192.0.2.1/24", "list:1:1", "is no address", id="host-bits"),
        pytest.param("fe80::1%eth0", "list:1:1", "after %", id="zone"),
        pytest.param("0.0.0.0/0", "list:1:1", "wider than /8", id="everybody"),
        pytest.param("10.0.0.0/7", "list:1:1", "wider than /8", id="wider-than-8"),
        pytest.param("2000::/3", "list:1:1", "wider than /16", id="all-of-ipv6"),
        pytest.param(
            "\n".join(f"{n}.0.0.0/8" for n in range(256)), "list", "are 0.0.0.0/0", id="all-of-8"
        ),
        pytest.param("10.0.0.0/8\n11.0.0.0/8", "list", "are 10.0.0.0/7, wider than /8", id="two"),
        pytest.param(
            {"addresses": ["2001::/16", "2000::/16"]}, "list", "wider than /16", id="two-of-16"
        ),
        pytest.param(b"\xff\xfe", "list", "UTF-8", id="no-text"),
        pytest.param('{"prefixes": [', "list:1:1", "broken JSON", id="cut-off"),
        pytest.param("[" * 100_000, "list", "broken JSON", id="deep"),
        pytest.param("[1]", "list", "of a kind that is not known", id="list"),
        pytest.param({"ips": []}, "list", "of a kind that is not known", id="unknown-keys"),
        pytest.param({"prefixes": {}}, "list: prefixes", "not known", id="no-list"),
        pytest.param({"prefixes": ["1"]}, "list: prefixes[0]", "not known", id="no-row"),
        pytest.param({"prefixes": [{"a": 1}]}, "list: prefixes[0]", "not known", id="no-key"),
        pytest.param(
            {"prefixes": [{"ipv4Prefix": 7}, {"ipv4Prefix": "300.0.0.1"}]},
            "list: prefixes[0].ipv4Prefix",
            "'7' is no address",
            id="number",
        ),
        pytest.param({"addresses": ["::/0"]}, "list: addresses[0]", "wider", id="fastly-wide"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(content: object, place: str, problem: str) -> None:
    told = str(refused(content))

    assert told.startswith(f"{place}: ")
    assert problem in told
    assert "\n" not in told


def test_a_list_of_too_many_is_refused() -> None:
    many = "\n".join("192.0.2.1" for _ in range(MOST_PREFIXES + 1))

    assert "more than 50,000 prefixes" in refused(many).problem


@pytest.mark.parametrize("date", ["soon", "9999-99-99", 7, None, "0001-01-01T00:00:00+14:00"])
def test_a_date_that_can_not_be_read_is_none(date: object) -> None:
    assert read(GOOGLE | {"creationTime": date}).date is None
    assert read(amazon("S3") | {"createDate": date}).date is None


@given(st.binary())
def test_any_bytes_are_ranges_or_a_fault(content: bytes) -> None:
    found = parse_ranges(content, "list")

    assert isinstance(found, Fault) or found.prefixes


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["prefixes", "ipv6_prefixes", "addresses", "ipv6_addresses", "creationTime"])
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["ipv4Prefix", "ipv6_prefix", "ip_prefix", "service"]), JSON),
    max_size=4,
)


@given(st.dictionaries(KEYS, JSON | ROWS))
def test_any_json_is_ranges_or_a_fault(content: dict[str, Any]) -> None:
    found = parse_ranges(json.dumps(content).encode(), "list")

    assert isinstance(found, Fault) or found.prefixes


@given(st.lists(st.ip_addresses(), min_size=1, max_size=30))
def test_every_listed_address_is_in_a_prefix(addresses: list[Any]) -> None:
    found = read("\n".join(map(str, addresses)))

    for address in addresses:
        meant = getattr(address, "ipv4_mapped", None) or address
        assert any(meant in prefix for prefix in found.prefixes)
