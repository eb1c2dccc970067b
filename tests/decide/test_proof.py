from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest

from agent.decide import proof
from agent.decide.proof import Proven
from agent.model.address import HOST, Width, grouper, pack
from agent.model.sample import State
from tests.builders import NET24, NOW, tally

NARROW = Width(ipv4=32, ipv6=128)


def seen(*addresses: str, after: Proven | None = None, minute: int = 0) -> Proven:
    """These were ESTABLISHED in that minute."""
    at = NOW + timedelta(minutes=minute)
    return (after or Proven()).after(tally(dict.fromkeys(addresses, 1)), at)


def holds(proven: Proven, address: str, width: Width = HOST) -> bool:
    packed = pack(IPv6Address(address) if ":" in address else IPv4Address(address))
    return proven.holder(width)(grouper(width)(*packed))


def test_an_established_source_is_remembered_for_an_hour() -> None:
    proven = seen("192.0.2.1")

    assert holds(seen(after=proven, minute=60), "192.0.2.1")
    assert not holds(seen(after=proven, minute=61), "192.0.2.1")


def test_clients_that_an_earlier_run_saw_within_the_hour_are_proven() -> None:
    keys = [grouper(HOST)(*pack(IPv4Address(f"192.0.2.{host}"))) for host in (1, 2)]
    hour = 3600
    at = int(NOW.timestamp())

    proven = Proven.of({keys[0]: (1, at - hour), keys[1]: (1, at - hour - 60)})

    assert holds(seen(after=proven), "192.0.2.1")
    assert not holds(seen(after=proven), "192.0.2.2")


def test_who_comes_again_is_remembered_from_then_on() -> None:
    proven = seen("192.0.2.1", after=seen("192.0.2.1"), minute=59)

    assert holds(seen(after=proven, minute=119), "192.0.2.1")


def test_a_half_open_connection_proves_nothing() -> None:
    assert not Proven().after(tally({"192.0.2.1": 9}, state=State.SYN_RECV), NOW).seen


@pytest.mark.parametrize(
    ("came", "asked", "width", "expected"),
    [
        pytest.param("192.0.2.77", "192.0.2.77", HOST, True, id="itself"),
        pytest.param("192.0.2.77", "192.0.2.78", HOST, False, id="a-neighbour"),
        pytest.param("192.0.2.77", "192.0.2.1", NET24, True, id="a-member-proves-its-network"),
        pytest.param("192.0.2.77", "192.0.3.77", NET24, False, id="another-network"),
        pytest.param("2001:db8::1", "2001:db8::2", HOST, True, id="a-line-is-one"),
        pytest.param("2001:db8::1", "2001:db8::2", NARROW, True, id="also-for-a-narrow-rule"),
        pytest.param("2001:db8::1", "2001:db8:0:1::1", NARROW, False, id="another-line"),
        pytest.param("2001:db8::1", "2001:db8:0:1::1", NET24, True, id="in-one-network"),
        pytest.param("64:ff9b::c000:201", "64:ff9b::c000:202", HOST, False, id="nat64"),
        pytest.param("64:ff9b::c000:201", "64:ff9b::c000:2ff", NET24, True, id="nat64-network"),
        pytest.param("fe80::1%2", "fe80::1%3", HOST, False, id="another-link"),
        pytest.param("32.1.13.184", "2001:db8::", HOST, False, id="the-families-are-apart"),
    ],
)
def test_who_has_proven_to_be_there(came: str, asked: str, width: Width, *, expected: bool) -> None:
    assert holds(seen(came), asked, width) is expected


class TestBound:
    """Nobody with many addresses pushes the others out."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(proof, "REMEMBERED_AT_MOST", 100)

    honest = tuple(f"203.{n}.113.7" for n in range(40)) + tuple(
        f"2001:db8:{n:x}::7" for n in range(10)
    )

    def keep(self, proven: Proven, addresses: Iterable[str]) -> list[str]:
        return [one for one in addresses if holds(proven, one)]

    @pytest.mark.parametrize(
        "crowd",
        [
            pytest.param([f"2a00:1:{n:x}:1::1" for n in range(1000)], id="a-32-of-ipv6"),
            pytest.param([f"2a00:1:1:{n:x}::1" for n in range(1000)], id="one-48"),
            pytest.param([f"198.18.{n >> 8}.{n & 255}" for n in range(1000)], id="a-16-of-ipv4"),
            pytest.param([f"2a00:{n & 1:x}:{n:x}:1::1" for n in range(1000)], id="two-networks"),
        ],
    )
    @pytest.mark.parametrize("first", ["crowd", "honest"])
    def test_the_fullest_networks_make_room(self, crowd: list[str], first: str) -> None:
        proven = Proven()
        for group in (crowd, self.honest) if first == "crowd" else (self.honest, crowd):
            proven = seen(*group, after=proven)
        proven = seen(*crowd, after=proven, minute=1)

        assert self.keep(proven, self.honest) == list(self.honest)
        assert len(proven.seen) <= 100

    def test_of_one_network_those_stay_that_were_there_first(self) -> None:
        early = [f"198.51.1.{n}" for n in range(20)]
        proven = seen(*early)
        for minute in range(1, 30):
            crowd = [f"198.51.{minute + 1}.{n}" for n in range(50)]
            proven = seen(*crowd, after=proven, minute=minute)

        assert self.keep(proven, early) == early

    def test_addresses_of_one_line_take_one_place(self) -> None:
        proven = seen(*(f"2001:db8::{n:x}" for n in range(1000)))

        assert len(proven.seen) == 1

    def test_more_networks_than_there_is_room_for_still_fit(self) -> None:
        proven = seen(*(f"{n >> 8 | 1}.{n & 255}.1.1" for n in range(1000)))

        assert 90 <= len(proven.seen) <= 100

    def test_there_is_some_room_afterwards(self) -> None:
        proven = seen(*(f"198.18.{n >> 8}.{n & 255}" for n in range(101)))

        assert len(proven.seen) == 95
