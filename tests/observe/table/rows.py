"""Rows of a dump as the kernel writes them, made by hand."""

import socket
import struct
from ipaddress import ip_address

from agent.model.sample import State

END = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def row(  # noqa: PLR0913 - each a field of the row
    state: State = State.ESTABLISHED,
    *,
    local: tuple[str, int] = ("10.0.0.1", 80),
    remote: tuple[str, int] = ("192.0.2.1", 50_000),
    timer: int = 0,
    tries: int = 0,
    cookie: int = 1,
    queues: tuple[int, int] = (0, 0),
    inode: int = 0,
    info: bytes = b"",
) -> bytes:
    """Write a message with one row, and with ``tcp_info`` where that is not empty."""
    here, there = ip_address(local[0]), ip_address(remote[0])
    family = socket.AF_INET if here.version == 4 else socket.AF_INET6
    body = struct.pack("=4B", family, state, timer, tries)
    body += struct.pack(">HH", local[1], remote[1])
    body += here.packed.ljust(16, b"\0") + there.packed.ljust(16, b"\0")
    body += struct.pack("=IQ5I", 0, cookie, 0, *queues, 1000, inode)
    if info:
        body += struct.pack("=HHB3x", 5, 8, 0) + struct.pack("=HH", 4 + len(info), 2) + info
    return struct.pack("=IHHII", 16 + len(body), 18, 2, 1, 0) + body


def info(received_ms: int, acked_ms: int) -> bytes:
    """Write a ``tcp_info`` with these two ages, and with 1 in every other byte."""
    return b"\1" * 52 + struct.pack("=II", received_ms, acked_ms) + b"\1" * 60
