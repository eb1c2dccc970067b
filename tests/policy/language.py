"""A model of the policy language: right policies with what they mean, and wrong ones.

Written apart from the parser, from the reference alone: it shares no code with it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from random import Random
from typing import Any

STATES = ("ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE_WAIT", "LAST_ACK", "CLOSING")
UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
LONGEST_S = 24 * 86400 + 20 * 3600 + 31 * 60 + 23


@dataclass
class Meant:
    """What a generated policy means, block by block, in plain values."""

    every_s: float = 5.0
    services: dict[str, set[int]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    max_bans: int = 100_000


@dataclass
class Drawn:
    """A policy as a tree of mappings, lists and texts, and what it means."""

    tree: dict[str, Any]
    meant: Meant


def name(rng: Random, taken: set[str]) -> str:
    while True:
        size = rng.choice([1, 2, 5, 9, 64])
        first = rng.choice("abcxyzABC019")
        found = first + "".join(rng.choice("abz09._-X") for _ in range(size - 1))
        if found not in taken and found not in {"manual", "trusted_proxies"}:
            taken.add(found)
            return found


def duration(rng: Random, low_s: int, high_s: int) -> tuple[str, int]:
    seconds = rng.choice([low_s, high_s, rng.randint(low_s, high_s), rng.randint(low_s, high_s)])
    if rng.random() < 0.3:
        return f"{seconds}s", seconds
    left, text = seconds, ""
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text, seconds


def prefix(rng: Random) -> tuple[str, Any]:
    if rng.random() < 0.5:
        length = rng.randint(8, 32)
        network = ip_network((rng.getrandbits(32) >> (32 - length) << (32 - length), length))
    else:
        length = rng.randint(16, 128)
        bits = (0x2000 << 112) | rng.getrandbits(125)
        network = ip_network((bits >> (128 - length) << (128 - length), length))
    text = str(network)
    if length == network.max_prefixlen and rng.random() < 0.5:
        text = str(network.network_address)
    return rng.choice([text, text.upper()]), network


def services(rng: Random) -> tuple[dict[str, Any], dict[str, set[int]]]:
    taken: set[str] = set()
    tree, meant = {}, {}
    for _ in range(rng.randint(1, 4)):
        listed: list[str] = []
        ports: set[int] = set()
        for _ in range(rng.randint(1, 3)):
            low = rng.randint(1, 65535)
            high = min(65535, low + rng.choice([0, 0, 1, 9]))
            listed.append(f"{low}-{high}" if high > low or rng.random() < 0.1 else str(low))
            ports |= set(range(low, high + 1))
        key = name(rng, taken)
        tree[key] = {"ports": listed[0] if len(listed) == 1 and rng.random() < 0.5 else listed}
        meant[key] = ports
    return tree, meant


def entry(rng: Random, taken: set[str], known: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    kind = rng.choice(["nat", "crawler", "partner", "infrastructure"])
    patience = rng.choice([None, 2, 10, 1000, rng.randint(2, 1000)])
    tree: dict[str, Any] = {"name": name(rng, taken), "kind": kind}
    tree["grants"] = "exempt" if patience is None else f"{patience}x"
    meant: dict[str, Any] = {"name": tree["name"], "kind": kind, "patience": patience}
    drawn = [prefix(rng) for _ in range(rng.randint(0, 3))]
    if drawn:
        tree["prefixes"] = [text for text, _ in drawn]
    meant["prefixes"] = tuple(network for _, network in drawn)
    if not drawn or rng.random() < 0.2:
        tree["names"] = [rng.choice(["googlebot.com", "Search.MSN.com", "a-b.example.net."])]
    meant["names"] = tuple(one.lower().rstrip(".") for one in tree.get("names", ()))
    if rng.random() < 0.3:
        tree["services"] = rng.sample(known, rng.randint(1, len(known)))
    meant["services"] = frozenset(tree.get("services", ()))
    meant["until"] = None
    if rng.random() < 0.3:
        day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=rng.randint(0, 4000))
        is_day = rng.random() < 0.5
        tree["until"] = f"{day:%Y-%m-%d}" if is_day else f"{day:%Y-%m-%dT%H:%M:%SZ}"
        meant["until"] = day + timedelta(days=1) if is_day else day
    return tree, meant


def rule(rng: Random, taken: set[str], known: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    half_open = rng.random() < 0.25
    limit = rng.choice([1, 1_000_000, rng.randint(1, 1000)])
    tree: dict[str, Any] = {"name": name(rng, taken), "service": rng.choice(known)}
    tree |= {"count": "half_open" if half_open else "connections", "above": str(limit)}
    meant: dict[str, Any] = {key: tree[key] for key in ("name", "service")}
    meant |= {"measure": tree["count"], "limit": limit, "mode": "enforce", "scope": "service"}
    meant["states"] = {"SYN_RECV"} if half_open else {"ESTABLISHED"}
    if not half_open and rng.random() < 0.5:
        tree["states"] = rng.sample(STATES, rng.randint(1, 3))
        meant["states"] = set(tree["states"])
    _width(rng, tree, meant)
    _answer(rng, tree, meant, throttled=half_open or rng.random() < 0.15)
    if rng.random() < 0.3:
        meant["mode"] = tree["mode"] = rng.choice(["enforce", "observe"])
    of = rng.randint(1, 60)
    times = rng.randint(1, of)
    meant["sustained"] = (3, 5)
    if rng.random() < 0.5:
        tree["sustained"], meant["sustained"] = f"{times} of {of}", (times, of)
    return tree, meant


def _width(rng: Random, tree: dict[str, Any], meant: dict[str, Any]) -> None:
    """Draw how wide a source is, and how many members it has to have."""
    meant |= {"per": (32, 64), "members": 1}
    if rng.random() < 0.4:
        ipv4, ipv6 = rng.randint(16, 31), rng.randint(32, 63)
        members = rng.choice([1, 2, 65_536])
        tree |= {"per": {"ipv4": str(ipv4), "ipv6": str(ipv6)}, "members": str(members)}
        meant |= {"per": (ipv4, ipv6), "members": members}
    elif rng.random() < 0.3:
        tree["per"] = "host"


def _answer(rng: Random, tree: dict[str, Any], meant: dict[str, Any], *, throttled: bool) -> None:
    """Draw what is done, and for how long."""
    text, seconds = duration(rng, 1, 86_400)
    given = rng.random() < 0.5
    meant |= {"lasts_s": seconds if given else 600, "rate": None}
    if given:
        tree["for" if throttled else "ban"] = text
    if throttled:
        count, per = rng.randint(1, 10_000), rng.choice("smh")
        tree["throttle"], meant["rate"] = f"{count}/{per}", (count, UNITS[per])
    elif rng.random() < 0.3:
        meant["scope"] = tree["scope"] = rng.choice(["service", "host"])


def right(rng: Random) -> Drawn:
    """Draw a policy that is right, with what it means."""
    meant = Meant()
    tree: dict[str, Any] = {"version": "1"}
    if rng.random() < 0.5:
        milliseconds = rng.choice([200, 60_000, rng.randint(200, 60_000)])
        tree["every"], meant.every_s = f"{milliseconds}ms", milliseconds / 1000
    if rng.random() < 0.3:
        meant.max_bans = rng.choice([1, 1_000_000, rng.randint(1, 1_000_000)])
        tree["safety"] = {"max_bans": str(meant.max_bans)}
    tree["services"], meant.services = services(rng)
    known = list(meant.services)
    taken: set[str] = set()
    entries = [entry(rng, taken, known) for _ in range(rng.randint(0, 2))]
    rules = [rule(rng, taken, known) for _ in range(rng.randint(1, 3))]
    if entries:
        tree["allowlist"] = [one for one, _ in entries]
    tree["rules"] = [one for one, _ in rules]
    meant.entries = [one for _, one in entries]
    meant.rules = [one for _, one in rules]
    return Drawn(tree, meant)
