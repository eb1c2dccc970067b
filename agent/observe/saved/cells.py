"""Addresses and ports as netstat, ss and /proc/net/tcp write them. Pure.

A cell is an address and a port joined by a colon. Around the address may stand
brackets, and an interface behind a ``%``, which is dropped: netstat and /proc do
not tell it, so that a listing has one source where a link-local address occurs on
two links.

Source: misc/ss.c of iproute2, netstat.c of net-tools; proc_net_tcp(5).
"""

from functools import lru_cache
from socket import inet_pton
from struct import Struct
from typing import TypeAlias

from agent.model.address import AF_INET, AF_INET6, MAPPED, PACKED_BYTES

Packed: TypeAlias = tuple[int, bytes]
"""The family and the packed address; a mapped one is IPv4."""

_ANY6 = (AF_INET6, bytes(PACKED_BYTES))
_IPV4_DIGITS = 8
_IPV4, _IPV4_TAIL = slice(12, 16), bytes(16)
_NO_INTERFACE = bytes(4)
_WORD, _WORDS, _WORDS_AS_TEXT = Struct("=I"), Struct("=4I"), Struct(">4I")
_LAST_PORT = 65_535


@lru_cache(maxsize=4096)
def local_of(cell: bytes) -> tuple[Packed, int] | None:
    """Read a local cell, as ``[::1]:80``; None when it is none. The port 0 stands for any."""
    address, colon, port = cell.rpartition(b":")
    number = port_of(port)
    packed = packed_of(address) if colon else None
    return None if packed is None or number is None else (packed, number)


def port_of(text: bytes) -> int | None:
    """Read a port, where ``*`` is 0; None when it is none."""
    if text == b"*":
        return 0
    if not text.isdigit() or len(text) > len(str(_LAST_PORT)):
        return None
    return number if (number := int(text)) <= _LAST_PORT else None


def packed_of(text: bytes) -> Packed | None:
    """Read an address as a person would write it; None when it is none."""
    try:
        return AF_INET, inet_pton(AF_INET, text.decode()) + _IPV4_TAIL
    except (OSError, ValueError):
        pass
    if text == b"*":
        return _ANY6
    bare = text.partition(b"%")[0].removeprefix(b"[").removesuffix(b"]")
    if b":" not in bare:
        return packed_of(bare) if bare != text else None
    try:
        return _in_one_form(inet_pton(AF_INET6, bare.decode()))
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=4096)
def local_of_hex(cell: bytes) -> tuple[Packed, int] | None:
    """Read a local cell of /proc, as ``0100007F:0050``; None when it is none."""
    address, _, port = cell.partition(b":")
    packed = packed_of_hex(address)
    return None if packed is None else (packed, int(port, 16))


def packed_of_hex(text: bytes) -> Packed | None:
    """Read an address of /proc: 32-bit words in the byte order of this machine.

    A listing of a machine with the other byte order is read wrongly; nothing in it
    tells.
    """
    if len(text) == _IPV4_DIGITS:
        return AF_INET, _WORD.pack(int(text, 16)) + _IPV4_TAIL
    return _in_one_form(_WORDS.pack(*_WORDS_AS_TEXT.unpack(bytes.fromhex(text.decode()))))


def _in_one_form(packed: bytes) -> Packed:
    if packed.startswith(MAPPED):
        return AF_INET, packed[_IPV4] + _IPV4_TAIL
    return AF_INET6, packed + _NO_INTERFACE
