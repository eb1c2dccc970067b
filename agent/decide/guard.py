"""Whom to guard: what the agent found, whom a person let pass, and who was here to mend things."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice

from agent.model.address import Address, Prefix, Source, line_of
from agent.model.inputs import Guard, Permit, Surroundings

REMEMBERED_FOR = timedelta(days=30)
"""How long an administrator who has logged out is let in to ssh again."""

KEPT_FOR = 2 * REMEMBERED_FOR
"""How long that is kept beside, so that a clock that ran ahead by days has forgotten nobody."""

REMEMBERED_AT_MOST = 1_000

_NONE = timedelta(0)

PLAUSIBLE_FROM = datetime(2026, 1, 1, tzinfo=UTC)
"""An earlier moment is that of a clock that nobody has set yet since the machine was started."""


def guarded(
    found: Surroundings,
    permits: Iterable[Permit],
    sessions: Mapping[Address, datetime],
    now: datetime,
) -> Surroundings:
    """Guard whom an operator let pass, and for ssh who was logged in to administer, as well.

    Of IPv6 that is the whole line, whose devices change their addresses from day to day.

    Args:
        found: What the agent found.
        permits: Those that hold.
        sessions: By address, when an administrator was last logged in from there.
        now: Sessions that ended too long ago do not count.
    """
    known = {guard.prefix: guard for guard in found.guards}
    added = {one.prefix: _permitted(one) for one in permits if _is_wanted(known, one.prefix)}
    last_on: dict[Prefix, datetime] = {}
    for address, last in sessions.items():
        line, at = _line_of(address), min(last, now)
        if now - at < REMEMBERED_FOR and line not in known:
            last_on[line] = max(at, last_on.get(line, at))
    added = {line: _remembered(line, last) for line, last in last_on.items()} | added
    if not added:
        return found
    guards = (known | added).values()
    return Surroundings(
        guards=tuple(sorted(guards, key=lambda one: _order(one.prefix))),
        administrators=found.administrators,
    )


def remembered(
    sessions: Mapping[Address, datetime], found: Surroundings, now: datetime
) -> Mapping[Address, datetime]:
    """Give when administrators were last logged in, from where: the latest, and not for ever.

    A clock that was turned back makes nobody's time longer, and one that nobody has set
    yet changes nothing.

    Args:
        sessions: What the last call gave.
        found: Who is logged in.
        now: The moment.
    """
    here = dict.fromkeys(found.administrators, now)
    if now < PLAUSIBLE_FROM:
        return dict(islice((here | {**sessions}).items(), REMEMBERED_AT_MOST))
    if not here and all(_NONE <= now - last < KEPT_FOR for last in sessions.values()):
        return sessions
    seen = {address: min(last, now) for address, last in sessions.items()} | here
    latest = sorted(seen.items(), key=lambda one: one[1], reverse=True)
    kept = [one for one in latest if now - one[1] < KEPT_FOR]
    return dict(kept[:REMEMBERED_AT_MOST])


# The same few are asked for in every cycle.
_line_of = lru_cache(2 * REMEMBERED_AT_MOST)(line_of)


@lru_cache(4 * REMEMBERED_AT_MOST)
def _order(prefix: Prefix) -> tuple[int, int, int, int]:
    return Source(prefix).order


@lru_cache(2 * REMEMBERED_AT_MOST)
def _remembered(line: Prefix, last: datetime) -> Guard:
    return Guard(
        prefix=line,
        why=f"session of an administrator until {last:%Y-%m-%d %H:%M}Z",
        until=last + REMEMBERED_FOR,
        only_ssh=True,
    )


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
