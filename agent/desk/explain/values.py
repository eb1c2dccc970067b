"""What is told of one source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from agent.decide.weigh import Weight
from agent.model.address import Address, Prefix, Source
from agent.model.ban import Ban, Held
from agent.model.inputs import Guard, Permit
from agent.model.inspection import Traffic
from agent.model.learned import Verified
from agent.model.policy import AllowEntry, Policy
from agent.model.sample import State
from agent.observe.owners import Owners
from agent.observe.peers import Peers
from agent.record.locks import Agent
from agent.record.sqlite.earlier import Earlier

Counts: TypeAlias = Mapping[tuple[str, State], int]
"""Sockets by (service, state); a port of no service is ``port 8443``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A prefix by which a source belongs to an allowlist entry.

    Attributes:
        entry: The entry.
        prefix: Which of its prefixes, listed or found.
        is_over: Whether the entry has ended.
    """

    entry: AllowEntry
    prefix: Prefix
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who a source is.

    Attributes:
        guards: What the agent found it to be, or somebody in it; permits too.
        listed: The entries that it, or somebody in it, belongs to.
        may_be: Entries that it might turn out to belong to.
        names: Confirmed names of its addresses.
        vendors: CDNs whose networks it is in.
        owners: The processes of this machine that have its sockets; None where not told.
    """

    guards: tuple[Guard, ...] = ()
    listed: tuple[Listed, ...] = ()
    may_be: tuple[AllowEntry, ...] = ()
    names: tuple[tuple[Address, Verified], ...] = ()
    vendors: tuple[str, ...] = ()
    owners: Owners | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What a source holds at this moment.

    Attributes:
        own: Sockets of the source as it was asked for, on listening ports.
        line: Those of the line that it is judged as.
        peers: All sockets of the line with what waits in them; None where not told.
    """

    own: Counts = field(default_factory=dict)
    line: Counts = field(default_factory=dict)
    peers: Peers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one rule makes of a source, and since when.

    Attributes:
        weight: The judgement.
        samples: How many of the rule's last samples are known; 0 for none.
        unknown: Why not; empty where they are.
    """

    weight: Weight
    samples: int = 0
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the ledger has.

    Attributes:
        in_force: Bans that overlap the source, the longest to go first.
        earlier: Those that are over, the newest first.
        permits: Whom an operator let pass.
    """

    in_force: tuple[Ban, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    permits: tuple[Permit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the firewall, read back, holds.

    Attributes:
        firewall: Its name.
        bans: Those that overlap the source.
        allowed: What of the allow set does.
        traffic: Of the sets that hold these bans: of all in them.
    """

    firewall: str
    bans: tuple[Held, ...] = ()
    allowed: tuple[Prefix, ...] = ()
    traffic: tuple[Traffic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most of something, and when.

    Attributes:
        count: How many.
        at: The first moment of that many; aware, UTC.
    """

    count: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """How often a source was above one rule's limit.

    Attributes:
        cycles: In how many.
        first: When first; aware, UTC.
        last: When last.
        most: The most that the rule counted then.
    """

    cycles: int
    first: datetime
    last: datetime
    most: Peak


@dataclass(frozen=True, slots=True, kw_only=True)
class Taped:
    """What a tape tells.

    Attributes:
        frames: How many moments were read.
        begins: The first of them; aware, UTC. None without any.
        ends: The last.
        floor: Whoever has at most so many sockets is not kept one by one: the highest in them.
        seen: In how many the source was kept.
        first: When first.
        last: When last.
        peaks: The most by (service, state).
        above: By the name of a rule in force now.
    """

    frames: int = 0
    begins: datetime | None = None
    ends: datetime | None = None
    floor: int = 0
    seen: int = 0
    first: datetime | None = None
    last: datetime | None = None
    peaks: Mapping[tuple[str, State], Peak] = field(default_factory=dict)
    above: Mapping[str, Above] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All but what the tape tells.

    Attributes:
        source: As it was asked for.
        line: What rules about hosts judge it as: itself, or the IPv6 /64 around it.
        now: The moment; aware, UTC.
        agent: The running one; None when none is, or that can't be told.
        policy: By which it was judged.
        who: Who it is.
        present: What it holds.
        rulings: What each rule makes of it that counts anything of it.
        past: What the ledger has; None where it can't be read.
        kept: What the firewall holds; None where it can't be read.
        unread: Why something could not be had, by what: ``state``, ``sockets``, ``queues``,
            ``firewall``.
    """

    source: Source
    line: Source
    now: datetime
    agent: Agent | None
    policy: Policy
    who: Who
    present: Present
    rulings: tuple[Ruling, ...]
    past: Past | None
    kept: Kept | None
    unread: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether there is anything of it: a socket, a ban, a listing, a guard."""
        peers, past, kept = self.present.peers, self.past, self.kept
        return bool(
            self.present.own
            or self.present.line
            or (peers and peers.sockets)
            or self.who.guards
            or self.who.listed
            or (past and (past.in_force or past.earlier or past.permits))
            or (kept and kept.bans)
        )
