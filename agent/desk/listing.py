"""What is in force, who is guarded, how the agent does: no firewall is looked into."""

from dataclasses import dataclass
from datetime import datetime

from agent.desk.site import Where, agent_of, look_at_ledger, policy_of
from agent.desk.spared import read_spared
from agent.errors import PolicyError
from agent.model.ban import Ban
from agent.model.inputs import Permit, Surroundings
from agent.model.policy import Policy
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


def guarded(where: Where) -> Surroundings:
    """Give whom no ban may reach, whatever the policy says.

    Raises:
        BusyError: An agent runs here, but with another state directory.
        StateError: This user may not look, or the ledger can't be used.
    """
    permits = status(where).permits
    return read_spared(where.folder, _policy(where), permits, where.now).surroundings


def _policy(where: Where) -> Policy | None:
    """Give the policy in force, for the administrators that it names."""
    try:
        return policy_of(where)[1]
    except PolicyError:
        return None


def _in_force(ledger: Ledger, now: datetime) -> tuple[Ban, ...]:
    alive = [ban for ban in ledger.in_force() if ban.rest(now)]
    return tuple(sorted(alive, key=lambda ban: (-ban.rest(now), ban.source.order)))
