"""What a scene came to, and whether that is what it has to come to."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from agent.model.address import Address, Prefix
from agent.model.policy import Policy
from tests.scenarios.addresses import Nets
from tests.scenarios.again import Recorded
from tests.scenarios.group import Group, Role
from tests.scenarios.scene import Scene
from tests.scenarios.witness import BANS_FROM, Witness

BANNED = frozenset({"ban.applied", "ban.would_apply", "ban.adopted"})
"""Told of a ban that the firewall, read back, holds."""

NEVER = frozenset({"cycle.failed", "ban.failed"})
"""Told in no scene, unless it says so."""

LATE_AT_MOST = 2
"""Cycles beyond those that the rule wants to see; what a scene defers comes on top."""

_SSH_PORT = 22
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(slots=True, kw_only=True)
class Happened:
    """All that was seen of a scene.

    Attributes:
        scene: The scene.
        policy: Its policy at the beginning.
        witness: What the sockets showed.
        cycles: When each cycle began, in seconds.
        events: All events, each with the number of its cycle, from 1 on over all restarts;
            0 before the first one.
        findings: Sources and the verdicts that were found on them.
        allowed: The kernel's allow set at the end.
        losses: Connections that innocents lost, a sentence each, and what else went wrong with
            the scene's clients.
        recorded: The agent's tape.
    """

    scene: Scene
    policy: Policy
    witness: Witness
    cycles: list[float] = field(default_factory=list)
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    findings: set[tuple[str, str]] = field(default_factory=set)
    allowed: frozenset[Prefix] = frozenset()
    losses: list[str] = field(default_factory=list)
    recorded: Recorded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is left of it.

    Attributes:
        scene: The scene.
        failures: What is not as it has to be, a sentence each; empty when all is well.
        worst: Cycles from the first that saw somebody guilty above the limit to the ban, that
            one included; 0 where nobody is guilty.
        allowed: As many cycles as that may be.
        told: The names of the events that occurred, but for those of every scene.
        rivals: By program, how many innocent sources its rule would have banned, and how
            many guilty ones missed.
        recorded: The agent's tape; None where the scene could not be played.
    """

    scene: Scene
    failures: tuple[str, ...]
    worst: int = 0
    allowed: int = 0
    told: frozenset[str] = frozenset()
    rivals: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    recorded: Recorded | None = None


def outcome_of(happened: Happened) -> Outcome:
    """Judge the agent by what happened."""
    failures: list[str] = [*happened.losses, *_free(happened), *_told(happened), *_bounds(happened)]
    worst = allowed = 0
    for name, group in happened.scene.of_role(Role.GUILTY):
        took, most, problems = _caught(happened, name, group)
        worst, allowed = max(worst, took), max(allowed, most)
        failures += problems
    failures += _verdicts(happened)
    exempt = exempt_of(happened.policy)
    return Outcome(
        scene=happened.scene,
        failures=tuple(failures),
        worst=worst,
        allowed=allowed,
        told=frozenset(event["event"] for _, event in happened.events),
        rivals={program: happened.witness.verdicts_of(program, exempt) for program in BANS_FROM},
        recorded=happened.recorded,
    )


def exempt_of(policy: Policy) -> tuple[Prefix, ...]:
    """Give the addresses that any program could be told to leave alone."""
    return tuple(
        prefix for entry in policy.allowlist if entry.patience is None for prefix in entry.prefixes
    )


def reaches(event: Mapping[str, Any], port: int, policy: Policy) -> bool:
    """Whether the ban that an event tells of covers that port."""
    services = {service.name: service for service in policy.services}
    service = services.get(event["service"])
    if event["scope"] == "host":
        return port != _SSH_PORT or (service is not None and service.is_ssh)
    return service is None or port in service.ports


def bans_at(happened: Happened, port: int, answers: Sequence[str]) -> Nets:
    """Give who was banned at a port, by the cycle in which that was first so."""
    nets = Nets()
    for cycle, event in happened.events:
        is_ban = event["event"] in BANNED and event["answer"] in answers
        if is_ban and reaches(event, port, happened.policy):
            nets.add(ip_network(event["source"]), cycle)
    return nets


def _free(happened: Happened) -> Iterator[str]:
    """Nobody innocent is banned; the allow set may hold a member of what is banned as a whole."""
    for name, group in happened.scene.of_role(Role.INNOCENT, Role.FORGED):
        answers = ("drop",) if group.role is Role.FORGED else ("drop", "throttle")
        banned, allowed = bans_at(happened, group.port, answers), Nets(happened.allowed)
        hit = [one for one in group.addresses if one in banned and one not in allowed]
        if hit:
            yield f"{name}: {len(hit)} of them banned, as {hit[0]} in cycle {banned.least(hit[0])}"


def _caught(happened: Happened, name: str, group: Group) -> tuple[int, int, list[str]]:
    """Give how many cycles it took to ban all of a guilty group, how many it may, and faults."""
    rule, since = happened.witness.since(name)
    banned = bans_at(happened, group.port, ("drop", "throttle"))
    never = [one for one in group.addresses if one not in since]
    problems = _few(name, f"never above the limit of {rule.name}", never)
    free = [one for one in since if one not in banned]
    problems += _few(name, "never banned", free)
    took = {
        one: cycle - bisect_left(happened.cycles, at)
        for one, at in since.items()
        if (cycle := banned.least(one)) is not None
    }
    most = rule.sustained.times + LATE_AT_MOST + group.deferred
    late = [one for one, cycles in took.items() if cycles > most]
    worst = max(took.values(), default=0)
    problems += _few(name, f"banned only after {worst} cycles", late)
    return worst, most, problems


def _few(name: str, what: str, who: Sequence[Address]) -> list[str]:
    return [f"{name}: {len(who)} of them {what}, as {who[0]}"] if who else []


def _told(happened: Happened) -> Iterator[str]:
    scene, names = happened.scene, {event["event"] for _, event in happened.events}
    yield from (f"{name} was not told" for name in scene.told if name not in names)
    for name in sorted(names & (NEVER - {*scene.told} | {*scene.never})):
        first = next(event for _, event in happened.events if event["event"] == name)
        yield f"{name} was told: {first}"


def _bounds(happened: Happened) -> Iterator[str]:
    scene, events = happened.scene, [event for _, event in happened.events]
    lines = sum(event["level"] != "debug" for event in events)
    if scene.lines_at_most and lines > scene.lines_at_most:
        yield f"{lines} lines in the log, not {scene.lines_at_most} at most"
    bans = max((event.get("bans_in_force", 0) for event in events), default=0)
    if scene.bans_at_most and bans > scene.bans_at_most:
        yield f"{bans} bans in force, not {scene.bans_at_most} at most"


def _verdicts(happened: Happened) -> Iterator[str]:
    """Whatever else the scene says of its groups."""
    for name, group in happened.scene.groups.items():
        if group.verdict:
            found = {
                ip_network(source) for source, one in happened.findings if one == group.verdict
            }
            if not any(one in Nets(found) for one in group.addresses):
                yield f"{name}: nobody of them had the verdict {group.verdict}"
        if group.bans:
            wanted, lengths = [seconds(text) for text in group.bans], _lengths(happened, group)
            if lengths != wanted:
                yield f"{name}: bans of {lengths} s, not of {wanted}"


def _lengths(happened: Happened, group: Group) -> list[int]:
    return [
        round(event["for_s"])
        for _, event in happened.events
        if event["event"] in BANNED
        and any(one in Nets([ip_network(event["source"])]) for one in group.addresses)
    ]


def seconds(text: str) -> int:
    """Give the seconds of a length as ``1h30m``."""
    parts: Iterable[tuple[str, str]] = re.findall(r"(\d+)([smhd])", text)
    return sum(int(number) * _UNITS[unit] for number, unit in parts)
