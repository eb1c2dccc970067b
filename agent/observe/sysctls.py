"""The kernel's settings that decide what becomes of a SYN.

Source: Documentation/networking/ip-sysctl.rst, Documentation/admin-guide/sysctl/net.rst,
Documentation/networking/nf_conntrack-sysctl.rst.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from pathlib import Path

from agent.model.inputs import Sysctls

WANTED = (
    "net.core.netdev_max_backlog",
    "net.core.somaxconn",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
)
EVERY_S = 60.0

_FOLDER = Path("proc/sys")
_MOST_DIGITS = 20
_MOST_INTERFACES = 1000
_NO_INTERFACES = frozenset({"all", "default"})
_SWAPPED = str.maketrans("./", "/.")


@dataclass(slots=True)
class Settings:
    """Gives the settings, from memory until they are a minute old.

    Attributes:
        stopwatch: Seconds that only grow.
        root: Where the tree with ``proc`` begins.
    """

    stopwatch: Callable[[], float]
    root: Path = Path("/")
    _seen: Sysctls = field(default_factory=dict)
    _due: float = -inf

    def __call__(self) -> Sysctls:
        """Give the settings; without those that are missing or hidden."""
        at = self.stopwatch()
        if at >= self._due:
            self._due, self._seen = at + EVERY_S, read_sysctls(self.root)
        return self._seen


def read_sysctls(root: Path = Path("/")) -> Sysctls:
    """Read the settings of this network namespace; without those that are missing or hidden.

    Args:
        root: Where the tree with ``proc`` begins.
    """
    found = {name: _number(root / _FOLDER / name.replace(".", "/")) for name in WANTED}
    return {name: number for name, number in found.items() if number is not None}


def read_texts(names: Iterable[str], root: Path = Path("/")) -> Mapping[str, str]:
    """Read what these settings' files say, stripped; without those that are missing or hidden.

    Args:
        names: Of settings, as ``net.ipv4.ip_local_port_range``.
        root: Where the tree with ``proc`` begins.
    """
    found = {name: _text(root / _FOLDER / name.translate(_SWAPPED)) for name in names}
    return {name: text for name, text in found.items() if text is not None}


def of_interfaces(setting: str, root: Path = Path("/")) -> tuple[str, ...]:
    """Name an IPv4 setting of each interface, as ``net.ipv4.conf.eth0/1.rp_filter`` of eth0.1.

    Args:
        setting: As ``rp_filter``.
        root: Where the tree with ``proc`` begins.
    """
    try:
        with os.scandir(root / _FOLDER / "net/ipv4/conf") as entries:
            found = [one.name for one in islice(entries, _MOST_INTERFACES)]
    except OSError:
        return ()
    names = (one.translate(_SWAPPED) for one in found if one not in _NO_INTERFACES)
    return tuple(sorted(f"net.ipv4.conf.{name}.{setting}" for name in names))


def _number(path: Path) -> int | None:
    text = _text(path) or ""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
