"""What the kernel says about a table of legacy iptables: enough to see that it was changed.

It costs some microseconds and no process. A change that leaves the number and the size of
the rules as they are is not seen by it.

Source: include/uapi/linux/netfilter_ipv4/ip_tables.h (struct ipt_getinfo, IPT_SO_GET_INFO);
netfilter_ipv6/ip6_tables.h has the same.
"""

import socket

from agent.errors import FirewallError

_GET_INFO = 64
_NAME_BYTES = 32
_INFO_BYTES = 84
_LEVELS = {
    4: (socket.AF_INET, socket.IPPROTO_IP),
    6: (socket.AF_INET6, socket.IPPROTO_IPV6),
}


def read_info(version: int, table: str) -> bytes:
    """Give hooks, where they begin and end, and the number and size of all rules; as one value.

    Raises:
        FirewallError: The kernel does not tell.
    """
    family, level = _LEVELS[version]
    # The kernel takes the name at the head of the buffer, and only of exactly this length.
    asked = bytearray(table.encode().ljust(_INFO_BYTES, b"\0"))
    try:
        with socket.socket(
            family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW
        ) as raw:
            return _getsockopt(raw.fileno(), level, asked)[_NAME_BYTES:]
    except OSError as error:
        raise FirewallError(
            f"iptables' table {table} can't be looked at: {error.strerror}"
        ) from error


def _getsockopt(descriptor: int, level: int, buffer: bytearray) -> bytes:
    """Call getsockopt(2) with what is in the buffer: Python's own sends zeros."""
    import ctypes  # noqa: PLC0415 - only where legacy tables are in use
    import os  # noqa: PLC0415 - ditto

    libc = ctypes.CDLL(None, use_errno=True)
    text = (ctypes.c_char * len(buffer)).from_buffer(buffer)
    size = ctypes.c_uint32(len(buffer))
    if libc.getsockopt(descriptor, level, _GET_INFO, text, ctypes.byref(size)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return bytes(buffer)
