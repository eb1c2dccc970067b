"""All that a diagnosis may go by. What is not in here, no finding depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from agent.desk.doctor.host.values import Host
from agent.observe.owners import Holders
from agent.observe.table.values import Sockets
from agent.observe.written import Written

Counts: TypeAlias = Mapping[str, int]
"""Counters of the kernel by protocol and name, as ``TcpExt.ListenDrops``, ``Tcp.PassiveOpens``."""

Settings: TypeAlias = Mapping[str, str]
"""Settings by name, as ``net.ipv4.ip_local_port_range``, and what their files say, stripped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this machine is.

    Attributes:
        memory_bytes: All of it; 0 where that can't be told.
        processors: How many this process may use.
        kernel: Its release, as ``6.1.0-18-amd64``.
    """

    memory_bytes: int = 0
    processors: int = 1
    kernel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One machine, looked at twice.

    Attributes:
        now: The second moment; aware, UTC.
        watched_s: Between the two, in seconds; 0 after a single look.
        counters: At the second moment.
        grown: By how much each has grown since the first; only what has.
        settings: Those that exist here.
        written: What files say that set them at boot, in the order of that.
        machine: What it is.
        sockets: All of them, at the second moment.
        before: All of them, at the first; None after a single look.
        holders: Who has those of them that are kept one by one.
        host: The firewall, the agent and the machine around them.
        unread: Why something could not be had, by what.
    """

    now: datetime
    watched_s: float
    counters: Counts = field(default_factory=dict)
    grown: Counts = field(default_factory=dict)
    settings: Settings = field(default_factory=dict)
    written: tuple[Written, ...] = ()
    machine: Machine = field(default_factory=Machine)
    sockets: Sockets = field(default_factory=Sockets)
    before: Sockets | None = None
    holders: Holders = field(default_factory=Holders)
    host: Host = field(default_factory=Host)
    unread: Mapping[str, str] = field(default_factory=dict)
