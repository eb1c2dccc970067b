"""Gateways from recorded and broken route tables."""

import struct
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ObserveError
from agent.observe.routes import MOST_GATEWAYS, REQUEST, Gateways, read_gateways
from tests.observe.recorded_routes import ROUTES
from tests.range import in_namespace, ip

BYTES = bytes.fromhex(ROUTES)
RECORDED = {
    "192.0.2.9",  # multipath, in a table of its own
    "198.51.100.9",
    "192.0.2.1",
    "2001:db8::7",  # of an IPv4 route
    "2001:db8::8",
    "fe80::8",
    "2001:db8::1",
}


def route(*attributes: tuple[int, bytes]) -> bytes:
    """Write a route."""
    body = bytes(12)
    for kind, value in attributes:
        body += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return struct.pack("=IHHII", 16 + len(body), 24, 2, 1, 0) + body


def test_the_request_is_for_all_families() -> None:
    assert struct.pack("=IHHII12x", 28, 26, 0x301, 1, 0) == REQUEST


def test_recorded_routes_tell_all_gateways() -> None:
    gateways = Gateways()

    assert gateways.take(BYTES)
    assert set(map(str, gateways.found)) == RECORDED


def test_a_table_cut_off_anywhere_is_whole_routes_or_an_error() -> None:
    for end in range(len(BYTES)):
        gateways = Gateways()
        try:
            assert not gateways.take(BYTES[:end])
        except ObserveError:
            continue
        assert set(map(str, gateways.found)) <= RECORDED


def test_a_route_cut_short_tells_no_gateway_that_is_none() -> None:
    offset = 0
    while offset < len(BYTES) - 20:
        (length,) = struct.unpack_from("=I", BYTES, offset)
        for end in range(16, length):
            gateways = Gateways()
            with suppress(ObserveError):
                gateways.take(struct.pack("=I", end) + BYTES[offset + 4 : offset + end])
            assert set(map(str, gateways.found)) <= RECORDED
        offset += length


@pytest.mark.parametrize(
    "value",
    [
        pytest.param((5, b"abcdef"), id="hardware address"),
        pytest.param((18, b"\x11\0abcdef"), id="hardware address behind a family"),
        pytest.param((18, b"\x0a"), id="family cut off"),
        pytest.param((1, bytes(4)), id="destination"),
    ],
)
def test_what_is_no_gateway_is_passed_over(value: tuple[int, bytes]) -> None:
    gateways = Gateways()

    assert not gateways.take(route(value, (5, bytes([192, 0, 2, 1]))))
    assert list(gateways.found) == [ip_address("192.0.2.1")]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(bytes(11), id="header"),
        pytest.param(bytes(15), id="attribute"),
        pytest.param(bytes(12) + struct.pack("=HH", 3, 5), id="attribute too short"),
        pytest.param(bytes(12) + struct.pack("=HH", 9, 5) + bytes(4), id="attribute too long"),
        pytest.param(bytes(12) + struct.pack("=HHI", 8, 9, 8), id="next hop cut off"),
        pytest.param(bytes(12) + struct.pack("=HHII", 12, 9, 0, 0), id="next hop of no length"),
    ],
)
def test_a_malformed_route_is_an_error(body: bytes) -> None:
    with pytest.raises(ObserveError):
        Gateways().take(struct.pack("=IHHII", 16 + len(body), 24, 2, 1, 0) + body)


def test_reading_ends_when_there_are_enough() -> None:
    gateways = Gateways()
    routes = [route((5, number.to_bytes(4))) for number in range(1, MOST_GATEWAYS + 1)]

    assert not gateways.take(b"".join(routes[:-1]))
    assert gateways.take(routes[-1])


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=90), st.just(BYTES[:60]), st.just(BYTES[60:140]))))
def test_any_bytes_give_gateways_or_an_error(parts: list[bytes]) -> None:
    for chunk in (b"".join(parts), route(*((n, part) for n, part in enumerate(parts, 5)))):
        try:
            Gateways().take(chunk)
        except ObserveError:
            continue


@pytest.mark.root
def test_the_kernel_tells_the_gateways_of_every_table(namespace: str) -> None:
    ip("-n", namespace, "link", "add", "name", "eth1", "type", "veth", "peer", "name", "eth2")
    ip("-n", namespace, "link", "set", "eth1", "up")
    ip("-n", namespace, "link", "set", "eth2", "up")
    ip("-n", namespace, "addr", "add", "192.0.2.2/24", "dev", "eth1")
    ip("-n", namespace, "addr", "add", "2001:db8::2/64", "dev", "eth1", "nodad")
    ip("-n", namespace, "route", "add", "default", "via", "192.0.2.1")
    ip("-n", namespace, "route", "add", "10.0.0.0/8", "via", "192.0.2.3", "table", "77")
    ip("-n", namespace, "route", "add", "11.0.0.0/8", "via", "inet6", "2001:db8::4", "dev", "eth1")
    ip("-n", namespace, "route", "add", "2001:db8:1::/48", "via", "2001:db8::5")
    with in_namespace(namespace):
        found = dict(read_gateways())

    assert found == {
        ip_address(address): "gateway (route tables)"
        for address in ("192.0.2.1", "192.0.2.3", "2001:db8::4", "2001:db8::5")
    }
