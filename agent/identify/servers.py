"""The name servers to ask, as resolv.conf names them; read again when it changes.

Source: resolv.conf(5): ``nameserver``, at most three, and the machine itself without any.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import inf
from pathlib import Path

from agent.identify.regular import read_regular
from agent.model.address import Address

MOST_SERVERS = 3
LOOK_EVERY_S = 2.0
_MOST_BYTES = 65_536
_ITSELF: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


def parse_servers(text: str) -> tuple[Address, ...]:
    """Give the name servers of a resolv.conf, in order."""
    found: list[Address] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            found.extend(_address(words[1]))
    return tuple(dict.fromkeys(found))[:MOST_SERVERS] or _ITSELF


def _address(text: str) -> list[Address]:
    try:
        return [ip_address(text)]
    except ValueError:
        return []


@dataclass(slots=True)
class Servers:
    """Gives the name servers, from memory while the file stays as it is.

    Attributes:
        path: Of resolv.conf.
        stopwatch: Seconds that only grow.
    """

    path: Path
    stopwatch: Callable[[], float]
    _found: tuple[Address, ...] = _ITSELF
    _stamp: tuple[int, int] | None = None
    _due: float = field(default=-inf)

    def __call__(self) -> tuple[Address, ...]:
        """Give them in order; at least one."""
        if self.stopwatch() >= self._due:
            self._due = self.stopwatch() + LOOK_EVERY_S
            self._look()
        return self._found

    def _look(self) -> None:
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return
            found = read_regular(self.path, _MOST_BYTES)
        except OSError:
            self._found, self._stamp = _ITSELF, None
            return
        text = found[0].decode("ascii", "replace") if found else ""
        self._found, self._stamp = parse_servers(text), stamp
