"""Whom to guard: what the agent found, whom a person let pass, and who was here to mend things."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_network

from agent.model.address import Address, Prefix, Source
from agent.model.inputs import Guard, Permit, Surroundings

REMEMBERED_FOR = timedelta(days=30)
"""How long an administrator who has logged out is let in to ssh again."""

REMEMBERED_AT_MOST = 1_000


def guarded(
    found: Surroundings,
    permits: Iterable[Permit],
    sessions: Mapping[Address, datetime],
    now: datetime,
) -> Surroundings:
    """Guard whom an operator let pass, and for ssh who was logged in to administer, as well.

    Args:
        found: What the agent found.
        permits: Those that hold.
        sessions: By address, when an administrator was last logged in from there.
        now: Sessions that ended too long ago do not count.
    """
    known = {guard.prefix: guard for guard in found.guards}
    added = {one.prefix: _permitted(one) for one in permits if _is_wanted(known, one.prefix)}
    before = [
        Guard(
            prefix=ip_network(address),
            why=f"session of an administrator until {last:%Y-%m-%d %H:%M}Z",
            until=last + REMEMBERED_FOR,
            only_ssh=True,
        )
        for address, last in sessions.items()
        if now < last + REMEMBERED_FOR
    ]
    added = {one.prefix: one for one in before if one.prefix not in known} | added
    if not added:
        return found
    guards = (known | added).values()
    return Surroundings(
        guards=tuple(sorted(guards, key=lambda one: Source(one.prefix).order)),
        administrators=found.administrators,
    )


def remembered(
    sessions: Mapping[Address, datetime], found: Surroundings, now: datetime
) -> Mapping[Address, datetime]:
    """Give when administrators were last logged in, from where: the latest, and not for ever."""
    if not found.administrators:
        return sessions
    seen = {**sessions, **dict.fromkeys(found.administrators, now)}
    latest = sorted(seen.items(), key=lambda one: one[1], reverse=True)
    kept = [one for one in latest if now < one[1] + REMEMBERED_FOR]
    return dict(kept[:REMEMBERED_AT_MOST])


def _permitted(permit: Permit) -> Guard:
    return Guard(
        prefix=permit.prefix,
        why=f"{permit.why} until {permit.until:%Y-%m-%d %H:%M:%S}Z",
        until=permit.until,
    )


def _is_wanted(known: Mapping[Prefix, Guard], prefix: Prefix) -> bool:
    """Whether a permit adds anything: what is guarded for all services needs none."""
    guard = known.get(prefix)
    return guard is None or guard.only_ssh
