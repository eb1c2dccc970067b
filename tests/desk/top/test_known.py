"""Who sources are, in a few words."""

from datetime import timedelta
from ipaddress import ip_address

import pytest

from agent.desk.top.known import Known, known_of
from agent.model.inputs import Guard, Spared, Surroundings
from agent.model.learned import Learned, Verified
from tests.builders import NOW, entry, policy, prefix

GUARDS = (
    Guard(prefix=prefix("192.0.2.1/32"), why="gateway (/proc/net/route)"),
    Guard(prefix=prefix("192.0.2.2/32"), why="session (ssh)", only_ssh=True),
    Guard(prefix=prefix("2001:db8:5::9/128"), why="resolver (/etc/resolv.conf)"),
    Guard(prefix=prefix("192.0.2.6/32"), why="\x1b[2J (file)"),
)
LISTED = (
    entry("office", "192.0.2.0/29", patience=10),
    entry("probes", "192.0.2.4/32", services=frozenset({"web"})),
    entry("over", "192.0.2.5/32", until=NOW),
)
VERIFIED = {
    ip_address("192.0.2.3"): Verified(
        entries=frozenset({"crawler"}), at=NOW, names=("bot.example.net", "b.example.net")
    ),
    ip_address("2001:db8:6::1"): Verified(entries=frozenset(), at=NOW, names=("six.example",)),
}


def known() -> Known:
    return known_of(
        policy(allowlist=LISTED),
        Spared(surroundings=Surroundings(guards=GUARDS)),
        Learned(verified=VERIFIED),
        {"Cloudflare": frozenset({prefix("198.51.100.0/24")})},
    )


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        pytest.param("192.0.2.1/32", "gateway; office, 10x", id="guarded and listed"),
        pytest.param("192.0.2.2/32", "session, for ssh only; office, 10x", id="for ssh"),
        pytest.param("192.0.2.3/32", "office, 10x; bot.example.net", id="a confirmed name"),
        pytest.param("192.0.2.4/32", "office, 10x; probes, exempt for web", id="of a service"),
        pytest.param("192.0.2.5/32", "office, 10x", id="an entry that is over"),
        pytest.param("192.0.2.6/32", "\\x1b[2J; office, 10x", id="nothing that plays tricks"),
        pytest.param("2001:db8:5::/64", "resolver", id="one in a line"),
        pytest.param("2001:db8:6::/64", "six.example", id="a name in a line"),
        pytest.param("198.51.100.9/32", "Cloudflare, a CDN", id="a vendor's"),
        pytest.param("203.0.113.9/32", "", id="nobody"),
    ],
)
def test_who_a_source_is_fits_into_a_cell(who: str, expected: str) -> None:
    assert known().who(prefix(who), NOW) == expected


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        pytest.param("192.0.2.1/32", True, id="guarded"),
        pytest.param("192.0.2.2/32", False, id="guarded for ssh only"),
        pytest.param("192.0.2.4/32", False, id="exempt for one service"),
        pytest.param("2001:db8:5::/64", False, id="a line with somebody guarded in it"),
        pytest.param("203.0.113.9/32", False, id="nobody"),
    ],
)
def test_only_whom_no_ban_reaches_is_spared(who: str, *, expected: bool) -> None:
    assert known().is_spared(prefix(who), NOW) is expected


def test_an_entry_spares_until_it_ends() -> None:
    by = policy(allowlist=(entry("guest", "192.0.2.5/32", until=NOW),))
    guest = known_of(by, Spared(), Learned(), {})
    before = NOW - timedelta(seconds=1)

    assert guest.is_spared(prefix("192.0.2.5/32"), before)
    assert guest.who(prefix("192.0.2.5/32"), before) == "guest, exempt"
    assert not guest.is_spared(prefix("192.0.2.5/32"), NOW)
