"""Sound blocks -> values of the model. Nothing is checked here, and nothing can fail."""

from datetime import timedelta
from pathlib import PurePath

from agent.model.address import Width
from agent.model.policy import (
    TRUSTED_PROXIES,
    USUAL,
    Administrators,
    AllowEntry,
    Answer,
    Escalation,
    Kind,
    Recording,
    Rule,
    Safety,
    Scope,
    Service,
)
from agent.policy.block import Block
from agent.policy.fallback import Fallback
from agent.policy.place import Place
from agent.policy.shapes import (
    AdministratorsShape,
    EntryShape,
    PartyShape,
    ProxiesShape,
    RuleShape,
    SafetyShape,
    ServiceShape,
    TapeShape,
)


def build_safety(shape: SafetyShape) -> Safety:
    """Give what the agent may do at most."""
    return Safety(
        new_bans_per_cycle=shape.new_bans_per_cycle,
        max_bans=shape.max_bans,
        known_clients_share=shape.known_clients_share,
    )


def build_service(name: str, shape: ServiceShape) -> Service:
    """Give a service."""
    return Service(name=name, ports=frozenset(port for ports in set(shape.ports) for port in ports))


def build_entry(block: Block[EntryShape]) -> AllowEntry:
    """Give an allowlist entry; its range files are beside the policy file."""
    shape = block.shape
    return AllowEntry(
        name=shape.name,
        kind=shape.kind,
        prefixes=shape.prefixes,
        names=shape.names,
        ranges=_ranges(shape, block.place),
        hosts=shape.hosts,
        services=frozenset(shape.services),
        patience=shape.grants,
        until=shape.until,
        declared_at=block.place.line,
    )


def build_proxies(block: Block[ProxiesShape]) -> AllowEntry:
    """Give the entry that the trusted proxies are."""
    shape = block.shape
    return AllowEntry(
        name=TRUSTED_PROXIES,
        kind=Kind.INFRASTRUCTURE,
        prefixes=shape.prefixes,
        ranges=_ranges(shape, block.place),
        hosts=shape.hosts,
        services=frozenset(shape.services),
        declared_at=block.place.line,
    )


def build_administrators(shape: AdministratorsShape) -> Administrators:
    """Give who they are; nobody can be left out by naming others."""
    return Administrators(
        users=USUAL.users | set(shape.users), groups=USUAL.groups | set(shape.groups)
    )


def build_tape(shape: TapeShape) -> Recording:
    """Give how much is recorded."""
    return Recording(
        floor=shape.floor, prefix_floor=shape.prefix_floor, size_bytes=shape.size, age=shape.age
    )


def build_rule(block: Block[RuleShape], service: Service, fallback: Fallback) -> Rule:
    """Give a rule, complete."""
    shape, own = block.shape, fallback.under(block.shape)
    lasts = (shape.lasts or fallback.ban) if shape.throttle else own.ban
    return Rule(
        name=shape.name,
        service=service,
        measure=shape.count,
        states=frozenset(shape.states or shape.count.usual),
        limit=shape.above,
        per=Width(ipv4=shape.per.ipv4, ipv6=shape.per.ipv6),
        members=shape.members,
        mode=shape.mode,
        answer=Answer.THROTTLE if shape.throttle else Answer.DROP,
        rate=shape.throttle,
        lasts=lasts,
        scope=Scope.SERVICE if shape.throttle else own.scope,
        sustained=own.sustained,
        escalation=_escalation(own, lasts),
        warn=own.warn,
        declared_at=block.place.line,
    )


def _ranges(shape: PartyShape, place: Place) -> tuple[str, ...]:
    return tuple(str(PurePath(place.folder) / path) for path in shape.ranges)


def _escalation(own: Fallback, lasts: timedelta) -> Escalation:
    """Give the growth of later bans; one that keeps its length is never above its maximum."""
    each = own.escalation
    return Escalation(times=each.times, up_to=max(each.up_to, lasts), within=each.within)
