"""What ``abuse-agent explain`` prints as JSON: stable keys, null where something is unknown."""

from datetime import datetime

from agent.desk.explain.answer import answer
from agent.desk.explain.follows import follows
from agent.desk.explain.values import (
    Counts,
    Explanation,
    Kept,
    Listed,
    Past,
    Peak,
    Present,
    Ruling,
    Taped,
    Who,
)
from agent.model.ban import Held
from agent.model.inputs import Guard
from agent.model.policy import AllowEntry, Scope
from agent.observe.peers import Peers, Queues
from agent.record.ban_events import ban_fields
from agent.record.events import Json, prefix_text, rfc3339
from agent.record.sqlite.earlier import Earlier


def fields_of(told: Explanation, taped: Taped | None, why: str) -> dict[str, Json]:
    """Give all of it."""
    agent, policy = told.agent, told.policy
    unread = {**told.unread, **({"tape": why} if why else {})}
    is_blind = "sockets" in told.unread
    return {
        "source": str(told.source),
        "judged_as": str(told.line),
        "answer": answer(told),
        "at": rfc3339(told.now),
        "agent": None if agent is None else {"pid": agent.pid, "version": agent.version},
        "policy": {"files": policy.files, "sha256": policy.sha256},
        "who": _who(told.who),
        "now": None if is_blind else _present(told.present),
        "rules": None if is_blind else [_ruling(one) for one in told.rulings],
        "bans": None if told.past is None else _past(told.past, told.now),
        "firewall": None if told.kept is None else _kept(told.kept),
        "tape": None if taped is None else _taped(taped),
        "unread": unread,
    }


def _who(who: Who) -> dict[str, Json]:
    owners = who.owners
    processes = owners.sockets.items() if owners else ()
    return {
        "guards": [_guard(one) for one in who.guards],
        "allowlist": [_listed(one) for one in who.listed],
        "may_be": [_entry(one) for one in who.may_be],
        "names": [
            {"address": str(address), "names": one.names, "at": rfc3339(one.at)}
            for address, one in who.names
        ],
        "vendors": who.vendors,
        "processes": None
        if owners is None
        else [{"pid": pid, "name": name, "sockets": count} for (pid, name), count in processes],
        "sockets_unowned": owners.unknown if owners else None,
        "processes_hidden": owners.hidden if owners else None,
    }


def _guard(guard: Guard) -> dict[str, Json]:
    return {
        "prefix": prefix_text(guard.prefix),
        "why": guard.why,
        "until": _moment(guard.until),
        "only_ssh": guard.only_ssh,
    }


def _entry(entry: AllowEntry) -> dict[str, Json]:
    return {
        "name": entry.name,
        "kind": entry.kind.value,
        "declared_at": entry.declared_at,
        "grants": "exempt" if entry.patience is None else f"{entry.patience}x",
        "services": sorted(entry.services) or None,
        "until": _moment(entry.until),
    }


def _listed(one: Listed) -> dict[str, Json]:
    return {**_entry(one.entry), "prefix": prefix_text(one.prefix), "is_over": one.is_over}


def _present(present: Present) -> dict[str, Json]:
    peers = present.peers
    return {
        "sockets": _counts(present.own),
        "judged_sockets": _counts(present.line),
        "queues": None if peers is None else _queues(peers.inbound),
        "outgoing": None if peers is None else _outgoing(peers),
        "outgoing_queues": None if peers is None else _queues(peers.outbound),
    }


def _counts(counts: Counts) -> list[Json]:
    return [
        {"service": place, "state": state.name, "count": count}
        for (place, state), count in counts.items()
    ]


def _outgoing(peers: Peers) -> list[Json]:
    return [
        {"port": port, "state": state.name, "count": count}
        for (state, port), count in sorted(peers.outgoing.items())
    ]


def _queues(queues: Queues) -> dict[str, Json]:
    return {
        "unread_bytes": queues.unread,
        "unread_most_bytes": queues.unread_most,
        "unsent_bytes": queues.unsent,
        "unsent_most_bytes": queues.unsent_most,
    }


def _ruling(ruling: Ruling) -> dict[str, Json]:
    weight, rule = ruling.weight, ruling.weight.rule
    entry = weight.grant.entry
    return {
        "rule": rule.name,
        "declared_at": rule.declared_at,
        "service": rule.service.name,
        "measure": rule.measure.name,
        "source": str(weight.source),
        "count": weight.count,
        "limit": weight.limit,
        "rule_limit": rule.limit,
        "patience": weight.grant.patience,
        "is_above": weight.is_above,
        "is_proven": weight.is_proven,
        "hosts": weight.hosts,
        "hosts_needed": rule.members,
        "samples": ruling.samples or None,
        "samples_above": weight.above if ruling.samples else None,
        "samples_needed": rule.sustained.times,
        "samples_of": rule.sustained.of,
        "finding": weight.finding.value if weight.finding and weight.is_above else None,
        "answer": rule.answer.value,
        "scope": rule.scope.value,
        "for_s": round(weight.lasts.total_seconds(), 3),
        "mode": rule.mode.value,
        "allowlist": entry.name if entry else None,
        "allowlist_declared_at": entry.declared_at if entry else None,
        "guard": weight.grant.guard,
        "follows": follows(ruling),
        "unknown": ruling.unknown or None,
    }


def _past(past: Past, now: datetime) -> dict[str, Json]:
    return {
        "in_force": [
            {**ban_fields(ban), "left_s": round(ban.rest(now).total_seconds(), 3)}
            for ban in past.in_force
        ],
        "earlier": [_earlier(one) for one in past.earlier],
        "permits": [
            {"prefix": prefix_text(one.prefix), "until": rfc3339(one.until), "why": one.why}
            for one in past.permits
        ],
    }


def _earlier(one: Earlier) -> dict[str, Json]:
    return {
        **ban_fields(one.ban),
        "began": rfc3339(one.ban.begins),
        "ended": rfc3339(one.ended),
        "how": one.how.value,
    }


def _kept(kept: Kept) -> dict[str, Json]:
    return {
        "name": kept.firewall,
        "bans": [_held(one) for one in kept.bans],
        "allowed": [prefix_text(one) for one in kept.allowed],
        "sets": [
            {
                "name": one.name,
                "elements": one.elements,
                "packets_of_all": one.packets,
                "bytes_of_all": one.size_bytes,
            }
            for one in kept.traffic
        ],
    }


def _held(held: Held) -> dict[str, Json]:
    scope, service, done = held.target
    return {
        "source": str(held.source),
        "answer": done.value,
        "scope": scope.value,
        "service": service if scope is Scope.SERVICE else None,
        "left_s": None if held.left is None else round(held.left.total_seconds(), 3),
        "ban_id": held.mark.ban_id if held.mark else None,
        "rule": held.mark.rule if held.mark else None,
    }


def _taped(taped: Taped) -> dict[str, Json]:
    return {
        "moments": taped.frames,
        "begins": _moment(taped.begins),
        "ends": _moment(taped.ends),
        "floor": taped.floor,
        "seen": taped.seen,
        "first": _moment(taped.first),
        "last": _moment(taped.last),
        "peaks": [
            {"service": place, "state": state.name, **_peak(peak)}
            for (place, state), peak in taped.peaks.items()
        ],
        "above": {
            name: {
                "moments": one.cycles,
                "first": rfc3339(one.first),
                "last": rfc3339(one.last),
                "most": _peak(one.most),
            }
            for name, one in taped.above.items()
        },
    }


def _peak(peak: Peak) -> dict[str, Json]:
    return {"count": peak.count, "at": rfc3339(peak.at)}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
