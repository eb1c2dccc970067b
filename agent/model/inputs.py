"""All that a judgement may look at. What is not in here, no verdict depends on."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from agent.model.address import Address, Prefix, Source
from agent.model.ban import Installed
from agent.model.sample import Sample

Counters: TypeAlias = Mapping[str, int]
"""The kernel's TcpExt counters by their names in /proc/net/netstat; they only grow."""


OWN_ADDRESS = "own address"
"""How the reason begins to guard an address that this machine itself has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """An address that will never be banned: the agent itself found it, or a permit holds.

    Attributes:
        prefix: The address, or a network such as fe80::/10.
        why: What it is and where it was found, as ``gateway (/proc/net/route)``.
        until: When a permit ends; aware, UTC. None for what was found.
        only_ssh: Whether it holds for ssh alone, as the far end of a session does.
    """

    prefix: Prefix
    why: str
    until: datetime | None = None
    only_ssh: bool = False


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
        administrators: Where administrators are logged in from at this moment.
    """

    guards: tuple[Guard, ...] = ()
    administrators: frozenset[Address] = frozenset()


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

Found: TypeAlias = Mapping[str, frozenset[Prefix]]
"""By the name of an allowlist entry, the prefixes that belong to it beside the listed ones:
out of range files, by host names, and single addresses by their confirmed names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """Who sources turned out to be.

    Attributes:
        found: Who belongs to which entry.
        answered: Addresses whose names were looked up, whatever came of it: who is not in
            here, nor found, may still turn out to belong to an entry with names.
        unread: Entries whose ranges or hosts are being looked up for the first time: until
            then anybody may turn out to belong to them.
        vendors: Networks of large CDNs by the vendor's name, trusted or not.
    """

    found: Found = field(default_factory=dict)
    answered: AbstractSet[Address] = frozenset()
    unread: frozenset[str] = frozenset()
    vendors: Mapping[str, frozenset[Prefix]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """Whom no ban may reach, beside the prefixes that the policy itself lists.

    Attributes:
        surroundings: The guards.
        found: Who belongs to the policy's entries.
    """

    surroundings: Surroundings = field(default_factory=Surroundings)
    found: Found = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits at the listening sockets of one port, all of them together.

    Attributes:
        waiting: Finished handshakes that the application has not accepted yet.
        backlog: How many may wait; each socket keeps as many half-open ones of its own.
        smallest: The backlog of the socket that has the smallest.
        full: How many half-open ones those sockets keep whose backlog is nearly used up:
            they may belong to clients that have finished, and wait for room.
    """

    waiting: int
    backlog: int
    smallest: int
    full: int


Listeners: TypeAlias = Mapping[int, Queue]
"""Queues by local port."""

Sysctls: TypeAlias = Mapping[str, int]
"""Settings of the kernel by name, as ``net.ipv4.tcp_syncookies``; what it lacks is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was known of sources from earlier moments: on a tape, for each moment of it.

    Attributes:
        proven: Of the sources in the sample, keys (of width `HOST`) of those that were
            ESTABLISHED within the hour.
        known: Of the same, those that are known clients.
        others: How many more hosts are ESTABLISHED, which the sample does not have.
        others_known: How many of these are known clients.
    """

    proven: frozenset[bytes] = frozenset()
    known: frozenset[bytes] = frozenset()
    others: int = 0
    others_known: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """One moment, complete.

    Attributes:
        sample: The sockets.
        counters: The kernel's.
        surroundings: Guards.
        listeners: What waits at the listening sockets.
        sysctls: The kernel's settings about SYNs.
        installed: The firewall, read back before the judgement.
        history: The ledger's.
        identities: Who sources turned out to be.
        is_strange: Whether something may be installed that no judgement asked for.
        standing: What a tape tells of earlier moments; None where the judgement's own memory
            of them is all there is.
    """

    sample: Sample
    counters: Counters = field(default_factory=dict)
    surroundings: Surroundings = field(default_factory=Surroundings)
    listeners: Listeners = field(default_factory=dict)
    sysctls: Sysctls = field(default_factory=dict)
    installed: Installed = field(default_factory=Installed)
    history: History = field(default_factory=dict)
    identities: Identities = field(default_factory=Identities)
    is_strange: bool = False
    standing: Standing | None = None

    @property
    def spared(self) -> Spared:
        """Whom no ban may reach, beside the prefixes that the policy itself lists."""
        return Spared(surroundings=self.surroundings, found=self.identities.found)
