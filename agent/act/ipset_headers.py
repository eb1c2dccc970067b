"""The headers of all sets of ipset over netlink: no process is started for a look at them.

Source: include/uapi/linux/netfilter/ipset/ip_set.h, nfnetlink.h; net/netfilter/ipset/ip_set_core.c.
"""

import socket
from dataclasses import dataclass, field
from struct import Struct

from agent.errors import FirewallError, ObserveError
from agent.kernel import netlink
from agent.kernel.ask import ask
from agent.kernel.attributes import attributes, value

_NETLINK_NETFILTER = 12
_LIST = 6 << 8 | 7
_PROTOCOL, _SETNAME, _FLAGS, _DATA = 1, 2, 6, 7
_ELEMENTS = 24
_VERSION = 6
_HEADERS_ONLY = 1 << 2
_NET_BYTEORDER = 1 << 14
_NFGENMSG_BYTES = 4
_NUMBER = Struct(">I")
_HEAD = Struct("=HH")

REQUEST = netlink.request(
    _LIST,
    Struct("=BBxx").pack(socket.AF_INET, 0)
    + _HEAD.pack(5, _PROTOCOL)
    + bytes([_VERSION, 0, 0, 0])
    + _HEAD.pack(8, _FLAGS | _NET_BYTEORDER)
    + _NUMBER.pack(_HEADERS_ONLY),
)


@dataclass(slots=True)
class Headers:
    """One answer. Feed it with `take` until that is true.

    Attributes:
        elements: How many are in each set, by its name.
    """

    elements: dict[str, int] = field(default_factory=dict)

    def take(self, chunk: bytes) -> bool:
        """Read the sets of a chunk; whether it was the last.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        for payload in netlink.messages(chunk, _LIST):
            if payload is None:
                return True
            name, count = _header(payload)
            self.elements[name] = count
        return False


def read_headers() -> dict[str, int]:
    """Give the number of elements of every set of this namespace, by name.

    Raises:
        FirewallError: It can't be told.
    """
    answer = Headers()
    try:
        ask(_NETLINK_NETFILTER, REQUEST, answer.take)
    except ObserveError as error:
        raise FirewallError(f"the sets of ipset can't be listed: {error}") from error
    return answer.elements


def _header(payload: bytes) -> tuple[str, int]:
    found = attributes(payload[_NFGENMSG_BYTES:])
    if _SETNAME not in found:
        raise ObserveError("ipset: a set without a name")
    inner = attributes(value(found[_DATA])) if _DATA in found else {}
    number = value(inner[_ELEMENTS]) if _ELEMENTS in inner else bytes(_NUMBER.size)
    if len(number) != _NUMBER.size:
        raise ObserveError(f"ipset: a number of {len(number)} bytes")
    name = value(found[_SETNAME]).rstrip(b"\0").decode(errors="replace")
    return name, int(_NUMBER.unpack(number)[0])
