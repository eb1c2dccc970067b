"""Own addresses and gateways without netlink."""

import ipaddress
from pathlib import Path

import psutil
import pytest

from agent.errors import RefusedError
from agent.observe import surroundings
from agent.observe.proc_net import read_default_gateways, read_own_addresses
from agent.observe.routes import read_gateways
from agent.observe.surroundings import read_surroundings

FIB_TRIE = """\
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 192.0.2.0/30 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.2
           /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
"""
IF_INET6 = "20010db8000000000000000000000007 04 40 00 82     eth0\n"
ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt
eth0\t00000000\t010200C0\t0003\t0
eth0\t000200C0\t00000000\t0001\t0
"""
IPV6_ROUTE = (
    f"{'0' * 32} 00 {'0' * 32} 00 20010db8000000000000000000000001 400 2 0 00000003     eth0\n"
    f"20010db8{'0' * 24} 40 {'0' * 32} 00 {'0' * 32} 100 1 0 00000001     eth0\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "proc" / "net"
    folder.mkdir(parents=True)
    texts = {"fib_trie": FIB_TRIE, "if_inet6": IF_INET6, "route": ROUTE, "ipv6_route": IPV6_ROUTE}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return tmp_path


def test_own_addresses_are_found(root: Path) -> None:
    assert [str(address) for address, _ in read_own_addresses(root)] == ["192.0.2.2", "2001:db8::7"]


def test_gateways_are_found(root: Path) -> None:
    found = [str(address) for address, _ in read_default_gateways(root)]

    assert found == ["192.0.2.1", "2001:db8::1"]


def test_nothing_there_is_nothing_found(tmp_path: Path) -> None:
    assert [*read_own_addresses(tmp_path), *read_default_gateways(tmp_path)] == []


def test_they_stand_in_where_netlink_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise RefusedError("netlink: permission denied")

    monkeypatch.setattr(surroundings, "read_gateways", refused)
    monkeypatch.setattr(psutil, "net_if_addrs", refused)
    monkeypatch.setattr(psutil, "users", list)

    guarded = {str(guard.prefix) for guard in read_surroundings(root, {}).guards}

    assert {"192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128", "2001:db8::7/128"} <= guarded


def test_on_this_machine_they_agree_with_netlink() -> None:
    here = Path("/")
    own = {str(address) for address, _ in read_own_addresses(here)}
    interfaces = {
        str(ipaddress.ip_address(one.address.partition("%")[0]))
        for each in psutil.net_if_addrs().values()
        for one in each
        if one.family in {2, 10}
    }

    assert own == interfaces
    assert {a for a, _ in read_default_gateways(here)} <= {a for a, _ in read_gateways()}
