"""Whether addresses or routes of this network namespace changed, as the kernel tells.

What changed is not looked at: that is read anew. A flood of messages costs a bounded time,
and one that overran the socket's buffer is a change like any other.

Source: rtnetlink(7), netlink(7) (multicast groups, ENOBUFS); include/uapi/linux/rtnetlink.h.
"""

import errno
import socket
from contextlib import suppress
from dataclasses import dataclass

from agent.kernel.ask import KERNEL

_IPV4_ADDRESS, _IPV4_ROUTE, _IPV6_ADDRESS, _IPV6_ROUTE = 0x10, 0x40, 0x100, 0x400
GROUPS = _IPV4_ADDRESS | _IPV4_ROUTE | _IPV6_ADDRESS | _IPV6_ROUTE
"""RTMGRP_IPV4_IFADDR and its like, as a mask."""

MOST_AT_ONCE = 500
"""Messages that one call takes; what is left is a change for the next one."""


@dataclass(slots=True)
class Changes:
    """Listens for messages, and never waits for one.

    Attributes:
        ear: What it hears with; None while it is deaf.
    """

    ear: socket.socket | None = None

    @property
    def is_deaf(self) -> bool:
        """Whether the kernel tells us nothing, so that there is no knowing."""
        return self.ear is None

    def listen(self) -> None:
        """Listen from now on, if that is not done already and the kernel lets us."""
        if self.ear is not None:
            return
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        with suppress(OSError):
            opened = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
            try:
                opened.bind((0, GROUPS))
                # From now on the kernel takes messages of no other process for us.
                opened.connect(KERNEL)
            except OSError:
                opened.close()
                raise
            self.ear = opened

    def heard(self) -> bool:
        """Whether anything came since the last call."""
        heard = False
        for _ in range(MOST_AT_ONCE):
            try:
                if self.ear is None or not self.ear.recv(1):
                    break
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    self.close()
            heard = True
        return heard

    def close(self) -> None:
        """Listen no more."""
        if self.ear is not None:
            self.ear.close()
            self.ear = None
