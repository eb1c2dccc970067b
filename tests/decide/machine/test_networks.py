from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.decide.machine.networks import networks_of
from agent.model.address import pack
from tests.builders import prefix

TABLE = networks_of(
    {
        "a": [prefix("198.51.100.0/24"), prefix("2001:db8::/32")],
        "b": [prefix("203.0.113.7/32"), prefix("0.0.0.0/8"), prefix("255.0.0.0/8")],
        "inside-a": [prefix("198.51.100.128/25")],
    }
)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("198.51.100.0", "a", id="its-first"),
        pytest.param("198.51.100.255", "a", id="its-last"),
        pytest.param("198.51.99.255", None, id="below"),
        pytest.param("198.51.101.0", None, id="above"),
        pytest.param("203.0.113.7", "b", id="a-host"),
        pytest.param("0.0.0.0", "b", id="the-lowest-of-all"),
        pytest.param("255.255.255.255", "b", id="the-highest-of-all"),
        pytest.param("198.51.100.200", "a", id="of-two-the-wider"),
        pytest.param("2001:db8:ffff::1", "a", id="ipv6"),
        pytest.param("2001:db9::", None, id="ipv6-above"),
        pytest.param("32.1.13.184", None, id="the-families-are-apart"),
        pytest.param("fe80::1%3", None, id="with-an-interface"),
    ],
)
def test_an_address_is_in_the_network_that_holds_it(address: str, expected: str | None) -> None:
    assert TABLE.name(*pack(ip_address(address))) == expected


def test_nothing_is_in_no_networks() -> None:
    assert networks_of({}).name(*pack(ip_address("192.0.2.1"))) is None


near = st.integers(0xC0000200, 0xC00003FF)


@given(st.lists(st.tuples(near, st.integers(22, 32)), max_size=12), st.lists(near, min_size=1))
def test_it_agrees_with_a_look_into_each(listed: list[tuple[int, int]], asked: list[int]) -> None:
    prefixes = [ip_network(one, strict=False) for one in listed]
    table = networks_of({"it": prefixes})

    for number in asked:
        address = ip_address(number)
        expected = "it" if any(address in one for one in prefixes) else None
        assert table.name(*pack(address)) == expected
