"""What happens to bans, as one event each: pure, names and fields by the contract."""

from datetime import datetime

from agent.model.ban import Ban, Held
from agent.model.plan import Lift
from agent.model.policy import Scope
from agent.record.events import Event, Json, Level, rfc3339

_BAN_LEVELS = {"ban.planned": Level.DEBUG, "ban.failed": Level.ERROR}


def ban_event(name: str, ban: Ban, firewall: str, error: str | None = None) -> Event:
    """Something happened to a ban.

    Args:
        name: ``ban.planned``, ``ban.applied``, ``ban.failed`` and so on.
        ban: The ban.
        firewall: Where.
        error: Why it failed; None unless it did.
    """
    fields = {**ban_fields(ban), "firewall": firewall}
    if error is not None:
        fields["error"] = error
    return Event(name, fields, _BAN_LEVELS.get(name, Level.INFO))


def ban_fields(ban: Ban) -> dict[str, Json]:
    """Give what the contract tells of a ban, but for the firewall it is in."""
    return {
        "ban_id": ban.ban_id,
        "answer": ban.answer.value,
        "source": str(ban.source),
        "rule": ban.rule,
        "measure": ban.measure,
        "count": ban.count,
        "limit": ban.limit,
        "service": ban.service.name if ban.service else None,
        "scope": ban.scope.value,
        "for_s": round(ban.lasts.total_seconds(), 3),
        "until": rfc3339(ban.until),
        "policy_sha256": ban.policy_sha256 or None,
        "reasons": ban.reasons,
    }


def held_event(name: str, held: Held, firewall: str, reason: str, now: datetime) -> Event:
    """Something happened to a ban of which only the firewall knows."""
    scope, service, answer = held.target
    until = None if held.left is None else rfc3339(now + held.left)
    return Event(
        name,
        {
            "ban_id": held.mark.ban_id if held.mark else None,
            "answer": answer.value,
            "source": str(held.source),
            "rule": held.mark.rule if held.mark else None,
            "measure": None,
            "count": None,
            "limit": None,
            "service": service if scope is Scope.SERVICE else None,
            "scope": scope.value,
            "for_s": None if held.left is None else round(held.left.total_seconds(), 3),
            "until": until,
            "firewall": firewall,
            "policy_sha256": None,
            "reasons": [reason],
        },
    )


def ban_lifted(lift: Lift, ban: Ban | None, firewall: str, now: datetime) -> Event:
    """A ban was ended before its time; `ban` is the ledger's, where it has one."""
    if ban is None:
        return held_event("ban.lifted", lift.held, firewall, lift.reason, now)
    return because(ban_event("ban.lifted", ban, firewall), lift.reason)


def lift_failed(lift: Lift, ban: Ban | None, firewall: str, now: datetime, error: str) -> Event:
    """A ban should have ended before its time, and is still there."""
    event = ban_lifted(lift, ban, firewall, now)
    return Event("lift.failed", {**event.fields, "error": error}, Level.ERROR)


def summary(name: str, count: int, firewall: str, error: str | None) -> Event:
    """The same happened to so many bans at once that they are not told one by one.

    Args:
        name: The event that each of them would have been.
        count: How many.
        firewall: Where.
        error: Why they failed; None unless they did.
    """
    fields: dict[str, Json] = {"what": name, "bans": count, "firewall": firewall}
    level = Level.DEBUG if name == "ban.planned" else Level.WARNING
    if error is None:
        return Event("bans.summary", fields, level)
    return Event("bans.summary", {**fields, "error": error}, Level.ERROR)


def because(event: Event, reason: str) -> Event:
    """Give the event with this as its one reason."""
    return Event(event.name, {**event.fields, "reasons": [reason]}, event.level)


def sockets_cut(sockets: int, flows: int, left: int, failure: str | None) -> Event:
    """Live sockets of banned sources were destroyed.

    Args:
        sockets: How many.
        flows: Entries of connection tracking that were removed.
        left: Sockets that are still there.
        failure: Why something is still there; None when nothing is.
    """
    fields: dict[str, Json] = {"sockets": sockets, "flows": flows, "left": left}
    if failure is not None:
        return Event("sockets.cut", {**fields, "error": failure}, Level.WARNING)
    return Event("sockets.cut", fields)
