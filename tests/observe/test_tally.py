"""From the kernel's keys to a sample."""

from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from agent.model.address import AF_INET, AF_INET6, MAPPED, pack
from agent.model.sample import SOCKETS, Sample, State
from agent.observe.tally import sample_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LISTEN80 = {(AF_INET6, 10, 80, bytes(20)): 1}
IPV4 = pack(ip_address("192.0.2.1"))[1]
IPV6 = pack(ip_address("2001:db8::1"))[1]
LOCAL = ip_address("fe80::1").packed
ETH2 = b"\2\0\0\0"


def sample(*parts: dict[tuple[int, int, int, bytes], int]) -> Sample:
    """Give the sample of these sockets, beside a listener on port 80."""
    raw: Counter[tuple[int, int, int, bytes]] = Counter(LISTEN80)
    for part in parts:
        raw.update(part)
    return sample_of(raw, NOW)


def test_everything_is_in_the_totals_and_only_listening_ports_in_the_tally() -> None:
    found = sample(
        {(AF_INET, 1, 80, IPV4): 3, (AF_INET, 1, 50_000, IPV4): 4, (AF_INET, 2, 50_001, IPV4): 5}
    )

    assert found.taken_at == NOW
    assert found.sockets == 13
    assert found.states == {State.ESTABLISHED: 7, State.SYN_SENT: 5, State.LISTEN: 1}
    assert found.listening == {80}
    assert found.tallies == {SOCKETS: {(AF_INET, 1, 80, IPV4): 3}}


@pytest.mark.parametrize(
    ("key", "clean"),
    [
        pytest.param((AF_INET, 1, 80, IPV4), (AF_INET, 1, 80, IPV4), id="IPv4"),
        pytest.param((AF_INET6, 1, 80, IPV6), (AF_INET6, 1, 80, IPV6), id="IPv6"),
        pytest.param(
            (AF_INET6, 6, 80, MAPPED + IPV4[:4] + bytes(4)), (AF_INET, 6, 80, IPV4), id="mapped"
        ),
        pytest.param(
            (AF_INET6, 1, 80, MAPPED + IPV4[:4] + ETH2), (AF_INET, 1, 80, IPV4), id="mapped, bound"
        ),
        pytest.param((AF_INET, 1, 80, IPV4[:16] + ETH2), (AF_INET, 1, 80, IPV4), id="IPv4, bound"),
        pytest.param(
            (AF_INET6, 1, 80, IPV6[:16] + ETH2), (AF_INET6, 1, 80, IPV6), id="IPv6, bound"
        ),
        pytest.param(
            (AF_INET6, 1, 80, LOCAL + ETH2), (AF_INET6, 1, 80, LOCAL + ETH2), id="link-local"
        ),
        pytest.param((AF_INET, 12, 80, IPV4), (AF_INET, 3, 80, IPV4), id="request socket"),
        pytest.param((AF_INET, 7, 80, IPV4), None, id="closed"),
        pytest.param((AF_INET, 1, 81, IPV4), None, id="outgoing"),
        pytest.param((AF_INET, 13, 80, IPV4), None, id="state of a later kernel"),
        pytest.param((99, 1, 80, IPV4), None, id="family of a later kernel"),
    ],
)
def test_each_address_has_one_form(
    key: tuple[int, int, int, bytes], clean: tuple[int, int, int, bytes] | None
) -> None:
    found = sample({key: 2})

    assert found.tallies[SOCKETS] == ({clean: 2} if clean else {})


def test_forms_of_one_address_are_added_up() -> None:
    found = sample(
        {
            (AF_INET, 1, 80, IPV4): 1,
            (AF_INET6, 1, 80, MAPPED + IPV4[:4] + bytes(4)): 2,
            (AF_INET6, 1, 80, MAPPED + IPV4[:4] + ETH2): 4,
        }
    )

    assert found.tallies[SOCKETS] == {(AF_INET, 1, 80, IPV4): 7}


def test_the_same_bytes_in_two_families_are_two_sources() -> None:
    ipv4, ipv6 = pack(ip_address("32.1.13.184")), pack(ip_address("2001:db8::"))
    assert ipv4[1] == ipv6[1]

    found = sample({(ipv4[0], 1, 80, ipv4[1]): 1, (ipv6[0], 1, 80, ipv6[1]): 2})

    assert sorted(found.tallies[SOCKETS].values()) == [1, 2]


def test_one_link_local_address_on_two_links_is_two_sources() -> None:
    found = sample({(AF_INET6, 1, 80, LOCAL + bytes([n, 0, 0, 0])): n for n in (2, 3)})

    assert sorted(found.tallies[SOCKETS].values()) == [2, 3]


def test_what_no_program_knows_counts_nowhere() -> None:
    found = sample({(AF_INET, 13, 80, IPV4): 2, (99, 10, 22, bytes(20)): 1})

    assert found.sockets == 1
    assert found.listening == {80}


def test_an_empty_table_is_an_empty_sample() -> None:
    found = sample_of(Counter(), NOW)

    assert (found.sockets, found.states, found.listening) == (0, {}, frozenset())
