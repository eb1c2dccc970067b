"""Addresses that were found somewhere, with the reason to guard them."""

import os
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from stat import S_ISREG
from typing import TypeAlias

from agent.model.address import Address

Found: TypeAlias = tuple[Address, str]
"""An address, and what it is and where it was found, as ``resolver (/etc/resolv.conf)``."""

_FILE_BYTES = 65_536


def address_of(text: str) -> Address | None:
    """Read an address, without its zone and IPv4 where it is mapped; None for anything else."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def lines_of(path: Path, most_bytes: int = _FILE_BYTES) -> list[str]:
    """Give the lines of a small file; none when it can't be read.

    A byte that is no UTF-8 spoils its own line and no other. Anything but a regular
    file is left alone: logind keeps FIFOs beside its sessions, and opening one waits.

    Args:
        path: Of the file.
        most_bytes: Of a larger file only the whole lines within so many are given.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                return []
            raw = file.read(most_bytes + 1)
    except OSError:
        return []
    if len(raw) > most_bytes:
        raw = raw[: raw.rfind(b"\n") + 1]
    return raw.decode(errors="replace").splitlines()
