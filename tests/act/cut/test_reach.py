"""What bans reach, beside the plain reading of them."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.act.cut.reach import NOTHING, Reach, Reaches
from agent.model.address import AF_INET, AF_INET6, pack
from agent.model.ban import Ban
from agent.model.policy import Scope
from tests.builders import SSH, WEB, ban, prefix, throttle

SSH_PORTS = frozenset({22, 2222})
MAPPED = ip_address("::ffff:192.0.2.10").packed


def at(address: str) -> tuple[int, bytes]:
    """The key of an address, as a row of sock_diag has it."""
    family, packed = pack(ip_address(address))
    return family, packed[:16]


def reach(address: str, *bans: Ban, allowed: tuple[str, ...] = ()) -> Reach:
    return Reaches(bans, [prefix(text) for text in allowed], SSH_PORTS)[at(address)]


@pytest.mark.parametrize(
    ("bans", "expected"),
    [
        pytest.param([ban()], Reach(ports=WEB.ports), id="service"),
        pytest.param([ban(service=None)], NOTHING, id="service without one"),
        pytest.param([ban(scope=Scope.HOST)], Reach(spared=SSH_PORTS), id="host"),
        pytest.param(
            [ban(scope=Scope.HOST, service=SSH)], Reach(spared=frozenset()), id="host and ssh"
        ),
        pytest.param([throttle()], NOTHING, id="throttle"),
        pytest.param([ban("192.0.2.11/32")], NOTHING, id="somebody else"),
        pytest.param([ban("c000:20a::/32")], NOTHING, id="the same bytes in IPv6"),
        pytest.param(
            [ban(), ban("192.0.2.0/24", service=SSH), ban("192.0.0.0/16", scope=Scope.HOST)],
            Reach(ports=WEB.ports | SSH.ports, spared=SSH_PORTS),
            id="all that any prefix says",
        ),
        pytest.param(
            [ban(scope=Scope.HOST), ban("192.0.2.0/24", scope=Scope.HOST, service=SSH)],
            Reach(spared=frozenset()),
            id="the host with ssh and without",
        ),
    ],
)
def test_every_ban_of_an_address_counts(bans: list[Ban], expected: Reach) -> None:
    assert reach("192.0.2.10", *bans) == expected
    assert bool(expected) is (expected != NOTHING)


def test_a_mapped_address_is_that_of_ipv4() -> None:
    assert Reaches([ban()], [], SSH_PORTS)[AF_INET6, MAPPED].ports == WEB.ports
    assert not Reaches([ban("::/0")], [], SSH_PORTS)[AF_INET6, MAPPED]
    assert not Reaches([ban()], [prefix("192.0.2.0/28")], SSH_PORTS)[AF_INET6, MAPPED]


def test_four_bytes_are_an_address_whatever_follows() -> None:
    reaches = Reaches([ban()], [], SSH_PORTS)

    assert reaches[AF_INET, bytes([192, 0, 2, 10])] == reaches[at("192.0.2.10")] != NOTHING


def test_of_an_unknown_family_nothing_is_reached() -> None:
    assert not Reaches([ban("0.0.0.0/0"), ban("::/0")], [], SSH_PORTS)[1, bytes(16)]


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        pytest.param([80], True, id="of the service"),
        pytest.param([8000, 80], True, id="of the service by the socket"),
        pytest.param([22, 80], True, id="of the service, by ssh's port"),
        pytest.param([443], True, id="of the host"),
        pytest.param([22], False, id="ssh"),
        pytest.param([2222, 8022], False, id="ssh by the port asked for"),
    ],
)
def test_a_port_is_covered_by_the_service_or_the_host(ports: list[int], expected: bool) -> None:
    both = Reach(ports=frozenset({80}), spared=SSH_PORTS)

    assert both.covers(*ports) is expected


def test_what_no_ban_is_about_is_the_one_value() -> None:
    assert reach("192.0.2.11", ban()) is NOTHING
    assert reach("192.0.2.10", ban(), allowed=("192.0.2.0/24",)) is NOTHING


def test_without_bans_it_is_empty() -> None:
    assert Reaches([throttle()], [prefix("::/0")], SSH_PORTS).is_empty
    assert not Reaches([ban()], [], SSH_PORTS).is_empty


networks = st.one_of(
    st.builds(
        lambda number, length: ip_network((0xC0000200 + number, length), strict=False),
        st.integers(0, 255),
        st.integers(0, 32),
    ),
    st.builds(
        lambda number, length: ip_network(
            ((0x20010DB8 << 96) + (number << 64) + number, length), strict=False
        ),
        st.integers(0, 255),
        st.integers(0, 128),
    ),
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(networks, max_size=6), st.lists(networks, max_size=3), networks)
def test_it_is_what_the_prefixes_say(banned: list, allowed: list, asked: object) -> None:  # type: ignore[type-arg]
    address = asked.network_address  # type: ignore[attr-defined]
    bans = [ban(str(one)) for one in banned]

    found = Reaches(bans, allowed, SSH_PORTS)[at(str(address))]

    assert bool(found) is (
        any(address in one for one in banned) and not any(address in one for one in allowed)
    )
