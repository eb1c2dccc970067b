"""The name servers that this machine asks.

Source: resolv.conf(5), systemd-resolved.service(8).
"""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from agent.model.address import Address
from agent.observe.found import Found, address_of, lines_of

FILE = Path("etc/resolv.conf")
BEHIND_STUB = Path("run/systemd/resolve/resolv.conf")
_STUB = ip_address("127.0.0.53")


def read_resolvers(root: Path) -> Iterator[Found]:
    """Find the name servers, those behind systemd's stub included."""
    servers = _servers(root / FILE)
    yield from ((server, f"resolver (/{FILE})") for server in servers)
    if _STUB in servers:
        for server in _servers(root / BEHIND_STUB):
            yield server, f"resolver (/{BEHIND_STUB})"


def _servers(path: Path) -> list[Address]:
    words = (line.split() for line in lines_of(path))
    texts = (line[1] for line in words if len(line) > 1 and line[0] == "nameserver")
    return [address for address in map(address_of, texts) if address]
