"""Own addresses and gateways where netlink is refused: from the files below /proc/net.

They tell less than netlink (of several next hops the first, IPv4 routes of the main
table only), and the same machine.

Source: proc_net(5); net/ipv4/fib_trie.c, net/ipv6/addrconf.c, net/ipv6/route.c.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from pathlib import Path
from sys import byteorder

from agent.model.address import Address
from agent.model.inputs import OWN_ADDRESS
from agent.observe.found import Found, address_of, lines_of

_FOLDER = Path("proc/net")
_ROUTE_GATEWAY, _ROUTE_FLAGS = 2, 3
_ROUTE6_GATEWAY, _ROUTE6_FLAGS = 4, 8
_RTF_GATEWAY = 0x2


def read_own_addresses(root: Path) -> Iterator[Found]:
    """Find the addresses of this machine's interfaces."""
    for leaf, kind in pairwise(lines_of(root / _FOLDER / "fib_trie")):
        # A leaf "|-- 192.0.2.2" is followed by what it is: "/32 host LOCAL".
        if kind.split() == ["/32", "host", "LOCAL"]:
            address = address_of(leaf.replace("|--", ""))
            if address:
                yield address, f"{OWN_ADDRESS} (/proc/net/fib_trie)"
    for line in lines_of(root / _FOLDER / "if_inet6"):
        digits, *_, interface = line.split()
        yield IPv6Address(bytes.fromhex(digits)), f"{OWN_ADDRESS} ({interface})"


def read_default_gateways(root: Path) -> Iterator[Found]:
    """Find the routers that this machine sends through."""
    for address in (*_gateways4(root), *_gateways6(root)):
        yield address, "gateway (/proc/net)"


def _gateways4(root: Path) -> Iterator[Address]:
    for line in lines_of(root / _FOLDER / "route")[1:]:
        columns = line.split()
        if int(columns[_ROUTE_FLAGS], 16) & _RTF_GATEWAY:
            # A number in the byte order of the machine, printed in hexadecimal.
            yield IPv4Address(int(columns[_ROUTE_GATEWAY], 16).to_bytes(4, byteorder))


def _gateways6(root: Path) -> Iterator[Address]:
    for line in lines_of(root / _FOLDER / "ipv6_route"):
        columns = line.split()
        if int(columns[_ROUTE6_FLAGS], 16) & _RTF_GATEWAY:
            yield IPv6Address(bytes.fromhex(columns[_ROUTE6_GATEWAY]))
