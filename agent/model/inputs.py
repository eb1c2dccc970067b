"""All that a judgement may look at. What is not in here, no verdict depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from agent.model.address import Address, Prefix, Source
from agent.model.ban import Installed
from agent.model.sample import Sample

Counters: TypeAlias = Mapping[str, int]
"""The kernel's TcpExt counters by their names in /proc/net/netstat; they only grow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """An address that will never be banned: the agent itself found it, or a permit holds.

    Attributes:
        prefix: The address, or a network such as fe80::/10.
        why: What it is and where it was found, as ``gateway (/proc/net/route)``.
        until: When a permit ends; aware, UTC. None for what was found.
    """

    prefix: Prefix
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """An operator's word that a prefix is to be left alone for a while.

    Attributes:
        prefix: Whom.
        until: The first moment at which it no longer holds; aware, UTC.
        why: As ``unbanned by hand`` or ``allowed by hand``.
    """

    prefix: Prefix
    until: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What this machine stands on: its own addresses and those it depends on.

    Attributes:
        guards: Sorted by prefix, each prefix once.
    """

    guards: tuple[Guard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBan:
    """An earlier ban of a source, as far as the next one depends on it.

    Attributes:
        began: Aware, UTC.
        ended: Aware, UTC; when it ended or was to end.
    """

    began: datetime
    ended: datetime


History: TypeAlias = Mapping[Source, tuple[PastBan, ...]]
"""Earlier bans by source, oldest first."""

Identities: TypeAlias = Mapping[Address, frozenset[str]]
"""Names of the allowlist entries that an address was found to belong to, maybe none.
An address that is not in it has not been identified yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """One moment, complete.

    Attributes:
        sample: The sockets.
        counters: The kernel's.
        surroundings: Guards.
        installed: The firewall, read back before the judgement.
        history: The ledger's.
        identities: Who sources turned out to be.
        is_strange: Whether something may be installed that no judgement asked for.
    """

    sample: Sample
    counters: Counters = field(default_factory=dict)
    surroundings: Surroundings = field(default_factory=Surroundings)
    installed: Installed = field(default_factory=Installed)
    history: History = field(default_factory=dict)
    identities: Identities = field(default_factory=dict)
    is_strange: bool = False
