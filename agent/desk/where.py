"""Where a command looks for things, and by which clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where a command looks for things, and by which clock.

    Attributes:
        folder: The state directory.
        paths: Of the policy; empty for the running or the last agent's, else the usual ones.
        firewall: ``auto``, ``iptables``, ``nftables``; None for the running agent's, else auto.
        now: The moment; aware, UTC.
        stopwatch: Seconds that only grow.
        boot_id: Of this boot.
    """

    folder: Path
    paths: tuple[str, ...]
    firewall: str | None
    now: datetime
    stopwatch: Callable[[], float]
    boot_id: str
