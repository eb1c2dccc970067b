"""What is in force, who is guarded, how the agent does: no firewall is looked into."""

from dataclasses import dataclass
from datetime import datetime

from agent.desk.site import Where
from agent.errors import StateError
from agent.loop import with_permits
from agent.model.ban import Ban
from agent.model.inputs import Permit, Surroundings
from agent.observe.surroundings import read_surroundings
from agent.record.ledger import Ledger
from agent.record.locks import Agent, running
from agent.record.sqlite import open_ledger
from agent.record.sqlite_file import NAME


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


def status(where: Where) -> Status:
    """Tell how things stand; nothing is in force where no agent ever kept a ledger.

    Raises:
        StateError: This user may not look, or the ledger can't be used.
    """
    ledger = _ledger(where) if (where.folder / NAME).exists() else None
    return Status(
        agent=running(where.folder),
        bans=_in_force(ledger, where.now) if ledger else (),
        permits=ledger.permits(where.now) if ledger else (),
        now=where.now,
    )


def bans(where: Where) -> tuple[Ban, ...]:
    """Give the bans in force, the longest to go first.

    Raises:
        StateError: There is no ledger, or it can't be used.
    """
    return _in_force(_ledger(where), where.now)


def guarded(where: Where) -> Surroundings:
    """Give whom no ban may reach; without a ledger those that the agent finds by itself.

    Raises:
        StateError: The ledger is there and can't be used.
    """
    found = read_surroundings()
    if not (where.folder / NAME).exists():
        return found
    return with_permits(found, _ledger(where).permits(where.now))


def _ledger(where: Where) -> Ledger:
    if not (where.folder / NAME).exists():
        raise StateError(f"no ledger in {where.folder}: has the agent run yet? (--state-dir)")
    return open_ledger(
        where.folder, boot_id=where.boot_id, stopwatch=where.stopwatch, now=where.now
    )


def _in_force(ledger: Ledger, now: datetime) -> tuple[Ban, ...]:
    alive = [ban for ban in ledger.in_force() if ban.rest(now)]
    return tuple(sorted(alive, key=lambda ban: (-ban.rest(now), ban.source.order)))
