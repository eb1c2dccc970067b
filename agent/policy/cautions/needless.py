"""Entries that change nothing, because others grant as much to the same, and unused services."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from agent.model.address import Prefix
from agent.model.caution import Caution
from agent.model.policy import SSH, TRUSTED_PROXIES, AllowEntry, Policy
from agent.policy.cautions.ends import holds_at
from agent.policy.cautions.parties import about
from agent.policy.words import listed

MOST = 500
"""Nobody wrote more entries, or rules, by hand; each is compared with each."""

_MOST_NAMED = 3


def needless_cautions(policy: Policy, now: datetime) -> Iterator[Caution]:
    """Tell of entries that are covered by others, and of services that no rule watches."""
    yield from _covered(policy, now)
    watched = frozenset(port for rule in policy.rules for port in rule.service.ports)
    for service in policy.services:
        # The service named ssh tells where ssh is, also without a rule.
        if service.name != SSH and watched.isdisjoint(service.ports):
            yield Caution(
                kind="unwatched",
                about=("services", service.name),
                problem=f"no rule watches {service.name}: nobody is banned for what he does "
                "there; write a rule for it",
            )


def _covered(policy: Policy, now: datetime) -> Iterator[Caution]:
    """Compare each entry with the others that hold; of two alike the later is needless."""
    entries = [entry for entry in policy.allowlist if holds_at(entry, now)]
    if len(entries) > MOST:
        return
    index = _Index(policy=policy, left={entry.name for entry in entries})
    for entry in entries:
        index.add(entry)
    for entry in reversed([one for one in entries if one.name != TRUSTED_PROXIES]):
        others = index.covering(entry)
        if others:
            index.left.remove(entry.name)
            first = others[:_MOST_NAMED]
            names = listed([*first, *(["others"] if len(others) > len(first) else [])])
            yield Caution(
                kind="covered",
                about=about(entry),
                problem=f"{entry.name} changes nothing: all of it is granted as much, for as long "
                f"and for the same services, by {names}; remove it",
            )


@dataclass(slots=True, kw_only=True)
class _Index:
    """Who belongs to which entries.

    Attributes:
        policy: Theirs.
        left: Names of those that were not found needless.
        holders: By what an entry lists, in the order of the policy.
        lengths: Of listed prefixes, by IP version.
        touched: By an entry's name, the services it is for; None for all.
    """

    policy: Policy
    left: set[str]
    holders: defaultdict[object, list[AllowEntry]] = field(
        default_factory=lambda: defaultdict(list)
    )
    lengths: set[tuple[int, int]] = field(default_factory=set)
    touched: dict[str, frozenset[str] | None] = field(default_factory=dict)

    def add(self, entry: AllowEntry) -> None:
        """Take in one entry."""
        for part in _parts(entry):
            self.holders[part].append(entry)
        self.lengths.update((one.version, one.prefixlen) for one in entry.prefixes)
        services = entry.services
        self.touched[entry.name] = self.policy.touched(services) if services else None

    def covering(self, entry: AllowEntry) -> list[str]:
        """Name other entries that grant as much to each part of an entry; none if one lacks."""
        names: dict[str, None] = {}
        for part in _parts(entry):
            other = next(self._granting(part, entry), None)
            if other is None:
                return []
            names[other.name] = None
        return list(names)

    def _granting(self, part: object, entry: AllowEntry) -> Iterator[AllowEntry]:
        """Give the other entries that hold a part of `entry` and grant it as much.

        Under patience a prefix has to be listed as it is: what is listed inside a wider one
        is judged apart where a rule is wider still, so it does change something there.
        """
        for wider in self._holding(part):
            for other in self.holders.get(wider, ()):
                is_same = wider == part or other.patience is None or isinstance(part, str)
                is_other = other is not entry and other.name in self.left
                if is_other and is_same and self._grants_as_much(other, entry):
                    yield other

    def _holding(self, part: object) -> Iterator[object]:
        """Give what may be listed and holds all of a part, widest first."""
        if isinstance(part, Prefix):
            for version, bits in sorted(self.lengths):
                if version == part.version and bits <= part.prefixlen:
                    yield part.supernet(new_prefix=bits)
        elif isinstance(part, str):
            labels = part.split(".")
            yield from (".".join(labels[at:]) for at in range(len(labels)))
        else:
            yield part

    def _grants_as_much(self, other: AllowEntry, entry: AllowEntry) -> bool:
        """Whether `other` grants as much as `entry` does, for its services, as long."""
        if other.patience is not None and (entry.patience or 0) not in range(1, other.patience + 1):
            return False
        if other.until is not None and (entry.until is None or other.until < entry.until):
            return False
        theirs, ours = self.touched[other.name], self.touched[entry.name]
        return theirs is None or (ours is not None and ours <= theirs)


def _parts(entry: AllowEntry) -> Iterator[object]:
    """Give all that an entry lists: prefixes, domains as texts, files and hosts as pairs."""
    yield from entry.prefixes
    yield from entry.names
    yield from (("range", path) for path in entry.ranges)
    yield from (("host", host) for host in entry.hosts)
