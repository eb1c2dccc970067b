"""Telling the service manager how the agent is; nothing without one. Source: sd_notify(3)."""

import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass

from agent.service import clock

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_NEVER_WAIT = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Who started the agent and wants to hear of it; perhaps nobody.

    Nothing here raises, waits, or costs more than a comparison where nobody listens.

    Attributes:
        address: The socket, an abstract one beginning with ``@``; None without one.
        watchdog_s: Seconds without a word after which the agent is killed; None for never.
    """

    address: str | None = None
    watchdog_s: float | None = None
    _knows_ready: bool = False

    def cycle_completed(self, status: str = "") -> None:
        """Tell that the agent is well: never after a failed cycle.

        The first time it tells that the start is over as well, and again until it was heard.

        Args:
            status: What ``systemctl status`` shows, in one line.
        """
        lines = ["WATCHDOG=1", *_status(status)]
        if self._knows_ready:
            self.notify(*lines)
        else:
            self._knows_ready = self.notify("READY=1", *lines)

    def say(self, status: str) -> None:
        """Tell what ``systemctl status`` shows, in one line."""
        self.notify(*_status(status))

    def reload_began(self) -> None:
        """Tell that the policy is being read again; `reload_ended` must follow."""
        if self.address is not None:
            self.notify("RELOADING=1", f"MONOTONIC_USEC={int(clock.stopwatch() * 1e6)}")

    def reload_ended(self, status: str = "") -> None:
        """Tell that the reload is over, whether or not the new policy was taken.

        During the start, that is before a cycle has completed, it is not told, because
        it would say that the start is over too.
        """
        if self._knows_ready:
            self.notify("READY=1", *_status(status))

    def stopping(self) -> None:
        """Tell that the end has begun."""
        self.notify("STOPPING=1")

    def notify(self, *lines: str) -> bool:
        """Send assignments in one message; whether somebody took it."""
        if self.address is None:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.sendto("\n".join(lines).encode(), _NEVER_WAIT, _as_name(self.address))
        except (OSError, ValueError):
            return False
        return True


def take_supervisor(environ: MutableMapping[str, str] = os.environ) -> Supervisor:
    """Read who supervises this process, and take it out of the environment.

    A command that the agent starts must neither speak for it nor feed its watchdog.
    """
    address, microseconds, pid = (environ.pop(name, "") for name in _VARIABLES)
    meant = pid in ("", str(os.getpid()))
    counted = microseconds.isascii() and microseconds.isdigit() and int(microseconds) > 0
    return Supervisor(
        address=address if address.startswith(("/", "@")) else None,
        watchdog_s=int(microseconds) / 1e6 if meant and counted else None,
    )


def _status(text: str) -> tuple[str, ...]:
    """A line break in it would be an assignment of its own."""
    return (f"STATUS={' '.join(text.split())}",) if text else ()


def _as_name(address: str) -> str:
    return "\0" + address[1:] if address.startswith("@") else address
