"""Bans and pardons that a person asks for: the same promises hold for them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s

from agent.decide.grants import Grants, grants_of
from agent.decide.prefixes import PrefixTable, prefix_table
from agent.model.address import Prefix, Source, covers, is_line
from agent.model.ban import Ban, Held, Installed, Target
from agent.model.inputs import Spared
from agent.model.plan import Lift
from agent.model.policy import Answer, Policy, Scope, Service

MANUAL = "manual"
"""The rule's name in a ban by hand; no policy may use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asks for.

    Attributes:
        source: Whom to ban.
        scope: What of its traffic.
        services: Which of them, under scope service.
        lasts: For how long; positive.
        reason: In the person's words; may be empty.
    """

    source: Source
    scope: Scope
    services: Sequence[Service]
    lasts: timedelta
    reason: str


def bans_of(order: Order, policy: Policy, now: datetime) -> tuple[Ban, ...]:
    """Give the bans that an order means: one for the host, or one for each service."""
    services = order.services if order.scope is Scope.SERVICE else (None,)
    return tuple(_ban(order, service, policy, now) for service in services)


def why_spared(
    bans: Iterable[Ban],
    policy: Policy,
    spared: Spared,
    installed: Installed,
    now: datetime,
) -> str | None:
    """Say whom one of the bans would wrongly reach, and why; None when nobody.

    Members of a wide prefix that the kernel's allow set lets through are not reached.
    """
    grants = grants_of(policy, spared)
    allowed = prefix_table((prefix, prefix) for prefix in installed.allowed)
    reasons = (reason for ban in bans for reason in _reached(ban, grants, allowed, now))
    return next(reasons, None)


def replaced(bans: Iterable[Ban], installed: Installed) -> Iterator[Lift]:
    """Give what is held inside the bans' prefixes and is not to stay beside them."""
    for ban in bans:
        for held in installed.bans:
            inside = held.source != ban.source and covers(ban.source.prefix, held.source.prefix)
            stays = is_line(held.source.prefix) and held.left and held.left > ban.lasts
            if inside and held.target == ban.target and not stays:
                yield Lift(held=held, reason=f"covered by {ban.source}")


def covering(ban: Ban, installed: Installed) -> Held | None:
    """Give a wider ban that is held already and has no room for this one inside it."""
    return next(
        (
            held
            for held in installed.bans
            if held.target == ban.target
            and held.source != ban.source
            and covers(held.source.prefix, ban.source.prefix)
            and not is_line(ban.source.prefix)
        ),
        None,
    )


def lifted(source: Source, installed: Installed, why: str) -> tuple[Lift, ...]:
    """Give the bans to lift when a person lets `source` go.

    Those of the very source, of the line that an address is on, and all inside a prefix;
    a wider ban that others are in stays.
    """
    prefix = source.prefix
    return tuple(
        Lift(held=held, reason=why)
        for held in installed.bans
        if covers(prefix, held.source.prefix)
        or (is_line(held.source.prefix) and covers(held.source.prefix, prefix))
    )


def is_inside(source: Source, installed: Installed) -> bool:
    """Whether a ban that stays, because others are in it, keeps `source` out."""
    return any(
        held.source != source
        and covers(held.source.prefix, source.prefix)
        and not is_line(held.source.prefix)
        for held in installed.bans
    )


def _ban(order: Order, service: Service | None, policy: Policy, now: datetime) -> Ban:
    target: Target = (order.scope, service.name if service else "", Answer.DROP)
    text = f"{now.isoformat()} {order.source} {' '.join(target)} {MANUAL}"
    return Ban(
        ban_id=blake2s(text.encode(), digest_size=8).hexdigest(),
        source=order.source,
        answer=Answer.DROP,
        rate=None,
        scope=order.scope,
        service=service,
        rule=MANUAL,
        measure=None,
        count=None,
        limit=None,
        begins=now,
        lasts=order.lasts,
        reasons=(f"by hand: {order.reason}" if order.reason else "by hand",),
        policy_sha256=policy.sha256,
    )


def _reached(
    ban: Ban, grants: Grants, allowed: PrefixTable[Prefix], now: datetime
) -> Iterator[str]:
    prefix = ban.source.prefix
    for spared in grants.untouchable(prefix, ban.target, now):
        passes = spared != prefix and any(True for _ in allowed.covering(spared))
        if not passes:
            why = grants.reason(spared, ban.target, now)
            yield why if spared == prefix else f"{Source(spared)} is in it: {why}"
