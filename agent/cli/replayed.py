"""What a replay came to, in words and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby

from agent.desk.replay.compare import Difference, Treated
from agent.desk.replay.journal import Outcome, Served, Sighting
from agent.model.address import Source
from agent.model.alarm import Alarm, BehindProxy, Breaker, Flood
from agent.model.ban import Ban
from agent.model.policy import Answer, Scope
from agent.model.verdict import Finding
from agent.record.ban_events import ban_fields
from agent.record.events import Json, rfc3339
from agent.record.phrases import counted, duration

LISTED_AT_MOST = 50
"""Sources of a kind; JSON has them all."""

BANS_LISTED_AT_MOST = 10
"""Of one source."""

_WORDS = {
    Finding.EXEMPT: "exempt",
    Finding.PENDING: "its name was not known",
    Finding.OBSERVED: "the rule only observes",
    Finding.SPARED: "spared while the breaker was open",
    Finding.DEFERRED: "had to wait: heavier ones used up the bans of a cycle",
    Finding.UNPROVEN: "half-open connections prove nothing, and no SYNs pressed",
    Finding.SUSTAINING: "not above it for long enough",
}
"""What followed in place of a ban, the most telling first."""


def lines_of(outcome: Outcome) -> Iterator[str]:
    """Say what a policy would have done."""
    yield _head(outcome)
    yield from bans_lines(outcome)
    banned = {(one.ban.source, one.ban.rule) for one in outcome.bans}
    left = [one for one in outcome.sightings if (one.source, one.rule.name) not in banned]
    left = [one for one in left if _why(one)]
    if left:
        who = len({one.source for one in left})
        yield f"above a limit, and left alone: {counted(who, 'source')}"
        yield from _some(list(map(_left_alone, left)))
    if outcome.alarms:
        yield "the machine as a whole:"
        yield from _some([f"  {_moment(at)}  {_alarm(alarm)}" for at, alarm in outcome.alarms])


def bans_lines(outcome: Outcome) -> Iterator[str]:
    """Say whom it would have banned, and whom slowed down."""
    for answer, done in ((Answer.DROP, "banned"), (Answer.THROTTLE, "slowed down")):
        bans = [one for one in outcome.bans if one.ban.answer is answer]
        yield from _bans_lines(f"{done}: ", bans)


def _head(outcome: Outcome) -> str:
    policy = outcome.policy
    return (
        f"{counted(outcome.cycles, 'cycle')}, {_span(outcome.began, outcome.ended)} UTC, judged "
        f"by policy {policy.sha256[:12]} from {', '.join(policy.files)}"
    )


def _bans_lines(head: str, bans: Sequence[Served]) -> Iterator[str]:
    groups = [
        (source, list(some))
        for source, some in groupby(
            sorted(bans, key=lambda one: one.ban.source.order), key=lambda one: one.ban.source
        )
    ]
    if not groups:
        yield f"{head}nobody"
        return
    yield f"{head}{counted(len(groups), 'source')}"
    yield from _some([_banned(source, some) for source, some in groups])


def _banned(source: Source, bans: Sequence[Served]) -> str:
    rows = [f"  {source} from {' and '.join(dict.fromkeys(_from(one.ban) for one in bans))}"]
    rows += [f"    {_served(one)}" for one in bans[:BANS_LISTED_AT_MOST]]
    if len(bans) > BANS_LISTED_AT_MOST:
        last = bans[-1].ban
        more = len(bans) - BANS_LISTED_AT_MOST
        rows.append(f"    and {more} more times, the last one at {_moment(last.begins)}")
    return "\n".join(rows)


def _served(served: Served) -> str:
    ban = served.ban
    held = duration((served.ended - ban.begins).total_seconds())
    asked = duration(ban.lasts.total_seconds())
    length = f"for {asked}" if not served.why else f"for {held} of {asked} ({served.why})"
    return f"{_moment(ban.begins)}  {length}: {'; '.join(ban.reasons)}"


def _from(ban: Ban) -> str:
    return ban.service.name if ban.service and ban.scope is Scope.SERVICE else "this host"


def _left_alone(sighting: Sighting) -> str:
    rule, when = sighting.rule, _span(sighting.first, sighting.last)
    who = f"{sighting.source} ({', '.join(sighting.names)})" if sighting.names else sighting.source
    return (
        f"  {who}: {_why(sighting)}; {rule.name}: up to {sighting.peak} {rule.measure.unit}, "
        f"limit {sighting.limit}, in {counted(sighting.cycles, 'cycle')}, {when}"
    )


def _why(sighting: Sighting) -> str:
    """Say why nothing was done; empty where something was."""
    for finding, words in _WORDS.items():
        if finding in sighting.findings:
            return f"{words}{_by(sighting, finding)}"
    return ""


def _by(sighting: Sighting, finding: Finding) -> str:
    entry = sighting.entry
    if finding is Finding.EXEMPT and sighting.guard:
        return f": {sighting.guard}"
    if entry is None:
        return ""
    place = f"{entry.name}, {entry.declared_at}"
    if finding is Finding.PENDING:
        return f", it may be {place}"
    return f": {place}" if finding is Finding.EXEMPT else f", {entry.patience}x by {place}"


def _alarm(alarm: Alarm) -> str:
    match alarm:
        case Breaker():
            return f"breaker {'opened' if alarm.is_open else 'closed'}: {alarm.reason}"
        case Flood():
            over = "is over" if alarm.is_over else "began"
            return f"a flood of SYNs at {alarm.service or 'this machine'} {over}"
        case BehindProxy():
            return f"{alarm.connections} of {alarm.total} connections came from {alarm.vendor}"
        case _:
            over = "accepts in time again" if alarm.is_over else "accepts too slowly"
            return f"{alarm.service or 'an application'} {over}"


def difference_lines(found: Sequence[Difference], new: Outcome, old: Outcome) -> Iterator[str]:
    """Say what differs, each source with what follows by either policy."""
    ours, theirs = (", ".join(one.policy.files) for one in (new, old))
    if not found:
        yield f"nothing differs from {theirs}"
        return
    yield f"{counted(len(found), 'source')} treated otherwise than by {theirs}:"
    rows = [
        "\n".join((f"  {one.source}", *_treated(ours, one.new), *_treated(theirs, one.old)))
        for one in found
    ]
    yield from _some(rows)


def _treated(files: str, treated: Treated) -> Iterator[str]:
    bans, sightings = treated.bans, treated.sightings
    for one in bans[:BANS_LISTED_AT_MOST]:
        done = "banned" if one.ban.answer is Answer.DROP else "slowed down"
        yield f"    {files}: {done} from {_from(one.ban)} {_served(one)}"
    if len(bans) > BANS_LISTED_AT_MOST:
        yield f"    {files}: and {len(bans) - BANS_LISTED_AT_MOST} more times"
    reasons = [(one.rule.name, why) for one in sightings if (why := _why(one))]
    for name, why in reasons if not bans else ():
        yield f"    {files}: {name}: left alone: {why}"
    if not bans and not reasons:
        yield f"    {files}: {'watched' if sightings else 'above no limit'}"


def _some(rows: Sequence[str]) -> Iterator[str]:
    for row in rows[:LISTED_AT_MOST]:
        yield from row.split("\n")
    if len(rows) > LISTED_AT_MOST:
        yield f"  and {len(rows) - LISTED_AT_MOST} more; --json has all"


def _span(first: datetime, last: datetime) -> str:
    begins, ends = _moment(first), _moment(last)
    return begins if begins == ends else f"{begins} to {ends}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def fields_of(outcome: Outcome) -> dict[str, Json]:
    """Give all of it as JSON."""
    return {
        "policy_sha256": outcome.policy.sha256,
        "files": list(outcome.policy.files),
        "cycles": outcome.cycles,
        "began": rfc3339(outcome.began),
        "ended": rfc3339(outcome.ended),
        "bans": [_served_fields(one) for one in outcome.bans],
        "sources": [_sighting_fields(one) for one in outcome.sightings],
        "alarms": [{"at": rfc3339(at), "what": _alarm(alarm)} for at, alarm in outcome.alarms],
    }


def difference_fields(found: Iterable[Difference]) -> list[Json]:
    """Give what differs as JSON."""
    return [
        {
            "source": str(one.source),
            "new": _treated_fields(one.new),
            "old": _treated_fields(one.old),
        }
        for one in found
    ]


def _treated_fields(treated: Treated) -> dict[str, Json]:
    return {
        "bans": [_served_fields(one) for one in treated.bans],
        "sources": [_sighting_fields(one) for one in treated.sightings],
    }


def _served_fields(served: Served) -> dict[str, Json]:
    return {
        **ban_fields(served.ban),
        "begins": rfc3339(served.ban.begins),
        "ended": rfc3339(served.ended),
        "lifted": served.why or None,
    }


def _sighting_fields(one: Sighting) -> dict[str, Json]:
    return {
        "source": str(one.source),
        "rule": one.rule.name,
        "measure": one.rule.measure.name,
        "service": one.rule.service.name,
        "count": one.peak,
        "limit": one.limit,
        "cycles": one.cycles,
        "first": rfc3339(one.first),
        "last": rfc3339(one.last),
        "verdicts": {finding.value: count for finding, count in one.findings.items()},
        "allowlist": one.entry.name if one.entry else None,
        "declared_at": one.entry.declared_at if one.entry else None,
        "guard": one.guard,
        "names": list(one.names),
    }
