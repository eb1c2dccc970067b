"""Who is spared, and how far: the allowlist, the guards and the identified.

Overlap, not membership: what is listed inside a wide source is left out of its
sum, and `untouchable` tells which addresses a ban of it must not reach.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.decide.prefixes import PrefixTable, prefix_table
from agent.model.address import Prefix, covers, is_host
from agent.model.ban import Target
from agent.model.inputs import Guard, Identities, Surroundings
from agent.model.policy import AllowEntry, Policy, Scope
from agent.model.verdict import Exemption


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one source is granted with one service.

    Attributes:
        patience: Each limit is multiplied by this; at least 1.
        entry: The allowlist entry that grants the patience; None without.
        exemption: Why it is exempt; None unless it is.
        may_be: Patience of the entries that it might turn out to belong to, once
            identified; None for an exemption. Empty when nothing is to be asked.
    """

    patience: int = 1
    entry: str | None = None
    exemption: Exemption | None = None
    may_be: tuple[int | None, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is judged like anybody."""
        return self.patience == 1 and self.exemption is None

    def is_undecided(self, count: int, limit: int) -> bool:
        """Whether an identification could still bring `count` below the limit, or exempt it."""
        return any(times is None or count <= limit * times for times in self.may_be)


@dataclass(frozen=True, slots=True)
class Grants:
    """The allowlist of one policy and the guards of one moment, made ready for look-ups."""

    policy: Policy
    surroundings: Surroundings
    entries: PrefixTable[AllowEntry]
    guards: PrefixTable[Guard]
    asking: tuple[AllowEntry, ...]

    def of(self, prefix: Prefix, service: str, now: datetime, known: Identities) -> Grant:
        """Tell what every address of `prefix` is granted with the service of that name.

        Args:
            prefix: A host or anything wider.
            service: The rule's.
            now: Entries that have ended do not count.
            known: Identified addresses; they matter to hosts only.
        """
        for guard in self.guards.covering(prefix):
            return Grant(exemption=Exemption(guard=guard.why))
        listed = (entry for entry in self.entries.covering(prefix) if entry.holds(service, now))
        asking = tuple(entry for entry in self.asking if entry.holds(service, now))
        found = (
            known.get(prefix.network_address) if asking and is_host(prefix) else frozenset[str]()
        )
        if found is None:
            return _best(listed, tuple(entry.patience for entry in asking))
        return _best((*listed, *(entry for entry in asking if entry.name in found)), ())

    def inside(self, prefix: Prefix, service: str, now: datetime) -> bool:
        """Whether anything narrower than `prefix` is listed or guarded in it."""
        return any(True for _ in self.guards.inside(prefix)) or any(
            entry.holds(service, now) for _, entry in self.entries.inside(prefix)
        )

    def untouchable(self, prefix: Prefix, target: Target, now: datetime) -> Iterator[Prefix]:
        """Give what overlaps `prefix` and must not be reached by a ban of that target.

        That is guards, full exemptions and, inside a wider prefix, whoever is
        granted patience: for the ban's service, or for any when it covers the host.
        """
        scope, service, _ = target
        names = {service} if scope is Scope.SERVICE else {one.name for one in self.policy.services}
        yield from (narrow for narrow, _ in self.guards.inside(prefix))
        yield from (prefix for _ in self.guards.covering(prefix))
        for narrow, entry in self.entries.inside(prefix):
            if any(entry.holds(name, now) for name in names):
                yield narrow
        for entry in self.entries.covering(prefix):
            if entry.patience is None and any(entry.holds(name, now) for name in names):
                yield prefix


def grants_of(policy: Policy, surroundings: Surroundings) -> Grants:
    """Make the look-up tables; worth keeping while both stay the same."""
    return Grants(
        policy=policy,
        surroundings=surroundings,
        entries=prefix_table(
            (prefix, entry) for entry in policy.allowlist for prefix in entry.prefixes
        ),
        guards=prefix_table((guard.prefix, guard) for guard in surroundings.guards),
        asking=tuple(entry for entry in policy.allowlist if entry.must_be_asked),
    )


def is_held_open(prefix: Prefix, allowed: Iterable[Prefix]) -> bool:
    """Whether the kernel's allow set, as read back, lets every address of `prefix` through."""
    return any(covers(listed, prefix) for listed in allowed)


def _best(entries: Iterable[AllowEntry], may_be: tuple[int | None, ...]) -> Grant:
    """Of several entries an exemption wins, then the most patience, then the first."""
    patience, name = 1, None
    for entry in entries:
        if entry.patience is None:
            exemption = Exemption(allowlist=entry.name, declared_at=entry.declared_at)
            return Grant(exemption=exemption)
        if entry.patience > patience:
            patience, name = entry.patience, entry.name
    return Grant(patience=patience, entry=name, may_be=may_be)
