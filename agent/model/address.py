"""Addresses: packed as the hot path counts them, and as a person reads them.

Three shapes, from the wire to the screen:

* a *packed address*, 20 bytes: the address as ``struct inet_diag_sockid`` has it
  (IPv4 in the first 4 of 16 bytes, the others zero), then the interface index in
  host order, which is zero unless the address is link-local;
* a *key*, what the packed addresses of one judged source have in common: 4 bytes
  for IPv4, 16 for IPv6, 20 for a link-local address with its interface. The
  length tells the family, so 32.1.13.184 is never 2001:db8::;
* a `Source`, made only for what comes near a limit or is shown to a person.

Source: include/uapi/linux/inet_diag.h; RFC 4291 2.5.5.2 (mapped), RFC 6052 2.1
and RFC 8215 (NAT64), RFC 4380 4 (Teredo), RFC 4007 11 (zones).
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Prefix: TypeAlias = IPv4Network | IPv6Network

AF_INET = 2
AF_INET6 = 10

WIDEST = {4: 16, 6: 32}
"""The shortest prefix length of anything that is banned, by IP version."""

PACKED_BYTES = 20
_IPV4_BYTES = 4
_IPV6_BYTES = 16
_IPV6_BITS = 128
_NAT64_BITS = 96

MAPPED = bytes(10) + b"\xff\xff"
_NAT64 = (bytes.fromhex("0064ff9b") + bytes(8), bytes.fromhex("0064ff9b0001"))
_TEREDO = bytes.fromhex("20010000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """How wide a judged source is, in bits of prefix length.

    Attributes:
        ipv4: 16 to 32.
        ipv6: 32 to 128.
    """

    ipv4: int
    ipv6: int

    def __str__(self) -> str:
        """As the policy writes it."""
        return "host" if self == HOST else f"{{ipv4: {self.ipv4}, ipv6: {self.ipv6}}}"


HOST = Width(ipv4=32, ipv6=64)
"""One customer's line: an IPv4 address, or the IPv6 /64 that comes with a line."""


@dataclass(frozen=True, slots=True)
class Source:
    """A remote address or prefix being judged.

    Attributes:
        prefix: A host is /32 or /128.
        zone: The interface's index; 0 unless `prefix` is a link-local host.
    """

    prefix: Prefix
    zone: int = 0

    def __str__(self) -> str:
        """The bare address for a host, ``address/length`` for anything wider."""
        if not is_host(self.prefix):
            return str(self.prefix)
        zone = f"%{self.zone}" if self.zone else ""
        return f"{self.prefix.network_address}{zone}"

    @classmethod
    def of(cls, address: Address) -> "Source":
        """Give the host with this address."""
        if isinstance(address, IPv4Address):
            return cls(IPv4Network(address))
        zone = int(address.scope_id or 0)
        return cls(IPv6Network((address.packed, _IPV6_BITS)), zone)

    @property
    def order(self) -> tuple[int, int, int, int]:
        """A total order over both families: IPv4 first, then by address."""
        prefix = self.prefix
        return (prefix.version, int(prefix.network_address), prefix.prefixlen, self.zone)


def pack(address: Address) -> tuple[int, bytes]:
    """Give the family and the packed form of `address`; a mapped one becomes IPv4.

    A zone is kept when it is an interface's index, and only of a link-local address.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if isinstance(address, IPv4Address):
        return AF_INET, address.packed.ljust(PACKED_BYTES, b"\0")
    zone = int(address.scope_id or 0) if address.is_link_local else 0
    return AF_INET6, address.packed + zone.to_bytes(4, sys.byteorder)


def unpack(family: int, packed: bytes) -> Address:
    """Give the address whose packed form this is; a zone becomes its scope id."""
    if family == AF_INET:
        return IPv4Address(packed[:_IPV4_BYTES])
    zone = int.from_bytes(packed[_IPV6_BYTES:], sys.byteorder)
    address = IPv6Address(packed[:_IPV6_BYTES])
    return IPv6Address(f"{address}%{zone}") if zone else address


def is_link_local(packed: bytes) -> bool:
    """Whether an IPv6 packed address lies in fe80::/10."""
    return packed[0] == 0xFE and packed[1] & 0xC0 == 0x80  # noqa: PLR2004 - the bits of fe80::/10


def grouper(width: Width) -> Callable[[int, bytes], bytes]:
    """Give the function from (family, packed address) to the key of its source.

    IPv4 inside IPv6 is judged as what it is: a NAT64 address by the width for
    IPv4, a Teredo client alone. So is a link-local address: its /64 is a whole
    link of machines.
    """
    cut4, cut6 = _cutter(width.ipv4, _IPV4_BYTES), _cutter(width.ipv6, _IPV6_BYTES)
    cut64 = _cutter(_NAT64_BITS + width.ipv4, _IPV6_BYTES)

    def key_of(family: int, packed: bytes) -> bytes:
        if family == AF_INET:
            return cut4(packed)
        if packed[0] not in _SPECIAL_FIRST_BYTES:
            return cut6(packed)
        if packed.startswith(_NAT64):
            return cut64(packed)
        if packed.startswith(_TEREDO):
            return packed[:_IPV6_BYTES]
        return packed if is_link_local(packed) else cut6(packed)

    return key_of


def widened(width: Width) -> Callable[[bytes], bytes]:
    """Give the function from a key to the key of the source of that width that it is in.

    A key that is wider already stays as it is.
    """
    key_of = grouper(width)
    return lambda key: key_of(AF_INET if len(key) == _IPV4_BYTES else AF_INET6, key)


_SPECIAL_FIRST_BYTES = frozenset({0x00, 0x20, 0xFE})


def _cutter(bits: int, size: int) -> Callable[[bytes], bytes]:
    """Give the function that keeps the first `bits` of `size` bytes, the others zero."""
    whole, rest = divmod(bits, 8)
    if whole == size:
        return lambda packed: packed[:size]
    if not rest:
        padding = bytes(size - whole)
        return lambda packed: packed[:whole] + padding
    mask = bytes([0xFF << (8 - rest) & 0xFF])
    padding = bytes(size - whole - 1)
    return lambda packed: packed[:whole] + bytes([packed[whole] & mask[0]]) + padding


def source_of(key: bytes, width: Width) -> Source:
    """Give the source that a key of this width stands for."""
    if len(key) == _IPV4_BYTES:
        return Source(IPv4Network((key, width.ipv4)))
    if len(key) == PACKED_BYTES:
        zone = int.from_bytes(key[_IPV6_BYTES:], sys.byteorder)
        return Source(IPv6Network((key[:_IPV6_BYTES], _IPV6_BITS)), zone)
    if key.startswith(_NAT64):
        return Source(IPv6Network((key, _NAT64_BITS + width.ipv4)))
    if key.startswith(_TEREDO):
        return Source(IPv6Network((key, _IPV6_BITS)))
    return Source(IPv6Network((key, width.ipv6)))


def line_of(address: Address) -> Prefix:
    """Give the line that an address is on: itself, or the IPv6 /64 around it."""
    return source_of(_line_key(*pack(address)), HOST).prefix


_line_key = grouper(HOST)


def member_key(family: int, packed: bytes) -> bytes:
    """Give the key, 21 bytes, of one address that is judged apart from its prefix."""
    return bytes([family]) + packed


def holder(prefix: Prefix) -> Callable[[int, bytes], bool]:
    """Give the function that tells whether (family, packed address) lies in `prefix`."""
    family, size = (AF_INET, _IPV4_BYTES) if prefix.version == 4 else (AF_INET6, _IPV6_BYTES)  # noqa: PLR2004
    shift = prefix.max_prefixlen - prefix.prefixlen
    wanted = int(prefix.network_address) >> shift
    return lambda of, packed: of == family and int.from_bytes(packed[:size]) >> shift == wanted


def is_host(prefix: Prefix) -> bool:
    """Whether a prefix is a single address."""
    return prefix.prefixlen == prefix.max_prefixlen


def is_line(prefix: Prefix) -> bool:
    """Whether a prefix is no wider than one customer's line: an address, or an IPv6 /64."""
    return prefix.prefixlen >= (HOST.ipv4 if prefix.version == 4 else HOST.ipv6)  # noqa: PLR2004


def collapsed(prefixes: Iterable[Prefix]) -> frozenset[Prefix]:
    """Give the fewest prefixes that hold the same addresses: no two of them overlap."""
    each = tuple(prefixes)
    return frozenset(
        (
            *collapse_addresses(one for one in each if isinstance(one, IPv4Network)),
            *collapse_addresses(one for one in each if isinstance(one, IPv6Network)),
        )
    )


def overlaps(left: Prefix, right: Prefix) -> bool:
    """Whether two prefixes share an address; never across the families."""
    return left.version == right.version and left.overlaps(right)


def covers(wide: Prefix, narrow: Prefix) -> bool:
    """Whether every address of `narrow` is one of `wide`."""
    return (
        wide.version == narrow.version
        and wide.prefixlen <= narrow.prefixlen
        and wide.overlaps(narrow)
    )
