from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.model.address import (
    AF_INET,
    AF_INET6,
    HOST,
    Source,
    Width,
    covers,
    grouper,
    line_of,
    overlaps,
    pack,
    source_of,
    unpack,
)

addresses = st.ip_addresses().filter(lambda one: one.version == 4 or one.ipv4_mapped is None)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        pytest.param("192.0.2.77", HOST, "192.0.2.77", id="ipv4-host"),
        pytest.param("192.0.2.77", Width(ipv4=24, ipv6=48), "192.0.2.0/24", id="ipv4-24"),
        pytest.param("192.0.2.77", Width(ipv4=27, ipv6=48), "192.0.2.64/27", id="ipv4-27"),
        pytest.param("2001:db8:1:2::3", HOST, "2001:db8:1:2::/64", id="ipv6-64"),
        pytest.param("2001:db8:1:2::3", Width(ipv4=32, ipv6=128), "2001:db8:1:2::3", id="ipv6-128"),
        pytest.param(
            "2001:db8:1:ff::3", Width(ipv4=32, ipv6=60), "2001:db8:1:f0::/60", id="ipv6-60"
        ),
        pytest.param("2001:db8:1::", Width(ipv4=32, ipv6=32), "2001:db8::/32", id="ipv6-32"),
        pytest.param("64:ff9b::c000:24d", HOST, "64:ff9b::c000:24d", id="nat64-host"),
        pytest.param(
            "64:ff9b::c000:24d", Width(ipv4=24, ipv6=48), "64:ff9b::c000:200/120", id="nat64-24"
        ),
        pytest.param("2001:0:1::5", Width(ipv4=24, ipv6=48), "2001:0:1::5", id="teredo"),
        pytest.param("2002:c000:201::1", HOST, "2002:c000:201::/64", id="6to4"),
        pytest.param("fe80::5%7", Width(ipv4=24, ipv6=48), "fe80::5%7", id="link-local"),
    ],
)
def test_an_address_belongs_to_a_source_of_the_width(
    text: str, width: Width, expected: str
) -> None:
    family, packed = pack(ip_address(text))

    assert str(source_of(grouper(width)(family, packed), width)) == expected


@settings(max_examples=500, derandomize=True, deadline=None)
@given(addresses, st.integers(16, 32), st.integers(32, 128))
def test_a_source_holds_the_addresses_it_was_made_of(address: object, ipv4: int, ipv6: int) -> None:
    family, packed = pack(ip_address(str(address)))
    width = Width(ipv4=ipv4, ipv6=ipv6)
    key = grouper(width)(family, packed)

    assert ip_address(str(address)) in source_of(key, width).prefix
    assert unpack(family, packed) == ip_address(str(address))


def test_the_families_never_share_a_key() -> None:
    key_of = grouper(Width(ipv4=32, ipv6=32))
    four, six = pack(ip_address("32.1.13.184")), pack(ip_address("2001:db8::"))

    assert key_of(*four) != key_of(*six)


def test_a_mapped_address_is_packed_as_ipv4() -> None:
    assert pack(ip_address("::ffff:192.0.2.1")) == pack(ip_address("192.0.2.1"))
    assert pack(ip_address("192.0.2.1"))[0] == AF_INET


def test_a_zone_is_kept_of_link_local_addresses_only() -> None:
    assert pack(ip_address("fe80::1%2")) != pack(ip_address("fe80::1%3"))
    assert pack(ip_address("2001:db8::1%2")) == pack(ip_address("2001:db8::1"))
    assert pack(ip_address("fe80::1%2"))[0] == AF_INET6


def test_overlap_and_cover_never_cross_the_families() -> None:
    four, six = ip_network("0.0.0.0/0"), ip_network("::/0")

    assert not overlaps(four, six)
    assert not covers(four, six)


def test_sources_have_one_order() -> None:
    texts = ["192.0.2.0/24", "192.0.2.0/32", "192.0.2.1/32", "::1/128"]
    sources = [Source(ip_network(text)) for text in texts]
    shuffled = [sources[at] for at in (2, 3, 0, 1)]

    assert sorted(shuffled, key=lambda one: one.order) == sources


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("192.0.2.77", "192.0.2.77/32"),
        ("::ffff:192.0.2.77", "192.0.2.77/32"),
        ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
        ("64:ff9b::c000:24d", "64:ff9b::c000:24d/128"),
        ("fe80::3%7", "fe80::3/128"),
    ],
)
def test_an_address_is_on_one_line(address: str, line: str) -> None:
    assert line_of(ip_address(address)) == ip_network(line)
