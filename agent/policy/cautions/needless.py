"""Entries that change nothing, because others grant as much to the same, and unused services."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from agent.model.address import Prefix, collapsed, overlaps
from agent.model.caution import Caution
from agent.model.policy import SSH, TRUSTED_PROXIES, AllowEntry, Policy
from agent.policy.cautions.ends import holds_at
from agent.policy.cautions.parties import about
from agent.policy.words import listed

MOST = 500
"""Nobody wrote more entries, or rules, by hand; each is compared with each."""


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
    left = [entry for entry in policy.allowlist if holds_at(entry, now)]
    if len(left) > MOST:
        return
    for entry in reversed([one for one in left if one.name != TRUSTED_PROXIES]):
        others = [one for one in left if one is not entry and _grants_as_much(one, entry, policy)]
        if others and _is_covered(entry, others):
            left.remove(entry)
            names = listed([one.name for one in others if _has_part(one, entry)])
            yield Caution(
                kind="covered",
                about=about(entry),
                problem=f"{entry.name} changes nothing: all of it is granted as much, for as long "
                f"and for the same services, by {names}; remove it",
            )


def _grants_as_much(other: AllowEntry, entry: AllowEntry, policy: Policy) -> bool:
    """Whether `other` grants as much as `entry` does, for its services, as long."""
    if other.patience is not None and other.patience < (entry.patience or 1001):
        return False
    if other.until is not None and (entry.until is None or other.until < entry.until):
        return False
    if not other.services:
        return True
    return bool(entry.services) and policy.touched(entry.services) <= policy.touched(other.services)


def _is_covered(entry: AllowEntry, others: Sequence[AllowEntry]) -> bool:
    """Whether everybody who belongs to `entry` belongs to one of `others`.

    Under patience a prefix has to be listed as it is: what is listed inside a wider one is
    judged apart where a rule is wider still, so it does change something there.
    """
    exempt = _lengths(one for other in others if other.patience is None for one in other.prefixes)
    listed_as_it_is = {one for other in others for one in other.prefixes}
    domains = {name for other in others for name in other.names}
    ranges = {path for other in others for path in other.ranges}
    hosts = {host for other in others for host in other.hosts}
    return (
        ranges.issuperset(entry.ranges)
        and hosts.issuperset(entry.hosts)
        and all(_lies_in(name, domains) for name in entry.names)
        and all(one in listed_as_it_is or _is_within(one, exempt) for one in entry.prefixes)
    )


def _has_part(other: AllowEntry, entry: AllowEntry) -> bool:
    """Whether an entry holds anything of another."""
    return (
        any(_lies_in(name, other.names) for name in entry.names)
        or not set(other.ranges).isdisjoint(entry.ranges)
        or not set(other.hosts).isdisjoint(entry.hosts)
        or any(overlaps(one, theirs) for one in entry.prefixes for theirs in other.prefixes)
    )


_Lengths: TypeAlias = dict[tuple[int, int], set[Prefix]]


def _lengths(prefixes: Iterable[Prefix]) -> _Lengths:
    """Give prefixes, none inside another, by version and length."""
    found: _Lengths = {}
    for one in collapsed(prefixes):
        found.setdefault((one.version, one.prefixlen), set()).add(one)
    return found


def _is_within(prefix: Prefix, lengths: _Lengths) -> bool:
    return any(
        version == prefix.version
        and bits <= prefix.prefixlen
        and prefix.supernet(new_prefix=bits) in wide
        for (version, bits), wide in lengths.items()
    )


def _lies_in(name: str, domains: Collection[str]) -> bool:
    """Whether a name, or a domain above it, is among `domains`."""
    labels = name.split(".")
    return any(".".join(labels[at:]) in domains for at in range(len(labels)))
