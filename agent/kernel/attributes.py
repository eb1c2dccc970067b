"""Attributes of netlink: after a message's own head, each with length and type. Pure.

::

    length 2, these four bytes included | type 2 | value ... | zeros up to a multiple of four

Source: include/uapi/linux/netlink.h (struct nlattr).
"""

from struct import Struct

from agent.errors import ObserveError
from agent.kernel.netlink import padded

HEAD = Struct("=HH")
TYPE_BITS = 0x3FFF
"""The two others say that it is nested, or in network order."""


def attributes(text: bytes) -> dict[int, bytes]:
    """Give by type each attribute whole, with its head; the last one where a type comes twice.

    Raises:
        ObserveError: An attribute is cut off, or its length can't be.
    """
    found = {}
    offset = 0
    while offset < len(text):
        left = len(text) - offset
        if left < HEAD.size:
            raise ObserveError(f"netlink: {left} bytes are no attribute")
        length, kind = HEAD.unpack_from(text, offset)
        if not HEAD.size <= length <= left:
            raise ObserveError(f"netlink: an attribute of {length} bytes in {left}")
        found[kind & TYPE_BITS] = text[offset : offset + length]
        offset += padded(length)
    return found


def value(attribute: bytes) -> bytes:
    """Give what an attribute holds."""
    return attribute[HEAD.size :]
