"""What the ledger says beside what the firewall holds: one table.

| ledger | firewall | then |
| --- | --- | --- |
| in force | yes, about as long | keep |
| in force | yes, for another time, or without a timer | set anew with the rest of its time |
| in force, more than 2 s left | no | restore, with the rest of its time |
| in force, not more | no | it expired |
| in force, not more | yes, for long | it expired, lift: the firewall was restored from a file |
| in force, of a service that is gone | - | it is over |
| intended | yes | adopt: the agent was killed before it could say so |
| intended | no | it never held, or is over by now |
| over | with our comment | lift: the firewall was restored from a file |
| no | with our comment | adopt |
| no | without | lift: foreign |
| no | without a timer | lift: permanent |
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.model.ban import Ban, Held, Mark, Place, place_of
from agent.model.plan import Lift
from agent.model.policy import Answer, Scope, Service

WORTH_RESTORING = timedelta(seconds=2)

ABOUT = timedelta(seconds=5)
"""Kernels count whole seconds, and time passes between two looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the ledger says.

    Attributes:
        in_force: Applied and not ended; each (source, target) once.
        intended: By id: of these nobody knows whether they hold.
        has_ended: Whether the ban of that id is known to be over.
    """

    in_force: tuple[Ban, ...]
    intended: Mapping[str, Ban]
    has_ended: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """How to make ledger and firewall agree; each in the order it was given.

    Attributes:
        keep: Hold as they should.
        restore: To be added, for the rest of their time.
        expired: Over by themselves.
        gone: Over because their service is.
        adopt: The firewall holds them, the ledger has to take them in.
        never: Intended, and not there.
        lift: To be removed from the firewall.
    """

    keep: tuple[Ban, ...] = ()
    restore: tuple[Ban, ...] = ()
    expired: tuple[Ban, ...] = ()
    gone: tuple[Ban, ...] = ()
    adopt: tuple[Ban, ...] = ()
    never: tuple[Ban, ...] = ()
    lift: tuple[Lift, ...] = ()


def reconcile(
    recorded: Recorded, installed: Iterable[Held], services: Mapping[str, Service], now: datetime
) -> Reconciliation:
    """Compare the bans that should be in force with those that are.

    Args:
        recorded: The ledger's.
        installed: The firewall's, read back.
        services: The policy's, by name.
        now: A ban that was to end by now has expired, wherever it is missing.
    """
    held = {(one.source, one.target): one for one in installed}
    ours = {place_of(ban): ban for ban in recorded.in_force}
    gone = tuple(ban for ban in ours.values() if _is_gone(ban, services))
    alive = {place: ban for place, ban in ours.items() if not _is_gone(ban, services)}
    keep = tuple(ban for place, ban in alive.items() if _holds(held.get(place), ban, now))
    kept = {ban.ban_id for ban in keep}
    missing = tuple(ban for ban in alive.values() if ban.ban_id not in kept)
    surplus = {place: one for place, one in held.items() if place not in alive}
    over = {place_of(ban) for ban in missing if ban.rest(now) <= WORTH_RESTORING}
    too_long = [
        one for place, one in held.items() if place in over or (place in alive and one.left is None)
    ]
    adopt = tuple(_adopted(surplus, recorded, services, now))
    adopted = {ban.ban_id for ban in adopt}
    places = {place_of(ban) for ban in adopt}
    return Reconciliation(
        keep=keep,
        restore=tuple(ban for ban in missing if ban.rest(now) > WORTH_RESTORING),
        expired=tuple(ban for ban in missing if ban.rest(now) <= WORTH_RESTORING),
        gone=gone,
        adopt=adopt,
        never=tuple(ban for ban in recorded.intended.values() if ban.ban_id not in adopted),
        lift=tuple(
            Lift(held=one, reason=_why_lifted(one))
            for one in (*too_long, *(surplus[place] for place in surplus if place not in places))
            if one.mark is None or one.left is None or one.left > WORTH_RESTORING
        ),
    )


def _holds(held: Held | None, ban: Ban, now: datetime) -> bool:
    """Whether the firewall holds a ban for about the time that is left of it."""
    return (
        held is not None
        and held.left is not None
        and held.rate == ban.rate
        and abs(held.left - ban.rest(now)) <= ABOUT
    )


def _is_gone(ban: Ban, services: Mapping[str, Service]) -> bool:
    return ban.scope is Scope.SERVICE and (ban.service is None or ban.service.name not in services)


def _adopted(
    surplus: Mapping[Place, Held],
    recorded: Recorded,
    services: Mapping[str, Service],
    now: datetime,
) -> Iterable[Ban]:
    """Give the bans that are ours by their mark, as the ledger intended them where it did."""
    for place, held in surplus.items():
        mark, left = held.mark, held.left
        if mark is None or left is None or recorded.has_ended(mark.ban_id):
            continue
        intended = recorded.intended.get(mark.ban_id)
        if intended is not None and place_of(intended) == place:
            yield intended
        elif (ban := _from_mark(held, mark, services)) is not None:
            # The kernel's timer is right, whatever the clock was when the mark was made.
            yield replace(ban, begins=now + left - ban.lasts)


def _from_mark(held: Held, mark: Mark, services: Mapping[str, Service]) -> Ban | None:
    """Make a ban of what the firewall alone knows; None when its service is gone."""
    scope, name, answer = held.target
    service = services.get(name)
    if scope is Scope.SERVICE and service is None:
        return None
    if scope is Scope.HOST and name:
        service = next((one for one in services.values() if one.is_ssh), Service.ssh())
    return Ban(
        ban_id=mark.ban_id,
        source=held.source,
        answer=answer,
        rate=held.rate if answer is Answer.THROTTLE else None,
        scope=scope,
        service=service,
        rule=mark.rule,
        measure=None,
        count=None,
        limit=None,
        begins=mark.begins,
        lasts=mark.lasts,
        reasons=("found in the firewall; the ledger did not know of it",),
        policy_sha256="",
    )


def _why_lifted(held: Held) -> str:
    if held.left is None:
        return "permanent"
    return "foreign" if held.mark is None else "over"
