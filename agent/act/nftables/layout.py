"""What our table has to look like for a layout: sets, chains and rules, as text of nft.

An innocent packet meets one chain of its own family: the allow set, a lookup in each set
of the host, and of the services' sets only those whose ports it is for. No set is walked.

Who is throttled has a limit of his own, which the set's element carries. What is over it
is *held*: the first SYN from a source port is remembered and dropped. A real client sends
it again after a second, a forger's packets don't come back, so that the second is let
through, at the same rate: an innocent whose address is forged still connects, although the
forged SYNs eat up all of the limit. Where a dynamic set is full, the rule that writes to it
does not match, and what is held is dropped.

Every rule's comment has a digest of the whole text, its own number and how many there
are, so that a rule that is gone, moved or not ours is found without reading expressions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network
from itertools import pairwise

from agent.act.nftables.names import (
    ALLOW,
    HOSTS6,
    KINDS,
    LINES6,
    NETS4,
    NETS6,
    Kind,
    label_of,
    name_of,
    unit_of,
)
from agent.model.address import Width
from agent.model.layout import HOST_AND_SSH_DROP, HOST_DROP, BanSet, Layout
from agent.model.policy import Rate

TABLE = "abuse_agent"
DEFAULT_TIMEOUT = "1h"
"""Of an element that somebody adds without a time: nothing stays for ever."""

_SEEN = {4: "seen4", 6: "seen6"}
_SEEN_SIZE = 65_536
_FIELD = {4: "ip saddr", 6: "ip6 saddr"}
_TYPE = {4: "ipv4_addr", 6: "ipv6_addr"}
_NEW = "tcp flags & (fin|syn|rst|ack) == syn"
_DIGEST_CHARS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where packets enter a chain; its policy is to accept.

    Attributes:
        name: As nft writes it.
        number: As the kernel has it.
        priority: Lower ones are earlier.
    """

    name: str
    number: int
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain and its rules, without their comments."""

    hook: Hook | None
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The whole table.

    Attributes:
        sets: Declarations by name, in order.
        chains: By name; one is jumped to only by later ones.
        digest: Over all of it.
    """

    sets: Mapping[str, str]
    chains: Mapping[str, Chain]
    digest: str

    def comments(self) -> dict[str, tuple[str, ...]]:
        """Give the comments that the rules of each chain have, in order."""
        total = sum(len(chain.rules) for chain in self.chains.values())
        number, by_chain = 0, {}
        for name, chain in self.chains.items():
            first, number = number + 1, number + len(chain.rules)
            by_chain[name] = tuple(
                f"{TABLE} {self.digest} {each}/{total}" for each in range(first, number + 1)
            )
        return by_chain


_PREROUTING = Hook(name="prerouting", number=0, priority=-310)  # before raw, so before conntrack
_INPUT = Hook(name="input", number=1, priority=-160)  # before mangle; here a port is the socket's
_FORWARD = Hook(name="forward", number=2, priority=-160)


def wanted(layout: Layout) -> Wanted:
    """Give the table for a layout.

    Raises:
        FirewallError: A set of it can't be written.
    """
    sets, chains = dict(_sets(layout)), dict(_chains(layout))
    digest = sha256(repr((sets, chains)).encode()).hexdigest()[:_DIGEST_CHARS]
    return Wanted(sets=sets, chains=chains, digest=digest)


def folded(ports: frozenset[int]) -> str:
    """Write ports as a set of nft, with ranges where they are neighbours."""
    ordered = sorted(ports)
    cuts = [0, *(n for n, (a, b) in enumerate(pairwise(ordered), 1) if b - a > 1), len(ordered)]
    runs = [ordered[a:b] for a, b in pairwise(cuts)]
    texts = (f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"{{ {', '.join(texts)} }}"


def _sets(layout: Layout) -> Iterator[tuple[str, str]]:
    for version, name in ALLOW.items():
        yield name, f"type {_TYPE[version]}; flags interval;"
    for one in layout.sets:
        for kind in KINDS:
            yield from _ban_sets(one, kind)
    if any(one.rate for one in layout.sets):
        for version, name in _SEEN.items():
            typed = f"type {_TYPE[version]} . inet_service; flags dynamic,timeout;"
            yield name, f"{typed} timeout 4s; size {_SEEN_SIZE};"


def _ban_sets(one: BanSet, kind: Kind) -> Iterator[tuple[str, str]]:
    name, typed = name_of(label_of(one), kind), f"type {_TYPE[kind.version]};"
    flags = "timeout" if kind.length else "interval,timeout"
    text = f"{typed} flags {flags}; timeout {DEFAULT_TIMEOUT};"
    if one.rate is None:
        yield name, text
        return
    lasts_s = max(60, int(one.rate.per.total_seconds()))
    yield name, f"{text} limit rate over {_rate(one.rate)};"
    yield f"again-{name}", f"{typed} flags dynamic,timeout; timeout {lasts_s}s; size {_SEEN_SIZE};"


def _chains(layout: Layout) -> Iterator[tuple[str, Chain]]:
    by_service: dict[str, list[BanSet]] = {}
    for one in layout.sets:
        if one.ports:
            by_service.setdefault(one.target[1], []).append(one)
    for ban_sets in by_service.values():
        for one in ban_sets:
            yield from _held_chains(one)
    for version in (4, 6):
        for service, ban_sets in by_service.items():
            rules = tuple(rule for one in ban_sets for rule in _lookups(one, version))
            yield f"to-{service}-{version}", Chain(hook=None, rules=rules)
        ports = {
            name: frozenset().union(*(one.ports for one in ban_sets))
            for name, ban_sets in by_service.items()
        }
        yield f"services{version}", Chain(hook=None, rules=(*_services(ports, version),))
        yield f"host{version}", Chain(hook=None, rules=(*_host(layout, version),))
    yield "prerouting", Chain(hook=_PREROUTING, rules=_split("host"))
    for hook in (_INPUT, _FORWARD):
        tcp = _split("meta l4proto tcp", "services")
        yield hook.name, Chain(hook=hook, rules=tcp)


def _split(*words: str) -> tuple[str, str]:
    """Give the rules that send each family to a chain of its own."""
    before, to = (*words[:-1], "")[0], words[-1]
    condition = f" {before}" if before else ""
    return (
        f"meta nfproto ipv4{condition} goto {to}4",
        f"meta nfproto ipv6{condition} goto {to}6",
    )


def _host(layout: Layout, version: int) -> Iterator[str]:
    """Give the rules for whole hosts: ssh stays open for all but those whose ban is about it."""
    yield _allow(version)
    for target in (HOST_AND_SSH_DROP, HOST_DROP):
        if target == HOST_DROP and layout.ssh:
            yield f"tcp dport {folded(layout.ssh)} return"
        for one in layout.sets:
            if one.target == target:
                yield from _lookups(one, version)


def _services(ports: Mapping[str, frozenset[int]], version: int) -> Iterator[str]:
    yield _allow(version)
    for service, numbers in ports.items():
        yield f"tcp dport {folded(numbers)} jump to-{service}-{version}"


def _allow(version: int) -> str:
    return f"{_FIELD[version]} @{ALLOW[version]} return"


def _lookups(one: BanSet, version: int) -> Iterator[str]:
    for kind in KINDS:
        if kind.version == version:
            name = name_of(label_of(one), kind)
            found = f"{_key(kind)} @{name}"
            yield (
                f"{found} counter drop" if one.rate is None else f"{_NEW} {found} jump held-{name}"
            )


def _key(kind: Kind) -> str:
    """Give what is looked up in a set of bans of this kind."""
    return _masked(6, LINES6.length or 0) if kind is LINES6 else _FIELD[kind.version]


def _held_chains(one: BanSet) -> Iterator[tuple[str, Chain]]:
    if one.rate is None or one.per is None:
        return
    for kind in KINDS:
        name, version = name_of(label_of(one), kind), kind.version
        knock = f"{_FIELD[version]} . tcp sport"
        again = f"{_throttled(kind, one.per)} limit rate {_rate(one.rate)}"
        rules = (
            f"{knock} @{_SEEN[version]} update @again-{name} {{ {again} }} return",
            f"add @{_SEEN[version]} {{ {knock} }}",
            "counter drop",
        )
        yield f"held-{name}", Chain(hook=None, rules=rules)


def _throttled(kind: Kind, per: Width) -> str:
    """Give what shares one limit: as wide as the throttled source is."""
    length = {NETS4: per.ipv4, NETS6: per.ipv6, LINES6: LINES6.length, HOSTS6: HOSTS6.length}
    return _masked(kind.version, length.get(kind) or 32)


def _masked(version: int, length: int) -> str:
    """Give the field of the source cut to a prefix length."""
    any_net = IPv4Network((0, length)) if version == NETS4.version else IPv6Network((0, length))
    if length == any_net.max_prefixlen:
        return _FIELD[version]
    return f"{_FIELD[version]} & {any_net.netmask}"


def _rate(rate: Rate) -> str:
    return f"{rate.count}/{unit_of(rate)} burst {rate.count} packets"
