"""What is in force, who is guarded, how the agent does: no firewall is looked into."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.decide.grants import prefixes_of
from agent.desk.site import agent_of, look_at_ledger, policy_of
from agent.desk.spared import read_spared
from agent.desk.where import Where
from agent.errors import BusyError, PolicyError
from agent.model.address import Prefix
from agent.model.ban import Ban
from agent.model.inputs import Guard, Permit, Spared
from agent.model.policy import SSH, AllowEntry, Kind, Policy
from agent.record.ledger import Ledger
from agent.record.locks import Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How things stand.

    Attributes:
        agent: The running one; None when none is.
        bans: In force, as the ledger has them; the longest to go first.
        permits: Whom an operator let pass.
        now: The moment.
    """

    agent: Agent | None
    bans: tuple[Ban, ...]
    permits: tuple[Permit, ...]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """Somebody whom no ban may reach.

    Attributes:
        prefix: Who; None when only a name tells.
        why: What it is, and who says so.
        until: When that ends; None for never, or for as long as it is found.
        services: For which services only; empty for all.
        entry: The allowlist entry that says so; None for what the agent found or was told by hand.
    """

    prefix: Prefix | None
    why: str
    until: datetime | None = None
    services: tuple[str, ...] = ()
    entry: AllowEntry | None = None


def status(where: Where) -> Status:
    """Tell how things stand; nothing is in force where no agent ever kept a ledger.

    Raises:
        BusyError: An agent runs here, but with another state directory.
        StateError: This user may not look, or the ledger can't be used.
    """
    agent, ledger = agent_of(where), look_at_ledger(where)
    return Status(
        agent=agent,
        bans=_in_force(ledger, where.now) if ledger else (),
        permits=ledger.permits(where.now) if ledger else (),
        now=where.now,
    )


def bans(where: Where) -> tuple[Ban, ...]:
    """Give the bans in force, the longest to go first.

    Raises:
        BusyError: An agent runs here, but with another state directory.
        StateError: This user may not look, or the ledger can't be used.
    """
    return status(where).bans


def guarded(where: Where) -> tuple[Safe, ...]:
    """Give whom no ban may reach: guards by their prefixes, then the policy's infrastructure.

    Raises:
        BusyError: An agent runs here, but with another state directory.
        StateError: This user may not look, or the ledger can't be used.
    """
    permits, policy = status(where).permits, _policy(where)
    spared = read_spared(where.folder, policy, permits, where.now)
    guards = tuple(map(_guard, spared.surroundings.guards))
    return (*guards, *infrastructure(policy, spared, where.now)) if policy else guards


def infrastructure(policy: Policy, spared: Spared, now: datetime) -> Iterator[Safe]:
    """Give what belongs to the policy's exempt infrastructure, as far as that is known by now."""
    for entry in policy.allowlist:
        is_over = entry.until is not None and entry.until <= now
        if entry.kind is not Kind.INFRASTRUCTURE or entry.patience is not None or is_over:
            continue
        for prefix in prefixes_of(entry, spared):
            yield _infrastructure(entry, prefix)
        for domain in entry.names:
            yield _infrastructure(entry, None, f"confirmed names below {domain}")
        if not spared.found.get(entry.name):
            for source in (*entry.ranges, *entry.hosts):
                yield _infrastructure(entry, None, f"{source}, of which nothing is known by now")


def _guard(guard: Guard) -> Safe:
    services = (SSH,) if guard.only_ssh else ()
    return Safe(prefix=guard.prefix, why=guard.why, until=guard.until, services=services)


def _infrastructure(entry: AllowEntry, prefix: Prefix | None, what: str = "") -> Safe:
    why = f"infrastructure {entry.name} ({entry.declared_at})"
    return Safe(
        prefix=prefix,
        why=f"{why}: {what}" if what else why,
        until=entry.until,
        services=tuple(sorted(entry.services)),
        entry=entry,
    )


def _policy(where: Where) -> Policy | None:
    """Give the policy in force; None where it can't be told: guards are listed all the same."""
    try:
        return policy_of(where)[1]
    except (PolicyError, BusyError):
        return None


def _in_force(ledger: Ledger, now: datetime) -> tuple[Ban, ...]:
    alive = [ban for ban in ledger.in_force() if ban.rest(now)]
    return tuple(sorted(alive, key=lambda ban: (-ban.rest(now), ban.source.order)))
