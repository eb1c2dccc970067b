"""What a tree of a policy means, read from the reference alone; nonsense means nothing.

It shares no code with the parser, and knows only the keys that `language` draws.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

from tests.policy.language import LONGEST_S, STATES, UNITS, Meant

NUMBER = "(?:0|[1-9][0-9]*)"
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LABEL = re.compile("[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")
LENGTHS = re.compile("".join(f"(?:({NUMBER}){unit})?" for unit in ("w", "d", "h", "m", "s", "ms")))
DAY, TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
MOMENT = re.compile(f"{DAY}([Tt ]{TIME}([Zz]|[+-][0-9]{{2}}:[0-9]{{2}}))?")
TOP = {"version", "every", "safety", "services", "allowlist", "rules"}
ENTRY = {"name", "kind", "grants", "prefixes", "names", "services", "until"}
RULE = {"name", "service", "count", "above", "states", "per", "members", "mode", "sustained"}
RULE |= {"throttle", "for", "ban", "scope"}


class Nonsense(Exception):  # noqa: N818 - what is thrown is no error of ours
    """A tree that means nothing."""


def need(holds: object) -> None:
    if not holds:
        raise Nonsense


def mapping(node: Any, known: set[str], needed: set[str]) -> dict[str, Any]:
    need(isinstance(node, dict) and needed <= set(node) <= known)
    return dict(node)


def text(node: Any) -> str:
    need(isinstance(node, str) and node)
    return str(node)


def texts(node: Any) -> list[str]:
    need(isinstance(node, list) and node)
    return [text(one) for one in node]


def number(node: Any, low: int, high: int) -> int:
    found = text(node)
    need(re.fullmatch(NUMBER, found) and len(found) < 12 and low <= int(found) <= high)
    return int(found)


def length_s(node: Any, low: float, high: float) -> float:
    match = LENGTHS.fullmatch(text(node))
    need(match and all(len(one or "") < 16 for one in match.groups()))
    sizes = [*(size * 1000 for size in UNITS.values()), 1]
    parts = zip(match.groups() if match else (), sizes, strict=True)
    milliseconds = sum(int(one or 0) * size for one, size in parts)
    need(low * 1000 <= milliseconds <= high * 1000)
    return milliseconds / 1000


def one_of(node: Any, *allowed: str) -> str:
    need(text(node) in allowed)
    return str(node)


def name(node: Any, *reserved: str) -> str:
    need(NAME.fullmatch(text(node)) and node not in reserved)
    return str(node)


def unique(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = [one["name"] for one in found]
    need(len(set(names)) == len(names))
    return found


def prefix(node: str) -> Any:
    need(re.fullmatch(rf"[0-9A-Fa-f:.]+(/{NUMBER})?", node))
    try:
        return ip_network(node)
    except ValueError:
        raise Nonsense from None


def domain(node: str) -> str:
    found = node.lower().removesuffix(".")
    labels = found.split(".")
    need(found.isascii() and len(found) < 254 and len(labels) > 1)
    need(all(map(LABEL.fullmatch, labels)))
    need(not re.fullmatch(r"([0-9]{1,3}\.){3}[0-9]{1,3}", found))
    return found


def ports(node: Any) -> set[int]:
    found: set[int] = set()
    listed = [node] if isinstance(node, str) else node
    need(isinstance(listed, list) and len(listed) <= 64)
    for one in texts(listed):
        ends = one.split("-")
        need(len(ends) < 3)
        low, high = number(ends[0], 1, 65535), number(ends[-1], 1, 65535)
        need(low <= high)
        found |= set(range(low, high + 1))
    return found


def until(node: Any) -> datetime:
    need(MOMENT.fullmatch(text(node)))
    try:
        moment = datetime.fromisoformat(node.upper())
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise Nonsense from None


def listed(node: Any, read: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    """Read a list of blocks; one with nothing behind its key is empty."""
    if node in (None, ""):
        return []
    need(isinstance(node, list))
    return unique([read(one) for one in node])


def understood(tree: dict[str, Any]) -> Meant:
    """Tell what a tree means."""
    top = mapping(tree, TOP, {"version"})
    need(top["version"] == "1")
    meant = Meant()
    if "every" in top:
        meant.every_s = length_s(top["every"], 0.2, 60)
    safety = mapping({} if top.get("safety", "") == "" else top["safety"], {"max_bans"}, set())
    if "max_bans" in safety:
        meant.max_bans = number(safety["max_bans"], 1, 1_000_000)
    services = {} if top.get("services", "") == "" else top["services"]
    need(isinstance(services, dict))
    for key, block in services.items():
        meant.services[name(key)] = ports(mapping(block, {"ports"}, {"ports"})["ports"])
    meant.entries = listed(top.get("allowlist"), lambda one: _entry(one, meant))
    meant.rules = listed(top.get("rules"), lambda one: _rule(one, meant))
    need(meant.rules)
    return meant


def _entry(node: Any, meant: Meant) -> dict[str, Any]:
    block = mapping(node, ENTRY, {"name", "kind", "grants"})
    need({"prefixes", "names"} & set(block))
    grants = text(block["grants"])
    need(grants == "exempt" or grants.endswith("x"))
    services = texts(block["services"]) if "services" in block else []
    need(set(services) <= set(meant.services))
    return {
        "name": name(block["name"], "trusted_proxies"),
        "kind": one_of(block["kind"], "nat", "crawler", "partner", "infrastructure"),
        "patience": None if grants == "exempt" else number(grants[:-1], 2, 1000),
        "prefixes": tuple(map(prefix, texts(block["prefixes"]))) if "prefixes" in block else (),
        "names": tuple(map(domain, texts(block["names"]))) if "names" in block else (),
        "services": frozenset(services),
        "until": until(block["until"]) if "until" in block else None,
    }


def _rule(node: Any, meant: Meant) -> dict[str, Any]:
    block = mapping(node, RULE, {"name", "service", "count", "above"})
    measure = one_of(block["count"], "connections", "half_open")
    throttled = "throttle" in block
    if measure == "half_open":
        need(throttled and "states" not in block)
    need(not (throttled and "ban" in block) and (throttled or "for" not in block))
    states = texts(block["states"]) if "states" in block else ["ESTABLISHED"]
    need(set(states) <= set(STATES))
    scope = one_of(block.get("scope", "service"), "service", "host")
    need(not (throttled and scope == "host"))
    per = _per(block.get("per", "host"))
    members = number(block.get("members", "1"), 1, 65_536)
    need(members == 1 or (per[0] < 32 and per[1] < 64))
    length = block.get("for" if throttled else "ban", "10m")
    need(text(block["service"]) in meant.services)
    return {
        "name": name(block["name"], "manual"),
        "service": block["service"],
        "measure": measure,
        "limit": number(block["above"], 1, 1_000_000),
        "states": {"SYN_RECV"} if measure == "half_open" else set(states),
        "per": per,
        "members": members,
        "mode": one_of(block.get("mode", "enforce"), "enforce", "observe"),
        "scope": scope,
        # Longer than 24h would be above what later bans may reach.
        "lasts_s": length_s(length, 1, min(LONGEST_S, 86_400)),
        "rate": _rate(block["throttle"]) if throttled else None,
        "sustained": _sustained(block.get("sustained", "3 of 5")),
    }


def _per(node: Any) -> tuple[int, int]:
    if node == "host":
        return 32, 64
    block = mapping(node, {"ipv4", "ipv6"}, set())
    return number(block.get("ipv4", "32"), 16, 32), number(block.get("ipv6", "64"), 32, 128)


def _rate(node: Any) -> tuple[int, int]:
    count, _, unit = text(node).partition("/")
    need(unit in {"s", "m", "h"})
    return number(count, 1, 10_000), UNITS[unit]


def _sustained(node: Any) -> tuple[int, int]:
    match = re.fullmatch(rf"({NUMBER}) +of +({NUMBER})", text(node))
    need(match)
    times, of = (number(one, 1, 60) for one in (match.groups() if match else ()))
    need(times <= of)
    return times, of
