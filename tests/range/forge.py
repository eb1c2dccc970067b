"""SYNs that nobody stands behind: a raw socket writes any source address.

Source: RFC 9293 3.1 (TCP header), RFC 791 3.1, RFC 8200 3 and 8.1 (checksums).
"""

import socket
import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address

from tests.range.namespaces import in_namespace

_SYN = 0x02
_WINDOW = 64_240
_TTL = 64
_IPV6_HDRINCL = 36


def forge_syns(
    namespace: str, sources: Iterable[str], to: tuple[str, int], *, from_port: int = 40_000
) -> int:
    """Send one SYN from each source, and give how many were sent.

    Args:
        namespace: The host that sends. The sources need not be its own, but who is to
            see SYN_RECV must route them to somebody silent.
        sources: All of the family of `to`. One that comes twice is a retransmission.
        to: Address and port.
        from_port: The source port of all of them.
    """
    server = ip_address(to[0])
    family = socket.AF_INET if server.version == 4 else socket.AF_INET6
    sent = 0
    with in_namespace(namespace):
        raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with raw:
        if family == socket.AF_INET6:
            raw.setsockopt(socket.IPPROTO_IPV6, _IPV6_HDRINCL, 1)
        for source in sources:
            packet = syn(ip_address(source).packed, server.packed, (from_port, to[1]))
            sent += bool(raw.sendto(packet, (str(server), 0)))
    return sent


def syn(source: bytes, to: bytes, ports: tuple[int, int]) -> bytes:
    """Write a whole packet: the header of IP and that of TCP."""
    tcp = struct.pack("!HHIIBBHHH", *ports, 1, 0, 5 << 4, _SYN, _WINDOW, 0, 0)
    pseudo = source + to + struct.pack("!HH", socket.IPPROTO_TCP, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", _checksum(pseudo + tcp)) + tcp[18:]
    if len(source) == len(IPv4Address(0).packed):
        # The kernel fills in the total length, the identification and the checksum.
        head = struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, _TTL, socket.IPPROTO_TCP, 0)
    else:
        head = struct.pack("!IHBB", 6 << 28, len(tcp), socket.IPPROTO_TCP, _TTL)
    return head + source + to + tcp


def _checksum(text: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(text) // 2}H", text))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
