"""The gateways of all route tables, both families.

An answer is a netlink message for each route: ``struct rtmsg`` of 12 bytes, then
attributes, each ``length 2 | type 2 | value`` padded to a multiple of four. A route
over several links holds its next hops in RTA_MULTIPATH, each ``struct rtnexthop`` of
8 bytes and attributes of its own. RTA_VIA has a gateway of the other family behind
the two bytes of that family.

Next hop objects are told as gateways too, unless net.ipv4.nexthop_compat_mode is 0.

Source: include/uapi/linux/rtnetlink.h, rtnetlink(7).
"""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from agent.errors import ObserveError
from agent.kernel import netlink
from agent.kernel.ask import ask
from agent.model.address import Address
from agent.observe.found import Found

_RTM_NEWROUTE, _RTM_GETROUTE = 24, 26
_RTMSG_BYTES = 12
_ATTRIBUTE = Struct("=HH")
_TYPE_BITS = 0x3FFF
_RTA_GATEWAY, _RTA_MULTIPATH, _RTA_VIA = 5, 9, 18
_NEXTHOP = Struct("=HBBi")
_FAMILY_BYTES, _IPV4_BYTES, _IPV6_BYTES = 2, 4, 16

MOST_GATEWAYS = 1_000
"""More different gateways than this are not guarded."""

_MOST_CHUNKS = 4_000
"""Of an answer; some 500,000 routes, a second's work."""

REQUEST = netlink.request(_RTM_GETROUTE, bytes(_RTMSG_BYTES))
"""``struct rtmsg`` with the family 0: every family that has routes, every table."""


class Gateways:
    """What one answer told. Feed it with `take` until that is true.

    Attributes:
        found: Distinct, in the order of the routes.
    """

    def __init__(self) -> None:
        self.found: dict[Address, None] = {}
        self._chunks = 0

    def take(self, chunk: bytes) -> bool:
        """Note the gateways in a chunk; true when that was the last, or enough.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        self._chunks += 1
        for payload in netlink.messages(chunk, _RTM_NEWROUTE):
            if payload is None:
                return True
            self.found.update(dict.fromkeys(_gateways(payload)))
        return len(self.found) >= MOST_GATEWAYS or self._chunks >= _MOST_CHUNKS


def read_gateways() -> Iterator[Found]:
    """Find the routers that this machine sends through, at most 1,000.

    Raises:
        RefusedError: The kernel does not let us ask.
        ObserveError: The answer did not come, or can't be read.
    """
    gateways = Gateways()
    ask(socket.NETLINK_ROUTE, REQUEST, gateways.take)
    for address in list(gateways.found)[:MOST_GATEWAYS]:
        yield address, "gateway (route tables)"


def _gateways(payload: bytes) -> Iterator[Address]:
    """Give the gateways of one route, of its next hops too."""
    if len(payload) < _RTMSG_BYTES:
        raise ObserveError(f"rtnetlink: a route of {len(payload)} bytes, not {_RTMSG_BYTES}")
    for kind, value in _attributes(payload[_RTMSG_BYTES:]):
        if kind == _RTA_MULTIPATH:
            for hop in _hops(value):
                for kind_of_hop, value_of_hop in _attributes(hop):
                    yield from _gateway(kind_of_hop, value_of_hop)
        else:
            yield from _gateway(kind, value)


def _gateway(kind: int, value: bytes) -> Iterator[Address]:
    """Give the address in this attribute, when it holds one of IPv4 or IPv6."""
    if kind == _RTA_VIA:
        value = value[_FAMILY_BYTES:]
    elif kind != _RTA_GATEWAY:
        return
    if len(value) == _IPV4_BYTES:
        yield IPv4Address(value)
    elif len(value) == _IPV6_BYTES:
        yield IPv6Address(value)


def _hops(value: bytes) -> Iterator[bytes]:
    """Give the attributes of each next hop."""
    while value:
        length = _length(value, _NEXTHOP)
        yield value[_NEXTHOP.size : length]
        value = value[netlink.padded(length) :]


def _attributes(value: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the type and the value of each attribute."""
    while value:
        length = _length(value, _ATTRIBUTE)
        kind = _ATTRIBUTE.unpack_from(value)[1] & _TYPE_BITS
        yield kind, value[_ATTRIBUTE.size : length]
        value = value[netlink.padded(length) :]


def _length(value: bytes, shape: Struct) -> int:
    """Read the length that `value` begins with, and that is to be of the shape at least.

    Raises:
        ObserveError: So many bytes are not there.
    """
    if len(value) < shape.size:
        raise ObserveError(f"rtnetlink: {len(value)} bytes of {shape.size}")
    length = int(shape.unpack_from(value)[0])
    if not shape.size <= length <= len(value):
        raise ObserveError(f"rtnetlink: {length} bytes in {len(value)}")
    return length
