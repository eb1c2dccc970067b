"""An event as one line for a person: when, how loud, and a sentence."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from agent.errors import Fault
from agent.record import alarm_text
from agent.record.phrases import counted, duration, printable

Fields = Mapping[str, Any]

_COLOURS = {"debug": "2", "info": "0", "warning": "33", "error": "31"}
_BANS = {
    "ban.planned": "is about to be {done}",
    "ban.applied": "is {done}",
    "ban.would_apply": "would be {done}",
    "ban.failed": "could NOT be {done}",
    "ban.lifted": "is no longer {done}",
    "ban.expired": "is no longer {done}",
    "ban.adopted": "was {done} already",
    "ban.restored": "is {done} again for the rest of its time",
}
_DRY_BANS = _BANS | {
    "ban.planned": "would now be {done}",
    "ban.applied": "would be {done}",
    "ban.lifted": "would no longer be {done}",
    "ban.expired": "would no longer be {done}",
    "ban.restored": "would be {done} again for the rest of its time",
}


def line_of(fields: Fields, *, colour: bool) -> str:
    """Write an event as a person reads it; control characters are never passed on.

    Args:
        fields: All of the event's, ``timestamp``, ``level`` and ``event`` among them.
        colour: Whether to colour by level. Source: ECMA-48 8.3.117 (SGR).
    """
    at = datetime.fromisoformat(fields["timestamp"]).astimezone()
    line = f"{at:%H:%M:%S}  {fields['event']:<18} {sentence_of(fields)}"
    return f"\x1b[{_COLOURS[fields['level']]}m{line}\x1b[0m" if colour else line


def sentence_of(fields: Fields) -> str:
    """Write what happened, and nothing else; control characters are never passed on.

    Args:
        fields: The event's own, ``event`` and ``mode``.
    """
    return printable(_SENTENCES.get(fields["event"], _plain)(fields))


def _started(fields: Fields) -> str:
    dry = "nothing will be banned; " if fields["mode"] == "dry-run" else ""
    return (
        f"abuse-agent {fields['version']}, {fields['mode']}: {dry}rules: {fields['rules']}, "
        f"every {duration(fields['every_s'])}, firewall {fields['firewall']}"
    )


def _loaded(fields: Fields) -> str:
    notes = "".join(f"; {note}" for note in fields["notes"])
    return f"policy {fields['policy_sha256'][:12]} from {', '.join(fields['files'])}{notes}"


def _rejected(fields: Fields) -> str:
    faults = "; ".join(str(Fault(**one)) for one in fields["errors"])
    return f"the old policy stays in force: {faults}"


def _completed(fields: Fields) -> str:
    states = ", ".join(f"{name} {count}" for name, count in fields["states"].items())
    # Beside a live agent, a dry run counts that agent's bans with its own.
    taken = "taken as " if fields["mode"] == "dry-run" else ""
    parts = (
        counted(fields["sockets"], "socket") + (f" ({states})" if states else ""),
        counted(fields["sources"], "source"),
        f"{counted(fields['bans_in_force'], 'ban')} {taken}in force",
        f"{fields['cycle_ms']:.0f} ms",
    )
    return ", ".join(parts)


def _source(fields: Fields) -> str:
    kind = "" if fields["measure"] == "connections" else f"{fields['measure']} "
    connections = counted(fields["count"], f"{kind.replace('_', '-')}connection")
    return (
        f"{fields['source']}: {connections} to {fields['service']}, "
        f"limit {fields['limit']} ({fields['rule']}{_granted(fields)})"
    )


def _granted(fields: Fields) -> str:
    """Say which allowlist entry gave the limit its patience, where one did."""
    if "allowlist" not in fields or fields["verdict"] in {"exempt", "pending"}:
        return ""
    return f", {fields['grants']} by {fields['allowlist']}, {fields['declared_at']}"


def _over(fields: Fields) -> str:
    words = _VERDICTS[fields["verdict"]]
    return f"{_source(fields)}: {words.format_map(fields)}"


def _exempt(fields: Fields) -> str:
    listed = f"on the allowlist as {fields.get('allowlist')}, {fields.get('declared_at')}"
    return f"{_source(fields)}: spared: {fields.get('guard') or listed}"


def _ban(fields: Fields) -> str:
    where = fields["service"] if fields["scope"] == "service" else "this host"
    done = f"slowed down at {where}" if fields["answer"] == "throttle" else f"banned from {where}"
    is_dry = fields["mode"] == "dry-run"
    if is_dry and fields["event"] == "ban.adopted":
        return f"{fields['source']} is {done} already (read from the firewall)"
    words = (_DRY_BANS if is_dry else _BANS)[fields["event"]].format(done=done)
    for_s = f" for {duration(fields['for_s'])}" if fields["event"] in _WITH_LENGTH else ""
    over = "its time is over; it was for " if fields["event"] == "ban.expired" else ""
    error = f": {fields['error']}" if "error" in fields else ""
    return f"{fields['source']} {words}{for_s}: {over}{'; '.join(fields['reasons'])}{error}"


def _summary(fields: Fields) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in fields["verdicts"].items())
    return (
        f"near or over a limit: {fields['began']} more, {fields['ended']} no longer; "
        f"all that are, by verdict: {counts or 'none'}"
    )


def _guard(fields: Fields) -> str:
    parts = [
        f"{verb} {', '.join(map(_guarded, fields[which]))}"
        for verb, which in _GUARD_VERBS
        if fields[which]
    ]
    return "; ".join(parts)


def _guarded(one: Fields) -> str:
    services = one["services"]
    return f"{one['prefix']} from {' and '.join(services)}" if services else str(one["prefix"])


def _cut(fields: Fields) -> str:
    done = [f"{counted(fields['sockets'], 'connection')} of banned sources closed"]
    if fields["flows"]:
        done.append(f"{counted(fields['flows'], 'tracked flow')} removed")
    if "error" not in fields:
        return ", ".join(done)
    left = (
        f"{counted(fields['left'], 'is', 'are')} still open" if fields["left"] else "not all done"
    )
    return f"{', '.join(done)}; {left}: {fields['error']}"


def _moved(fields: Fields) -> str:
    return (
        f"bans are kept in {fields['firewall']} now; what an earlier run had left elsewhere is "
        f"removed: {', '.join(fields['removed'])}"
    )


def _summed_up(fields: Fields) -> str:
    """Say of very many bans at once what would have been said of each."""
    words = _BANS[fields["what"]].format(done="banned")
    error = f": {fields['error']}" if "error" in fields else ""
    return f"{fields['bans']} sources, each {words}{error}"


def _healed(fields: Fields) -> str:
    parts = [", ".join(fields["missing"])] if fields["missing"] else []
    bans = [f"bans: {fields['bans']}"] if fields["bans"] else []
    return f"somebody had removed what is ours; it is back: {', '.join((*parts, *bans))}"


_LAST_TENTH = "; the last tenth is for those above three times their limit"


def _filling(fields: Fields) -> str:
    full = "; new sources have to wait" if fields["event"] == "set.full" else _LAST_TENTH
    return f"bans in force: {fields['bans']}, and max_bans is {fields['most']}{full}"


def _plain(fields: Fields) -> str:
    """For what has no sentence of its own: its fields, as they are."""
    head = {"timestamp", "level", "event", "mode", "cycle"}
    return ", ".join(f"{name} {value}" for name, value in fields.items() if name not in head)


_GUARD_VERBS = (("will never ban", "added"), ("no longer guards", "removed"))
_WITH_LENGTH = frozenset({"ban.planned", "ban.applied", "ban.would_apply", "ban.failed"})
_VERDICTS = {
    "ban": "above it for long enough",
    "throttle": "above it for long enough",
    "unproven": "left alone: such packets can be forged, and no SYNs press at {service}, or it is "
    "a client of the last hour",
    "sustaining": "watched: not above it for long enough yet",
    "held": "banned already",
    "deferred": "has to wait: this cycle's bans are used up by heavier ones",
    "spared": "spared while the breaker is open",
    "pending": "left alone: it may be {allowlist}, {declared_at}, and that is not known",
    "observed": "would be banned, but the rule only observes",
    "warned": "near the limit",
}
_SENTENCES: dict[str, Callable[[Fields], str]] = {
    "agent.started": _started,
    "policy.loaded": _loaded,
    "policy.rejected": _rejected,
    "cycle.completed": _completed,
    "cycle.failed": lambda fields: f"in {fields['stage']}: {fields['error']}; the next one comes",
    "cycle.missed": lambda fields: f"this cycle began {duration(fields['late_s'])} late",
    "agent.degraded": lambda fields: f"the ledger can't be written: {fields['reason']}; bans go on",
    "agent.recovered": lambda _fields: "the ledger can be written again",
    "ledger.rebuilt": lambda fields: f"it was damaged; the old file is {fields['damaged']}",
    "lift.failed": lambda fields: f"{fields['source']} could NOT be let go: {fields['error']}",
    "bans.summary": _summed_up,
    "firewall.healed": _healed,
    "firewall.moved": _moved,
    "sockets.cut": _cut,
    "set.filling": _filling,
    "set.full": _filling,
    "agent.stopped": lambda fields: f"{fields['reason']}",
    "source.over_limit": _over,
    "source.back_below": lambda fields: f"{_source(fields)}: no longer near the limit",
    "source.exempt": _exempt,
    "sources.summary": _summary,
    "guard.changed": _guard,
    "identify.troubled": lambda fields: f"not everybody can be identified: {fields['reason']}",
    "identify.recovered": lambda _fields: "everybody can be identified again",
    "tape.troubled": lambda fields: f"the tape, for replay: {fields['reason']}",
    "tape.recovered": lambda _fields: "cycles are recorded for replay again",
    "flood.suspected": alarm_text.flood,
    "flood.ended": alarm_text.flood,
    "backlog.full": alarm_text.slow,
    "backlog.drained": alarm_text.slow,
    "breaker.opened": alarm_text.breaker,
    "breaker.closed": alarm_text.breaker,
    "proxy.suspected": alarm_text.behind_proxy,
    **dict.fromkeys(_BANS, _ban),
}
