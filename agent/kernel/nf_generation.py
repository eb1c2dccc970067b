"""The number that the kernel counts up with every change to nf_tables of this namespace.

Asking costs some microseconds. Every batch that was committed moves it by one, whoever
sent it, the nf_tables variant of iptables as well; an element that expires does not.

Source: include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h; net/netfilter/nf_tables_api.c.
"""

import socket
from dataclasses import dataclass
from struct import Struct

from agent.errors import ObserveError
from agent.kernel import netlink
from agent.kernel.ask import ask

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10 << 8
_NEWGEN = _SUBSYSTEM | 15
_GETGEN = _SUBSYSTEM | 16
_GEN_ID = 1
_NFGENMSG_BYTES = 4
_ATTRIBUTE = Struct("=HH")
_NUMBER = Struct(">I")
_TYPE_BITS = 0x3FFF

_HEADER = netlink.HEADER
REQUEST = _HEADER.pack(
    _HEADER.size + _NFGENMSG_BYTES, _GETGEN, netlink.NLM_F_REQUEST, 1, 0
) + Struct("=BBxx").pack(socket.AF_UNSPEC, 0)


@dataclass(slots=True)
class Generation:
    """One answer. Feed it with `take` until that is true.

    Attributes:
        number: 0 until it came; the kernel never counts 0.
    """

    number: int = 0

    def take(self, chunk: bytes) -> bool:
        """Read the number; always true, the answer is one message.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        for payload in netlink.messages(chunk, _NEWGEN):
            self.number = self.number or _number(payload or b"")
        if not self.number:
            raise ObserveError("nfnetlink: an answer without a generation")
        return True


def generation() -> int:
    """Ask for the number.

    Raises:
        RefusedError: The kernel does not let us ask: it takes CAP_NET_ADMIN.
        ObserveError: There is no nf_tables in this kernel, or no answer that can be read.
    """
    answer = Generation()
    ask(_NETLINK_NETFILTER, REQUEST, answer.take)
    return answer.number


def _number(payload: bytes) -> int:
    """Give the number in the attributes of a message; 0 when it is not there."""
    at = _NFGENMSG_BYTES
    while at + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, at)
        if not _ATTRIBUTE.size <= length <= len(payload) - at:
            raise ObserveError(f"nfnetlink: an attribute of {length} bytes")
        if kind & _TYPE_BITS == _GEN_ID and length == _ATTRIBUTE.size + _NUMBER.size:
            return int(_NUMBER.unpack_from(payload, at + _ATTRIBUTE.size)[0])
        at += netlink.padded(length)
    return 0
