"""Whether most connections come through somebody else's machines: a CDN, a load balancer.

Where they do, one address is many visitors, and limits per address hit them all. It is
only told: nobody is spared for it, since an attacker may have a place in a CDN's network,
or hold most connections himself. So it has to have been like that for long, in minutes
in which nobody was above a limit. Minutes with an attack in them speak neither for nor
against anybody.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_network
from typing import TypeAlias

from agent.decide.case import Case
from agent.decide.machine.networks import Networks, networks_of
from agent.model.address import Address, Prefix, unpack
from agent.model.alarm import BehindProxy
from agent.model.inputs import OWN_ADDRESS, Identities, Inputs
from agent.model.policy import Mode, Policy
from agent.model.sample import SOCKETS, State

LONG = 30
"""Quiet minutes."""

AT_LEAST = 20
"""Connections, of all: of fewer nothing can be said."""

FEW = 1000
"""Addresses: so many machines of a CDN speak with one server, and visitors are more."""

AGAIN = 24 * 60
"""Minutes after which it is told again."""

Place: TypeAlias = tuple[int, bytes]
"""A family and a packed address."""

_MOST = 2 * LONG
_LOOPBACK = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What is remembered of who may stand in front of this machine.

    Attributes:
        minute: Of the epoch, that goes on.
        is_loud: Whether there was an attack in it.
        quiet: By name, in how many more quiet minutes it held most connections than not.
        told: By name, the minute in which it was told.
        vendors: What `networks` was made of.
        networks: Of the large CDNs.
    """

    minute: int = 0
    is_loud: bool = False
    quiet: Mapping[str, int] = field(default_factory=dict)
    told: Mapping[str, int] = field(default_factory=dict)
    vendors: Mapping[str, frozenset[Prefix]] = field(default_factory=dict)
    networks: Networks = field(default_factory=lambda: networks_of({}))


def is_attack(cases: Iterable[Case]) -> bool:
    """Whether any source is above a limit by which it might be banned."""
    return any(
        case.is_above and case.rule.mode is Mode.ENFORCE and not case.grant.is_exemption
        for case in cases
    )


def front_after(
    front: Front, inputs: Inputs, policy: Policy, now: datetime, *, is_loud: bool
) -> tuple[Front, tuple[BehindProxy, ...]]:
    """Go on by a cycle; sources are looked at once in a minute without an attack.

    Args:
        front: What was remembered.
        inputs: The moment.
        policy: In force.
        now: The moment.
        is_loud: Whether there is an attack at this moment.
    """
    minute, was_loud = int(now.timestamp()) // 60, front.is_loud or is_loud
    if minute == front.minute:
        return (front if was_loud == front.is_loud else replace(front, is_loud=True)), ()
    after = replace(front, minute=minute, is_loud=is_loud)
    if was_loud or not front.minute:
        return after, ()
    vendors = inputs.identities.vendors
    if vendors is not front.vendors:
        after = replace(after, vendors=vendors, networks=networks_of(vendors))
    return _looked(after, Look(inputs, policy, after.networks, now))


def _looked(front: Front, look: "Look") -> tuple[Front, tuple[BehindProxy, ...]]:
    if look.total < AT_LEAST:
        return front, ()
    found = tuple(look.found())
    names = {one.vendor for one in found}
    quiet = {name: count - 1 for name, count in front.quiet.items() if name not in names}
    quiet |= {name: min(front.quiet.get(name, 0) + 1, _MOST) for name in names}
    told = {name: at for name, at in front.told.items() if 0 <= front.minute - at < AGAIN}
    news = tuple(one for one in found if quiet[one.vendor] >= LONG and one.vendor not in told)
    after = replace(
        front,
        quiet={name: count for name, count in sorted(quiet.items()) if count},
        told=told | {one.vendor: front.minute for one in news},
    )
    return after, news


class Look:
    """Who holds the connections of one moment.

    Attributes:
        total: All connections of others.
    """

    def __init__(self, inputs: Inputs, policy: Policy, networks: Networks, now: datetime) -> None:
        self._policy, self._known, self._now = policy, inputs.identities, now
        self._counts = _of_others(inputs)
        self._networks = networks
        established = State.ESTABLISHED.value
        others = inputs.sample.others.items()
        self.total = sum(self._counts.values()) + sum(
            count for (state, _), count in others if state == established
        )

    def found(self) -> Iterator[BehindProxy]:
        """Give the vendor that holds most connections, or the one address that holds nearly all."""
        by_name: dict[str, list[Place]] = {}
        for one in self._counts:
            by_name.setdefault(self._networks.name(*one) or "", []).append(one)
        others = by_name.pop("", [])
        for name, sources in by_name.items():
            # One at most holds more than half.
            if self._sum(sources) * 2 > self.total:
                strange = self._strange(sources)
                if self._sum(strange) * 2 > self.total and len(strange) <= FEW:
                    yield self._behind(name, strange, _advice_on_vendor(name))
        heaviest = max(others, key=lambda one: (self._counts[one], one), default=None)
        if heaviest and self._counts[heaviest] * 10 >= self.total * 9 and self._strange([heaviest]):
            address = unpack(*heaviest)
            yield self._behind(f"one address: {address}", [heaviest], _advice_on_one(address))

    def _behind(self, name: str, sources: Sequence[Place], advice: tuple[str, ...]) -> BehindProxy:
        return BehindProxy(
            vendor=name,
            connections=self._sum(sources),
            total=self.total,
            sources=len(sources),
            advice=advice,
        )

    def _sum(self, sources: Iterable[Place]) -> int:
        return sum(self._counts[one] for one in sources)

    def _strange(self, sources: Iterable[Place]) -> list[Place]:
        """Give those that no exemption of the policy names."""
        listed = _exempt(self._policy, self._known, self._now)
        return [one for one in sources if not listed.name(*one)]


def _of_others(inputs: Inputs) -> dict[Place, int]:
    """Count ESTABLISHED by address, without this machine's own."""
    own = networks_of(
        {
            OWN_ADDRESS: [
                *_LOOPBACK,
                *(
                    guard.prefix
                    for guard in inputs.surroundings.guards
                    if guard.why.startswith(OWN_ADDRESS)
                ),
            ]
        }
    )
    wanted, counts = State.ESTABLISHED.value, dict[Place, int]()
    for (family, state, _, packed), count in inputs.sample.tallies.get(SOCKETS, {}).items():
        if state == wanted:
            counts[family, packed] = counts.get((family, packed), 0) + count
    return {one: count for one, count in counts.items() if not own.name(*one)}


def _exempt(policy: Policy, known: Identities, now: datetime) -> Networks:
    return networks_of(
        {
            entry.name: (*entry.prefixes, *known.found.get(entry.name, ()))
            for entry in policy.allowlist
            if entry.patience is None and (entry.until is None or now < entry.until)
        }
    )


def _advice_on_vendor(name: str) -> tuple[str, ...]:
    file = f"{name}'s file of policies/ranges"
    return (
        f"if it is in front of this server, put {file} into the policy's trusted_proxies",
        *_BOTH,
    )


def _advice_on_one(address: Address) -> tuple[str, ...]:
    docker = (
        "if it is docker's own proxy, \"userland-proxy\": false lets the visitors' addresses in"
    )
    return (
        f"if {address} is a proxy or a load balancer, put it into the policy's trusted_proxies",
        *((docker,) if address.is_private else ()),
        *_BOTH,
    )


_BOTH = (
    "the visitor's address comes back with real_ip_header in nginx, with mod_remoteip in Apache",
    "until then one such address is many visitors: a limit for each address hits all or none",
)
