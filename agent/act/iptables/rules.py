"""Which rules of iptables a layout asks for, as values. Pure.

Drops of the host stand in ``raw``, so that what is forwarded and what goes to containers is
covered, and nothing is spent on it. Drops from a service stand in ``mangle`` INPUT and
FORWARD, where packets have the port that the local socket has, behind REDIRECT and DNAT too.
The allow set comes first in both.

A throttle lets a source begin so many connections; what is above that is held: a SYN is
dropped once, and passes when the same one comes again within four seconds, at most once a
second for each source. A client's kernel sends it again by itself; whoever forges addresses
must send each SYN twice, and gets through with one a second. So the connections of an
innocent whose address is forged by the thousand take a second longer, and are not lost.

Source: iptables-extensions(8); extensions/libxt_hashlimit.c for how rates are printed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from agent.act.ipset.names import SEEN_S, allow_name, seen_name, set_name
from agent.model.layout import HOST_AND_SSH_DROP, HOST_DROP, BanSet, Layout
from agent.model.policy import Rate, Scope

TABLES = ("raw", "mangle")
CHAIN = "abuse-agent"
HELD_CHAIN = "abuse-agent-held"
HOOKS = {"raw": ("PREROUTING",), "mangle": ("INPUT", "FORWARD")}

_PORTS_AT_ONCE = 15
_SCALE = 1_000_000
_UNITS = (("sec", 1), ("min", 60), ("hour", 3600), ("day", 86_400))
_BITS = {4: 32, 6: 128}


@dataclass(frozen=True, slots=True)
class Part:
    """A match, or the target, of a rule.

    Attributes:
        name: Of the extension; of a chain where it is a jump.
        options: Each its name without hyphens before it, then its values. In the order and
            with the defaults left out as ``iptables-save`` prints them; but a burst is always
            there, which some releases print and some leave out.
    """

    name: str
    options: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        matches: All must fit.
        target: What becomes of the packet.
        protocol: ``tcp``; None for any.
    """

    matches: tuple[Part, ...]
    target: Part
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of ours.

    Attributes:
        table: Where.
        name: How it is called.
        rules: In order.
    """

    table: str
    name: str
    rules: tuple[Rule, ...]


JUMP = Rule((), Part(CHAIN))
_DROP, _RETURN = Part("DROP"), Part("RETURN")
_SYN = Part("tcp", (("tcp-flags", "FIN,SYN,RST,ACK", "SYN"),))


def chains_of(layout: Layout, version: int) -> tuple[Chain, ...]:
    """Give our chains of one family; that of held SYNs only where something is throttled."""
    chains = (
        Chain("raw", CHAIN, tuple(_host_rules(layout, version))),
        Chain("mangle", CHAIN, tuple(_service_rules(layout, version))),
    )
    if not throttles(layout):
        return chains
    return (*chains, Chain("mangle", HELD_CHAIN, _held_rules(version)))


def throttles(layout: Layout) -> bool:
    """Whether something is throttled."""
    return any(one.rate is not None for one in layout.sets)


def names_of(layout: Layout, version: int) -> list[str]:
    """Give the names of all sets that the rules of this layout use."""
    seen = [seen_name(version)] if throttles(layout) else []
    return [allow_name(version), *seen, *(set_name(one, version) for one in layout.sets)]


def port_groups(ports: Iterable[int]) -> list[str]:
    """Write ports as ``multiport`` takes them: at most fifteen at once, a range counts twice."""
    groups: list[list[str]] = []
    room = 0
    for low, high in _runs(sorted(ports)):
        text, weight = (str(low), 1) if low == high else (f"{low}:{high}", 2)
        if weight > room:
            groups.append([])
            room = _PORTS_AT_ONCE
        groups[-1].append(text)
        room -= weight
    return [",".join(group) for group in groups]


def _host_rules(layout: Layout, version: int) -> Iterator[Rule]:
    by_target = {one.target: one for one in layout.sets}
    yield Rule((_in_set(allow_name(version)),), _RETURN)
    for target in (HOST_AND_SSH_DROP, HOST_DROP):
        if target == HOST_DROP:
            for ports in port_groups(layout.ssh):
                yield Rule((_to_ports(ports),), _RETURN, "tcp")
        if target in by_target:
            yield Rule((_in_set(set_name(by_target[target], version)),), _DROP)


def _service_rules(layout: Layout, version: int) -> Iterator[Rule]:
    yield Rule((_in_set(allow_name(version)),), _RETURN)
    of_services = [one for one in layout.sets if one.target[0] is Scope.SERVICE]
    for one in of_services:
        in_set = _in_set(set_name(one, version))
        for ports in port_groups(one.ports):
            if one.rate is None:
                yield Rule((_to_ports(ports), in_set), _DROP, "tcp")
            else:
                matches = (_SYN, _to_ports(ports), in_set, _above(one, one.rate, version))
                yield Rule(matches, Part(HELD_CHAIN), "tcp")


def _held_rules(version: int) -> tuple[Rule, ...]:
    seen = seen_name(version)
    once_a_second = Part(
        "hashlimit",
        (
            ("hashlimit-upto", "1/sec"),
            ("hashlimit-burst", "2"),
            ("hashlimit-mode", "srcip"),
            ("hashlimit-name", _limit_name(seen)),
        ),
    )
    remember = Part("SET", (("add-set", seen, "src,src"), ("exist",), ("timeout", f"{SEEN_S}")))
    return (
        Rule((_in_set(seen, "src,src"), once_a_second), _RETURN),
        Rule((), remember),
        Rule((), _DROP),
    )


def _in_set(name: str, by: str = "src") -> Part:
    return Part("set", (("match-set", name, by),))


def _to_ports(ports: str) -> Part:
    return Part("multiport", (("dports", ports),))


def _above(one: BanSet, rate: Rate, version: int) -> Part:
    """Match what is above the rate; an idle source is forgotten after the time of its rate."""
    text, unit_s = _printed(rate)
    per_s = int(rate.per.total_seconds())
    width = one.per
    bits = _BITS[version] if width is None else (width.ipv4, width.ipv6)[version == 6]  # noqa: PLR2004
    options: list[tuple[str, ...]] = [
        ("hashlimit-above", text),
        ("hashlimit-burst", f"{max(1, rate.count)}"),
        ("hashlimit-mode", "srcip"),
        ("hashlimit-name", _limit_name(set_name(one, version))),
    ]
    if per_s != unit_s:
        options.append(("hashlimit-htable-expire", f"{per_s * 1000}"))
    if bits != _BITS[version]:
        options.append(("hashlimit-srcmask", f"{bits}"))
    return Part("hashlimit", tuple(options))


def _printed(rate: Rate) -> tuple[str, int]:
    """Write a rate as it is printed when it is read back, and give its unit in seconds."""
    period = int(rate.per.total_seconds()) * _SCALE // rate.count
    unit, seconds = _UNITS[0]
    for name, each in _UNITS[::-1]:
        whole, rest = divmod(each * _SCALE, period)
        if whole < 1 or whole < rest:
            break
        unit, seconds = name, each
    return f"{seconds * _SCALE // period}/{unit}", seconds


def _limit_name(name: str) -> str:
    return f"aa-{sha256(name.encode()).hexdigest()[:8]}"


def _runs(ports: list[int]) -> Iterator[tuple[int, int]]:
    """Fold neighbours: give the first and the last port of each run."""
    if not ports:
        return
    first = ports[0]
    for port, following in pairwise([*ports, -1]):
        if following != port + 1:
            yield first, port
            first = following
