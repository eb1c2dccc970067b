"""Everything that a command by hand works on: policy, ledger, firewall and what is guarded.

With an agent running, a command uses that agent's policy and firewall and leaves their
upkeep to it; without one it prepares the firewall itself, so that a ban by hand holds, and
ends, on a machine where no agent runs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.act.choose import open_firewall
from agent.act.cut import cut
from agent.enact import Accord, Hands
from agent.errors import BusyError
from agent.loop import with_permits
from agent.model.ban import Installed
from agent.model.inputs import Surroundings
from agent.model.policy import Policy
from agent.observe.surroundings import read_surroundings
from agent.policy import default_paths, load_policy
from agent.record.events import Event
from agent.record.ledger import Ledger, News
from agent.record.locks import Agent, running, writer_lock
from agent.record.sqlite import open_ledger

PATIENCE_S = 10.0
"""How long a command waits for a cycle, or another command, to be over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where a command looks for things, and by which clock.

    Attributes:
        folder: The state directory.
        paths: Of the policy; empty for the running agent's, else the usual ones.
        firewall: ``auto``, ``iptables``, ``nftables``; None for the running agent's, else auto.
        now: The moment; aware, UTC.
        stopwatch: Seconds that only grow.
        boot_id: Of this boot.
    """

    folder: Path
    paths: tuple[str, ...]
    firewall: str | None
    now: datetime
    stopwatch: Callable[[], float]
    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What `Where` leads to, open and locked.

    Attributes:
        agent: The running one; None when none is.
        policy: In force.
        ledger: Of the state directory.
        accord: What keeps firewall and ledger in accord.
        found: What the agent would guard, without the permits.
        news: What happened; in the order it did.
        now: The moment.
    """

    agent: Agent | None
    policy: Policy
    ledger: Ledger
    accord: Accord
    found: Surroundings
    news: list[Event] = field(default_factory=list)
    now: datetime

    @property
    def surroundings(self) -> Surroundings:
        """Whom no ban may reach: what was found, and whom an operator let pass."""
        return with_permits(self.found, self.ledger.permits(self.now))

    def installed(self) -> Installed:
        """Give what the firewall holds, with the allow set as it has to be.

        Raises:
            FirewallError: It can't be read, or does not hold the allow set.
        """
        return self.accord.installed(self.policy, self.surroundings, News(), self.now)


@contextmanager
def open_site(where: Where) -> Iterator[Site]:
    """Open everything, and keep the agent and other commands out meanwhile.

    Raises:
        BusyError: A cycle or a command did not end in ten seconds, or the running agent
            uses another policy than the files hold.
        PolicyError: The policy is wrong.
        StateError: The state directory or the ledger can't be used.
        FirewallError: The firewall is not there, or not for this process.
    """
    agent, policy = policy_of(where)
    firewall = open_firewall(firewall_of(where, agent))
    with writer_lock(where.folder, PATIENCE_S):
        ledger = open_ledger(
            where.folder, boot_id=where.boot_id, stopwatch=where.stopwatch, now=where.now
        )
        news: list[Event] = []
        hands = Hands(firewall=firewall, ledger=ledger, cut=cut, tell=news.append)
        yield Site(
            agent=agent,
            policy=policy,
            ledger=ledger,
            accord=Accord(hands, where.stopwatch),
            found=read_surroundings(),
            news=news,
            now=where.now,
        )


def policy_of(where: Where) -> tuple[Agent | None, Policy]:
    """Give the running agent and the policy in force; they have to agree.

    Raises:
        BusyError: The files hold another policy than the agent runs with.
        PolicyError: The policy is wrong.
    """
    agent = running(where.folder)
    policy = load_policy(where.paths or (agent.policies if agent else ()) or default_paths())
    if agent is not None and agent.policy_sha256 != policy.sha256:
        raise BusyError(
            f"the agent (pid {agent.pid}) runs with another policy than {', '.join(policy.files)}: "
            "reload it first, or name its policy with --policy"
        )
    return agent, policy


def firewall_of(where: Where, agent: Agent | None) -> str:
    """Give the firewall to open: the one asked for, else the running agent's."""
    return where.firewall or (agent.firewall if agent else "auto")
