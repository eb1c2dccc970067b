"""Two hosts on a wire: a server, and a client that owns whole ranges of addresses.

The server reaches the ranges through the client's address as a gateway: on the link
itself each source would need a neighbour entry, and that table is full at 1,024. The
silent ranges are routed to the client as well, which drops what comes for them, so
that a forged SYN from there stays SYN_RECV.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from tests.range.namespaces import in_namespace, ip, namespace

_READY_S = 10.0
_POLL_S = 0.02

_SOURCES4 = IPv4Network("198.18.0.0/16")
_SOURCES6 = IPv6Network("2001:db8:18::/48")
_SILENT4 = IPv4Network("198.19.0.0/16")
_SILENT6 = IPv6Network("2001:db8:19::/48")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """What a test needs to know of the two; the addresses are the same in every range.

    Attributes:
        server: The name of its namespace.
        client: The name of its namespace.
        server_link: The server's interface.
        client_link: The client's interface.
        server4: The server's address.
        server6: The server's address.
        client4: The client's address, the gateway to all ranges.
        client6: The client's address, the gateway to all ranges.
        sources4: Every address in it is the client's own.
        sources6: Every address in it is the client's own.
        silent4: Nobody answers from here.
        silent6: Nobody answers from here.
    """

    server: str
    client: str
    server_link: str = "wire0"
    client_link: str = "wire1"
    server4: str = "10.99.0.1"
    server6: str = "fd00:99::1"
    client4: str = "10.99.0.2"
    client6: str = "fd00:99::2"
    sources4: IPv4Network = _SOURCES4
    sources6: IPv6Network = _SOURCES6
    silent4: IPv4Network = _SILENT4
    silent6: IPv6Network = _SILENT6


@contextmanager
def two_hosts() -> Iterator[Hosts]:
    """Make a server and a client, ready for packets; both are gone afterwards.

    Raises:
        RuntimeError: The wire did not come up in ten seconds.
    """
    with namespace() as server, namespace() as client:
        hosts = Hosts(server=server, client=client)
        for name in (server, client):
            set_sysctl(name, "ipv6/conf/default/accept_dad", "0")
        wire(server, hosts.server_link, client, hosts.client_link)
        _address(server, hosts.server_link, hosts.server4, hosts.server6)
        _address(client, hosts.client_link, hosts.client4, hosts.client6)
        _route(hosts)
        set_sysctl(client, "ipv6/ip_nonlocal_bind", "1")
        wait_for_link(server, hosts.server_link)
        wait_for_link(client, hosts.client_link)
        yield hosts


def wire(server: str, server_link: str, client: str, client_link: str) -> None:
    """Lay a wire between two namespaces and bring both ends up."""
    ip(
        *("link", "add", "name", server_link, "netns", server, "type", "veth"),
        *("peer", "name", client_link, "netns", client),
    )
    ip("-n", server, "link", "set", server_link, "up")
    ip("-n", client, "link", "set", client_link, "up")


def wait_for_link(name: str, link: str) -> None:
    """Wait until the link is up; before that the first packets are lost.

    Raises:
        RuntimeError: It is not in ten seconds.
    """

    def is_up() -> bool:
        (told,) = json.loads(ip("-n", name, "-json", "link", "show", "dev", link))
        return bool(told["operstate"] == "UP")

    if not eventually(is_up):
        raise RuntimeError(f"{link} did not come up")


def eventually(check: Callable[[], bool]) -> bool:
    """Ask again and again, for ten seconds at most; whether it became true."""
    until = time.monotonic() + _READY_S
    while not (true := check()) and time.monotonic() < until:
        time.sleep(_POLL_S)
    return true


def set_sysctl(name: str, path: str, value: str) -> None:
    """Write a setting below /proc/sys/net inside the namespace."""
    with in_namespace(name):
        Path("/proc/sys/net", path).write_text(value)


def _address(name: str, link: str, ipv4: str, ipv6: str) -> None:
    ip("-n", name, "addr", "add", f"{ipv4}/24", "dev", link)
    ip("-n", name, "addr", "add", f"{ipv6}/64", "dev", link, "nodad")


def _route(hosts: Hosts) -> None:
    for prefix in (hosts.sources4, hosts.sources6, hosts.silent4, hosts.silent6):
        gateway = hosts.client4 if prefix.version == 4 else hosts.client6
        ip("-n", hosts.server, "route", "add", str(prefix), "via", gateway)
    for owned in (hosts.sources4, hosts.sources6):
        ip("-n", hosts.client, "route", "add", "local", str(owned), "dev", "lo")
    for silent in (hosts.silent4, hosts.silent6):
        ip("-n", hosts.client, "route", "add", "blackhole", str(silent))
