"""One socket of the kernel's answer, its extensions among it. Parsing only.

A row is the payload of a netlink message, of 72 bytes and attributes::

    offset 0   family 1 | state 1 | timer 1 | tries 1 | local port 2 | remote port 2 (big-endian)
           8   local address 16 | remote address 16 | interface 4 | cookie 8
           52  expires 4 | unread 4 | unsent 4 | uid 4 | inode 4
           72  attributes: length 2 | type 2 | payload

Attribute 2 is ``struct tcp_info``; of it, in milliseconds, at 52 since data last came
and at 56 since an acknowledgement last came. A FIN without data acknowledges too,
so that of a silent CLOSE_WAIT the latter is its age.

Source: include/uapi/linux/inet_diag.h, include/uapi/linux/tcp.h; net/ipv4/tcp_input.c,
tcp_ack() sets rcv_tstamp, tcp_event_data_recv() lrcvtime.
"""

from struct import Struct

from agent.errors import ObserveError
from agent.kernel.netlink import padded

ROW_BYTES = 72
ROW = Struct("=4B2s2s16s20sQ4x4I")
"""Family, state, timer, tries, local port, remote port, local address, remote packed address,
cookie, unread, unsent, uid, inode."""

ASKED = 1 << 2 - 1
"""Of the request: the extension ``INET_DIAG_INFO``."""

_INFO = 2
_ATTRIBUTE = Struct("=HH")
_AGES = Struct("=52xII")


def ages(payload: bytes) -> tuple[int | None, int | None]:
    """Give the milliseconds since the last acknowledgement and the last data of a row.

    What is too short to tell, as of a kernel without it, is None.

    Raises:
        ObserveError: An attribute is cut off.
    """
    at = ROW_BYTES
    while at + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, at)
        if not _ATTRIBUTE.size <= length <= len(payload) - at:
            raise ObserveError(f"inet_diag: an attribute of {length} bytes is cut off")
        if kind == _INFO and length >= _ATTRIBUTE.size + _AGES.size:
            received_ms, acked_ms = _AGES.unpack_from(payload, at + _ATTRIBUTE.size)
            return acked_ms, received_ms
        at += padded(length)
    return None, None
