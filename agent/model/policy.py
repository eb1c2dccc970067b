"""What the operator wrote, checked and complete: nothing here is optional or text."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from agent.model.address import Prefix, Width
from agent.model.measure import Measure
from agent.model.sample import State

SSH = "ssh"
"""The service of that name is how operators get in; without one it is `SSH_PORT`."""

SSH_PORT = 22


class Scope(StrEnum):
    """What of a source's traffic a ban covers."""

    SERVICE = "service"
    HOST = "host"


class Answer(StrEnum):
    """What is done to the packets of a banned source."""

    DROP = "drop"
    THROTTLE = "throttle"


class Mode(StrEnum):
    """Whether a rule acts."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Kind(StrEnum):
    """Why an allowlist entry is there."""

    NAT = "nat"
    CRAWLER = "crawler"
    PARTNER = "partner"
    INFRASTRUCTURE = "infrastructure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """Limits on what the agent itself may do.

    Attributes:
        new_bans_per_cycle: The heaviest are banned, the others deferred.
        max_bans: Bans in force at once.
        known_clients_share: Above this share of known clients the breaker opens; 0 to 1.
    """

    new_bans_per_cycle: int = 1000
    max_bans: int = 100_000
    known_clients_share: Fraction = Fraction(1, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A name for local ports, as the local socket has them."""

    name: str
    ports: frozenset[int]

    @property
    def is_ssh(self) -> bool:
        """Whether it is about ssh, so that a ban of the host by its rules covers ssh too."""
        return self.name == SSH or SSH_PORT in self.ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """A rule fires once `times` of the last `of` samples were above its limit."""

    times: int
    of: int

    def __str__(self) -> str:
        """As the policy writes it."""
        return f"{self.times} of {self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """How much longer the next ban of the same source is.

    Attributes:
        times: The factor for each earlier ban; 1 keeps the length.
        up_to: No ban gets longer than this.
        within: How far back an earlier ban counts.
    """

    times: int
    up_to: timedelta
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """New connections of one source: `count` in each `per`."""

    count: int
    per: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowEntry:
    """Sources that are spared, or judged with patience.

    Attributes:
        name: Unique among the entries.
        kind: Why it is there.
        prefixes: Listed networks.
        names: Domains whose forward-confirmed reverse names belong to the entry.
        ranges: Files of published ranges, as paths that were made absolute.
        hosts: Host names that are resolved again and again.
        services: Names of the services it is for; empty for all.
        patience: Each limit is multiplied by this; None for a full exemption.
        until: The first moment at which it no longer holds; None for ever.
        declared_at: ``file:line`` of its first line.
    """

    name: str
    kind: Kind
    prefixes: tuple[Prefix, ...] = ()
    names: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    services: frozenset[str] = frozenset()
    patience: int | None = None
    until: datetime | None = None
    declared_at: str = field(compare=False)

    @property
    def must_be_asked(self) -> bool:
        """Whether it holds sources that no listed prefix tells."""
        return bool(self.names or self.ranges or self.hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A limit, and what follows when a source is above it.

    Attributes:
        name: Unique among the rules; never ``manual``.
        service: Whose ports it watches.
        measure: What it counts.
        states: Which of the measure's states it sums.
        limit: It fires when a count is above this.
        per: How wide a source is for this rule.
        members: At least so many different hosts (an IPv6 /64 is one) make a wide
            source; 1 for hosts.
        mode: A shadow rule observes and bans nobody.
        answer: What is done; never a drop on a measure that proves nothing.
        rate: Of a throttle; None for a drop.
        lasts: The length of a first ban.
        scope: What of the source's traffic is covered.
        sustained: How often it must be above.
        escalation: How later bans grow.
        warn: Share of the limit above which a source is told of; 1 for never.
        declared_at: ``file:line`` of its first line.
    """

    name: str
    service: Service
    measure: Measure
    states: frozenset[State]
    limit: int
    per: Width
    members: int
    mode: Mode
    answer: Answer
    rate: Rate | None
    lasts: timedelta
    scope: Scope
    sustained: Sustained
    escalation: Escalation
    warn: Fraction
    declared_at: str = field(compare=False)

    @property
    def warns_above(self) -> int:
        """The count above which a source is near the limit: a whole number."""
        return int(self.limit * self.warn)


TRUSTED_PROXIES = "trusted_proxies"
"""The name of the entry that the policy's block of that name becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrators:
    """Who gets in to mend this machine, and must find the door to ssh open.

    Attributes:
        users: Names of users.
        groups: Names of groups; their members.
    """

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset({"root", "sudo", "wheel", "adm"})


USUAL = Administrators()
"""Who they are where the policy names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """How much of each cycle the tape keeps, and for how long.

    Attributes:
        floor: Hosts with more sockets are kept one by one.
        prefix_floor: The members of wider sources with more sockets are.
        size_bytes: The files of a tape are no larger together; 0 records nothing.
        age: What is older is forgotten.
    """

    floor: int = 10
    prefix_floor: int = 100
    size_bytes: int = 200_000_000
    age: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All policy files together.

    Attributes:
        every: Time between the starts of two cycles; 200 ms to 60 s.
        safety: What the agent may do at most.
        services: By their order in the files.
        allowlist: By their order in the files; trusted proxies are its last entry.
        rules: By their order in the files; at least one.
        files: The files read, in order, as the operator named them.
        sha256: Over the names (without folders) and bytes of the files, in hexadecimal.
        administrators: Whose sessions are remembered.
        tape: What is recorded.
        notes: What is right but will surprise, a line each, beginning with ``file:line``.
    """

    every: timedelta
    safety: Safety
    services: tuple[Service, ...]
    allowlist: tuple[AllowEntry, ...]
    rules: tuple[Rule, ...]
    files: tuple[str, ...]
    sha256: str
    administrators: Administrators = USUAL
    tape: Recording = Recording()
    notes: tuple[str, ...] = ()

    def as_if_sustained(self) -> "Policy":
        """Give the policy with every rule firing on its first sample above the limit."""
        first = Sustained(times=1, of=1)
        return replace(self, rules=tuple(replace(rule, sustained=first) for rule in self.rules))

    def touched(self, services: Iterable[str]) -> frozenset[str]:
        """Give the names of all services that have a port in common with one of these names."""
        names = frozenset(services)
        ports = {port for one in self.services if one.name in names for port in one.ports}
        return frozenset(one.name for one in self.services if not ports.isdisjoint(one.ports))
