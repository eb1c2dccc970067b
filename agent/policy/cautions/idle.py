"""Rules that can never fire, or never do anything, and such as tell of everybody."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from ipaddress import ip_network

from agent.model.address import HOST, collapsed
from agent.model.caution import Caution
from agent.model.policy import AllowEntry, Mode, Policy, Rule
from agent.policy.cautions.ends import holds_at
from agent.policy.words import listed

LARGEST_BACKLOG = 4096
"""Of one listener, unless somebody raised it. Source: net.core.somaxconn since Linux 5.4."""

_EVERYBODY = {"IPv4": ip_network("0.0.0.0/0"), "IPv6": ip_network("::/0")}
MOST = 20
"""Entries that are looked at; with more, nobody has everybody exempt by mistake."""

_WIDE = 8
"""Longer prefixes make everybody only by the hundred."""


def idle_cautions(policy: Policy, now: datetime) -> Iterator[Caution]:
    """Tell of them."""
    exempt = [entry for entry in policy.allowlist if _exempts_much(entry, now)]
    for rule in policy.rules:
        yield from _members(rule)
        yield from _backlog(rule)
        yield from _noise(rule)
        yield from _spared(rule, policy, exempt[:MOST])
    if all(rule.mode is Mode.OBSERVE for rule in policy.rules):
        yield Caution(
            kind="observes",
            about=("rules", policy.rules[0].name, "mode"),
            problem="every rule observes: nobody is ever banned; write mode: enforce, or leave it "
            "out, where a rule has shown that it finds the right ones",
        )


def _exempts_much(entry: AllowEntry, now: datetime) -> bool:
    is_wide = any(one.prefixlen <= _WIDE for one in entry.prefixes)
    return is_wide and entry.patience is None and holds_at(entry, now)


def _members(rule: Rule) -> Iterator[Caution]:
    """Tell where a source has fewer hosts than are asked for."""
    bits = {"IPv4": HOST.ipv4 - rule.per.ipv4, "IPv6": HOST.ipv6 - rule.per.ipv6}
    hosts = {family: 2 ** max(0, more) for family, more in bits.items()}
    few = [family for family, number in hosts.items() if rule.members > number]
    if few:
        has = listed([f"{hosts[family]} of {family}" for family in few])
        yield Caution(
            kind="never-fires",
            about=("rules", rule.name, "members"),
            problem=f"{rule.name} never fires for {listed(few)}: a source of that width has only "
            f"{has}; ask for fewer members, or give a wider per",
        )


def _backlog(rule: Rule) -> Iterator[Caution]:
    """Tell of half-open connections that a listener does not keep."""
    if not rule.measure.proves and rule.limit >= LARGEST_BACKLOG:
        yield Caution(
            kind="never-fires",
            about=("rules", rule.name, "above"),
            problem=f"{rule.name} asks for more than {rule.limit} half-open connections: a "
            f"listener keeps its backlog of them, which is {LARGEST_BACKLOG} at most unless "
            "net.core.somaxconn was raised; write half of the backlog, as 64",
        )


def _noise(rule: Rule) -> Iterator[Caution]:
    """Tell where a single connection is near the limit already."""
    if rule.warn < 1 and rule.warns_above == 0:
        yield Caution(
            kind="noisy",
            about=("rules", rule.name, "above"),
            problem=f"a source that holds a single one is told as near the limit of {rule.limit}: "
            "write warn: none, or a higher limit",
        )


def _spared(rule: Rule, policy: Policy, exempt: Sequence[AllowEntry]) -> Iterator[Caution]:
    """Tell where the allowlist exempts everybody from a rule."""
    wide = [
        (entry, one)
        for entry in exempt
        if not entry.services or rule.service.name in policy.touched(entry.services)
        for one in entry.prefixes
        if one.prefixlen <= _WIDE
    ]
    spared = collapsed(one for _, one in wide)
    families = [family for family, everybody in _EVERYBODY.items() if everybody in spared]
    if families:
        names = listed(dict.fromkeys(entry.name for entry, _ in wide))
        yield Caution(
            kind="never-fires",
            about=("rules", rule.name),
            problem=f"{rule.name} never bans anybody of {listed(families)}: all of it is exempt by "
            f"{names}; list whom you mean there",
        )
