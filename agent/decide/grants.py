"""Who is spared, and how far: the allowlist, the guards and the identified.

Overlap, not membership: what is listed inside a wide source is left out of its
sum, and `untouchable` tells which addresses a ban of it must not reach.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf

from agent.decide.prefixes import PrefixTable, prefix_table
from agent.model.address import Prefix, is_host
from agent.model.ban import Target
from agent.model.inputs import Guard, Identities, Spared
from agent.model.policy import SSH, AllowEntry, Policy, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one source is granted with one service.

    Attributes:
        entry: The allowlist entry that grants the most; None without.
        guard: What the agent found the source to be; None unless it is guarded.
        may_be: Entries that it might turn out to belong to, once identified.
    """

    entry: AllowEntry | None = None
    guard: str | None = None
    may_be: tuple[AllowEntry, ...] = ()

    @property
    def is_exemption(self) -> bool:
        """Whether it is never banned, whatever it does."""
        return self.guard is not None or (self.entry is not None and self.entry.patience is None)

    @property
    def key(self) -> tuple[bool, int]:
        """What of it a judgement depends on: sources with the same key are judged together."""
        return (self.is_exemption, self.patience)

    @property
    def patience(self) -> int:
        """What each limit is multiplied by; at least 1."""
        return (self.entry.patience or 1) if self.entry else 1

    def undecided(self, count: int, limit: int) -> AllowEntry | None:
        """Give an entry that would still bring `count` below its `limit`, or exempt it."""
        decisive = (
            one for one in self.may_be if one.patience is None or count <= limit * one.patience
        )
        return next(decisive, None)


@dataclass(frozen=True, slots=True)
class Grants:
    """The allowlist of one policy and the guards of one moment, made ready for look-ups."""

    policy: Policy
    spared: Spared
    entries: PrefixTable[AllowEntry]
    guards: PrefixTable[Guard]
    asking: tuple[AllowEntry, ...]
    services: Mapping[str, frozenset[str]]
    ssh: frozenset[str]

    def holds(self, entry: AllowEntry, service: str, now: datetime) -> bool:
        """Whether an entry is in force for a service: named by it, or with a port of one named."""
        in_time = entry.until is None or now < entry.until
        return in_time and (not entry.services or service in self.services[entry.name])

    def ended(self, now: datetime) -> frozenset[str]:
        """Give the names of the entries that are no longer in force."""
        return frozenset(
            entry.name for entry in self.policy.allowlist if entry.until and now >= entry.until
        )

    def of(self, prefix: Prefix, service: str, now: datetime, known: Identities) -> Grant:
        """Tell what every address of `prefix` is granted with the service of that name.

        Args:
            prefix: A host or anything wider.
            service: The rule's.
            now: Entries that have ended do not count.
            known: Who was looked up; that matters to hosts only.
        """
        for guard in self.guards.covering(prefix):
            if not guard.only_ssh or service in self.ssh:
                return Grant(guard=guard.why)
        listed = [one for one in self.entries.covering(prefix) if self.holds(one, service, now)]
        if not is_host(prefix):
            return Grant(entry=_best(listed))
        asking = self.still_open(prefix, service, now, known)
        return Grant(entry=_best(listed), may_be=tuple(one for one in asking if one not in listed))

    def still_open(
        self, host: Prefix, service: str, now: datetime, known: Identities
    ) -> Iterator[AllowEntry]:
        """Give the entries for a service that a host may still turn out to belong to."""
        is_answered = host.network_address in known.answered
        for entry in self.asking:
            is_open = (entry.names and not is_answered) or entry.name in known.unread
            if is_open and self.holds(entry, service, now):
                yield entry

    def inside(self, prefix: Prefix, service: str, now: datetime) -> bool:
        """Whether anything narrower than `prefix` is listed or guarded in it."""
        return any(
            not guard.only_ssh or service in self.ssh for _, guard in self.guards.inside(prefix)
        ) or any(self.holds(entry, service, now) for _, entry in self.entries.inside(prefix))

    def untouchable(self, prefix: Prefix, target: Target, now: datetime) -> Iterator[Prefix]:
        """Give what overlaps `prefix` and must not be reached by a ban of that target.

        That is guards, full exemptions and, inside a wider prefix, whoever is
        granted patience: for the ban's service, or for any when it covers the host.
        """
        scope, service, _ = target
        names = {service} if scope is Scope.SERVICE else {one.name for one in self.policy.services}
        yield from self._guarded(prefix, target)
        for narrow, entry in self.entries.inside(prefix):
            if any(self.holds(entry, name, now) for name in names):
                yield narrow
        for entry in self.entries.covering(prefix):
            if entry.patience is None and any(self.holds(entry, name, now) for name in names):
                yield prefix

    def _guarded(self, prefix: Prefix, target: Target) -> Iterator[Prefix]:
        """Give what is guarded against a ban of that target; one of the host leaves ssh open."""
        scope, service, _ = target
        covers_ssh = service in self.ssh if scope is Scope.SERVICE else service == SSH
        for narrow, guard in self.guards.inside(prefix):
            if covers_ssh or not guard.only_ssh:
                yield narrow
        for guard in self.guards.covering(prefix):
            if covers_ssh or not guard.only_ssh:
                yield prefix

    def reason(self, prefix: Prefix, target: Target, now: datetime) -> str:
        """Say why a ban of that target must not reach `prefix`, one of `untouchable`."""
        scope, service, _ = target
        names = [service] if scope is Scope.SERVICE else [one.name for one in self.policy.services]
        found = [self.of(prefix, name, now, Identities()) for name in names]
        guard = next((one.guard for one in found if one.guard is not None), None)
        if guard is not None:
            return guard
        entry = next((one.entry for one in found if one.entry is not None), None)
        return f"on the allowlist as {entry.name}, {entry.declared_at}" if entry else "spared"


def grants_of(policy: Policy, spared: Spared) -> Grants:
    """Make the look-up tables; worth keeping while both stay the same."""
    return Grants(
        policy=policy,
        spared=spared,
        entries=prefix_table(
            (prefix, entry) for entry in policy.allowlist for prefix in prefixes_of(entry, spared)
        ),
        guards=prefix_table((guard.prefix, guard) for guard in spared.surroundings.guards),
        asking=tuple(entry for entry in policy.allowlist if entry.must_be_asked),
        services={entry.name: policy.touched(entry.services) for entry in policy.allowlist},
        ssh=policy.touched(one.name for one in policy.services if one.is_ssh),
    )


def prefixes_of(entry: AllowEntry, spared: Spared) -> tuple[Prefix, ...]:
    """Give all that belongs to an entry: what it lists, and what was found to."""
    return (*entry.prefixes, *spared.found.get(entry.name, ()))


def _best(entries: Iterable[AllowEntry]) -> AllowEntry | None:
    """Of several entries an exemption wins, then the most patience, then the first."""
    return max(entries, key=lambda entry: entry.patience or inf, default=None)
