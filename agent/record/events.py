"""Everything that happens, as one event each: pure, names and fields by the contract.

What happens to bans is in `agent.record.ban_events`.

An event is told once, when something begins or ends. Above `SUMMARY_ABOVE`
sources in a cycle, or more than a minute's budget, one summary replaces their
lines, so that nobody can fill a log from outside; bans are always told one by one:
each needs a source of its own, and a cycle's are capped.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import TypeAlias

from agent.errors import Fault
from agent.model.address import Prefix, is_host
from agent.model.inputs import Guard, Surroundings
from agent.model.plan import Decision
from agent.model.policy import SSH, AllowEntry, Policy
from agent.model.sample import Sample
from agent.model.verdict import Finding, Verdict

SUMMARY_ABOVE = 100

Json: TypeAlias = str | int | float | bool | Sequence["Json"] | Mapping[str, "Json"] | None


class Level(IntEnum):
    """How loud; the numbers are those of the standard library's logging."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        name: By the contract.
        fields: Its own; what every event carries is added where it is written.
        level: How loud.
    """

    name: str
    fields: Mapping[str, Json] = field(default_factory=dict)
    level: Level = Level.INFO


def agent_started(version: str, policy: Policy, firewall: str) -> Event:
    """The agent begins to run cycles."""
    return Event(
        "agent.started",
        {
            "version": version,
            "policy_sha256": policy.sha256,
            "firewall": firewall,
            "every_s": policy.every.total_seconds(),
            "rules": len(policy.rules),
        },
    )


def agent_stopped(version: str, policy: Policy, firewall: str, reason: str) -> Event:
    """The agent ends; `reason` says why."""
    return Event(
        "agent.stopped",
        {
            "version": version,
            "policy_sha256": policy.sha256,
            "firewall": firewall,
            "reason": reason,
        },
    )


def policy_loaded(policy: Policy) -> Event:
    """A policy is in force from the next cycle on."""
    return Event(
        "policy.loaded",
        {"files": policy.files, "policy_sha256": policy.sha256, "notes": policy.notes},
        Level.WARNING if policy.notes else Level.INFO,
    )


def policy_rejected(paths: Sequence[str], policy: Policy, faults: Iterable[Fault]) -> Event:
    """A policy has faults; the one before it stays in force."""
    errors: list[Json] = [
        {
            "file": fault.file,
            "line": fault.line,
            "column": fault.column,
            "path": fault.path,
            "problem": fault.problem,
        }
        for fault in faults
    ]
    return Event(
        "policy.rejected",
        {"files": tuple(paths), "policy_sha256": policy.sha256, "errors": errors},
        Level.ERROR,
    )


def cycle_completed(
    sample: Sample, sources: int, times_ms: Mapping[str, float], bans: int
) -> Event:
    """A cycle is over.

    Args:
        sample: What it saw.
        sources: Different remote addresses on listening ports.
        times_ms: ``sample_ms`` and ``cycle_ms``.
        bans: In force after it.
    """
    states = {state.name: count for state, count in sorted(sample.states.items())}
    return Event(
        "cycle.completed",
        {
            "sockets": sample.sockets,
            "sources": sources,
            "states": states,
            **{name: round(value, 3) for name, value in times_ms.items()},
            "bans_in_force": bans,
        },
        Level.DEBUG,
    )


def cycle_failed(stage: str, error: str) -> Event:
    """A cycle broke off; the next one comes all the same."""
    return Event("cycle.failed", {"stage": stage, "error": error}, Level.ERROR)


def cycle_missed(late_s: float) -> Event:
    """One or more cycles did not begin when they should have."""
    return Event("cycle.missed", {"late_s": round(late_s, 3)}, Level.WARNING)


def guard_changed(before: Surroundings, after: Surroundings) -> Iterator[Event]:
    """The addresses that the agent guards by itself are others than before."""
    old, new = set(before.guards), set(after.guards)
    if old != new:
        added = [_guard(guard) for guard in after.guards if guard not in old]
        removed = [_guard(guard) for guard in before.guards if guard not in new]
        yield Event("guard.changed", {"added": added, "removed": removed})


def sources_changed(decision: Decision, affords: Callable[[int], bool]) -> Iterator[Event]:
    """Sources came near or above a limit, or are no longer.

    Args:
        decision: The cycle's.
        affords: Whether so many lines may be written; if not, there is a summary.
    """
    lines = len(decision.began) + len(decision.ended)
    sources = {verdict.source for verdict in (*decision.began, *decision.ended)}
    if lines and (len(sources) > SUMMARY_ABOVE or not affords(lines)):
        verdicts = Counter(verdict.finding.value for verdict in decision.verdicts)
        yield Event(
            "sources.summary",
            {
                "verdicts": dict(sorted(verdicts.items())),
                "began": len(decision.began),
                "ended": len(decision.ended),
            },
            Level.WARNING,
        )
        return
    yield from (_over_limit(verdict) for verdict in decision.began)
    yield from (Event("source.back_below", _verdict(verdict)) for verdict in decision.ended)


def firewall_healed(missing: Sequence[str], bans: int) -> Event:
    """Somebody had removed what is ours; it is back.

    Args:
        missing: What had to be made again, by name.
        bans: How many bans were missing.
    """
    return Event("firewall.healed", {"missing": missing, "bans": bans}, Level.WARNING)


def firewall_moved(firewall: str, removed: Sequence[str]) -> Event:
    """What an earlier run left in another firewall was removed.

    Args:
        firewall: That is in use now.
        removed: By name, with the other firewall's first.
    """
    return Event("firewall.moved", {"firewall": firewall, "removed": removed}, Level.WARNING)


def degraded(version: str, policy: Policy, firewall: str, reason: str | None) -> Event:
    """The ledger can't be written any more; without a reason it can again."""
    fields: dict[str, Json] = {
        "version": version,
        "policy_sha256": policy.sha256,
        "firewall": firewall,
    }
    if reason is None:
        return Event("agent.recovered", fields)
    return Event("agent.degraded", {**fields, "reason": reason}, Level.ERROR)


def ledger_rebuilt(damaged: str) -> Event:
    """The ledger was damaged; a new one is made of what the firewall holds.

    Args:
        damaged: Where the old file is now.
    """
    return Event("ledger.rebuilt", {"missing": [], "damaged": damaged}, Level.ERROR)


def set_filling(bans: int, most: int) -> Event:
    """The bans in force come near what the policy allows, or have reached it."""
    name = "set.full" if bans >= most else "set.filling"
    return Event(name, {"fill": round(bans / most, 3), "bans": bans, "most": most}, Level.WARNING)


def rfc3339(moment: datetime) -> str:
    """Write an aware moment in UTC, to the microsecond. Source: RFC 3339 5.6."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_QUIET = frozenset({Finding.WARNED, Finding.SUSTAINING, Finding.EXEMPT})


def _over_limit(verdict: Verdict) -> Event:
    name = "source.exempt" if verdict.finding is Finding.EXEMPT else "source.over_limit"
    level = Level.INFO if verdict.finding in _QUIET else Level.WARNING
    return Event(name, _verdict(verdict), level)


def _verdict(verdict: Verdict) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "source": str(verdict.source),
        "rule": verdict.rule.name,
        "measure": verdict.rule.measure.name,
        "count": verdict.count,
        "limit": verdict.limit,
        "service": verdict.rule.service.name,
        "verdict": verdict.finding.value,
    }
    if verdict.guard is not None:
        fields["guard"] = verdict.guard
    elif verdict.entry is not None:
        fields |= {
            "allowlist": verdict.entry.name,
            "declared_at": verdict.entry.declared_at,
            "grants": grants_text(verdict.entry),
        }
    return fields


def grants_text(entry: AllowEntry) -> str:
    """What an entry grants, as the policy writes it."""
    return "exempt" if entry.patience is None else f"{entry.patience}x"


def _guard(guard: Guard) -> dict[str, Json]:
    services = [SSH] if guard.only_ssh else None
    return {"prefix": prefix_text(guard.prefix), "why": guard.why, "services": services}


def prefix_text(prefix: Prefix) -> str:
    """The bare address for a host, ``address/length`` for anything wider."""
    return str(prefix.network_address) if is_host(prefix) else str(prefix)
