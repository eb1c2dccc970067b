"""The headers of all sets of ipset over netlink: no process is started for a look at them.

Source: include/uapi/linux/netfilter/ipset/ip_set.h, nfnetlink.h; net/netfilter/ipset/ip_set_core.c.
"""

import socket
from dataclasses import dataclass, field
from struct import Struct

from agent.act.ipset.names import Kind
from agent.errors import FirewallError, ObserveError
from agent.kernel import netlink
from agent.kernel.ask import ask
from agent.kernel.attributes import attributes, value

_NETLINK_NETFILTER = 12
_LIST = 6 << 8 | 7
_PROTOCOL, _SETNAME, _TYPENAME, _FAMILY, _FLAGS, _DATA = 1, 2, 3, 5, 6, 7
_TIMEOUT, _SET_FLAGS, _ELEMENTS, _REFERENCES = 6, 8, 24, 25
_WITH_COMMENT = 1 << 4
_VERSIONS = {bytes([socket.AF_INET]): 4, bytes([socket.AF_INET6]): 6}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One set.

    Attributes:
        elements: How many are in it.
        references: How many rules, or other sets, use it.
        kind: What it is.
    """

    elements: int
    references: int
    kind: Kind


@dataclass(slots=True)
class Headers:
    """One answer. Feed it with `take` until that is true.

    Attributes:
        found: The sets, by name.
    """

    found: dict[str, Header] = field(default_factory=dict)

    def take(self, chunk: bytes) -> bool:
        """Read the sets of a chunk; whether it was the last.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        for payload in netlink.messages(chunk, _LIST):
            if payload is None:
                return True
            name, header = _header(payload)
            self.found[name] = header
        return False


def read_sets() -> dict[str, Header]:
    """Give every set of this namespace, by name.

    Raises:
        FirewallError: It can't be told.
    """
    answer = Headers()
    try:
        ask(_NETLINK_NETFILTER, REQUEST, answer.take)
    except ObserveError as error:
        raise FirewallError(f"the sets of ipset can't be listed: {error}") from error
    return answer.found


def read_headers() -> dict[str, int]:
    """Give the number of elements of every set of this namespace, by name.

    Raises:
        FirewallError: It can't be told.
    """
    return {name: header.elements for name, header in read_sets().items()}


def _header(payload: bytes) -> tuple[str, Header]:
    found = attributes(payload[_NFGENMSG_BYTES:])
    if _SETNAME not in found:
        raise ObserveError("ipset: a set without a name")
    inner = attributes(value(found[_DATA])) if _DATA in found else {}
    kind = Kind(
        type_name=_text(found.get(_TYPENAME)),
        version=_VERSIONS.get(value(found.get(_FAMILY, b"")), 0),
        is_timed=_TIMEOUT in inner,
        is_commented=bool(_number(inner.get(_SET_FLAGS)) & _WITH_COMMENT),
    )
    return _text(found[_SETNAME]), Header(
        elements=_number(inner.get(_ELEMENTS)),
        references=_number(inner.get(_REFERENCES)),
        kind=kind,
    )


def _text(attribute: bytes | None) -> str:
    return value(attribute or b"").rstrip(b"\0").decode(errors="replace")


def _number(attribute: bytes | None) -> int:
    """Read a number; 0 where there is none."""
    if attribute is None:
        return 0
    number = value(attribute)
    if len(number) != _NUMBER.size:
        raise ObserveError(f"ipset: a number of {len(number)} bytes")
    return int(_NUMBER.unpack(number)[0])
