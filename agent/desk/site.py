"""Everything that a command by hand works on: policy, ledger, firewall and what is guarded.

With an agent running, a command uses that agent's policy and firewall; without one it uses
the policy that the last agent ran with. Either way it sees to it itself that the firewall is
prepared, so that a ban by hand holds, and ends, on a machine where no agent runs.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from agent.act.choose import leave_others, open_firewall
from agent.act.cut.cutting import cut
from agent.act.privilege import demand
from agent.desk.spared import read_spared
from agent.desk.where import Where
from agent.enact import Accord, Hands
from agent.errors import BusyError, PolicyError, StateError
from agent.model.ban import Installed
from agent.model.inputs import Permit, Spared
from agent.model.policy import Policy
from agent.policy import PolicyText, default_paths, load_policy, parse_policy
from agent.record import events
from agent.record.events import Event
from agent.record.ledger import Ledger, News
from agent.record.locks import Agent, running, running_here
from agent.record.sqlite.file import NAME
from agent.record.sqlite.ledger import open_ledger
from agent.record.sqlite.look import look_into
from agent.record.texts import read_texts
from agent.record.turns import writer_lock

PATIENCE_S = 10.0
"""How long a command waits for a cycle, or another command, to be over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What `Where` leads to, open and locked.

    Attributes:
        agent: The running one; None when none is.
        policy: In force.
        ledger: Of the state directory.
        accord: What keeps firewall and ledger in accord.
        spare: From the permits that hold to all whom no ban may reach beside what the
            policy lists.
        news: What happened; in the order it did.
        now: The moment.
    """

    agent: Agent | None
    policy: Policy
    ledger: Ledger
    accord: Accord
    spare: Callable[[Iterable[Permit]], Spared]
    news: list[Event] = field(default_factory=list)
    now: datetime

    @property
    def spared(self) -> Spared:
        """Whom no ban may reach beside what the policy lists: as things stand by now."""
        return self.spare(self.ledger.permits(self.now))

    def installed(self) -> Installed:
        """Give what the firewall holds, with the allow set as it has to be.

        Raises:
            FirewallError: It can't be read, or does not hold the allow set.
        """
        return self.accord.installed(self.policy, self.spared, News(), self.now)


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
    demand("CAP_NET_ADMIN")
    agent_of(where)
    begun = where.stopwatch()
    with writer_lock(where.folder, PATIENCE_S):
        # Only now: while this waited the agent may have read another policy, or started.
        agent, policy = policy_of(where)
        firewall = open_firewall(firewall_of(where, agent))
        now = where.now + timedelta(seconds=where.stopwatch() - begun)
        news: list[Event] = []
        if agent is None and (left := leave_others(firewall)):
            news.append(events.firewall_moved(firewall.name, left))
        ledger = open_ledger(
            where.folder, boot_id=where.boot_id, stopwatch=where.stopwatch, now=now
        )
        hands = Hands(firewall=firewall, ledger=ledger, cut=cut, tell=news.append)
        yield Site(
            agent=agent,
            policy=policy,
            ledger=ledger,
            accord=Accord(hands, where.stopwatch),
            spare=partial(read_spared, where.folder, policy, now=now),
            news=news,
            now=now,
        )


def policy_of(where: Where) -> tuple[Agent | None, Policy]:
    """Give the running agent and the policy in force, whatever the files say by now.

    That is the running agent's, else the one that the last agent ran with: what it has
    exempted stays exempt.

    Raises:
        BusyError: Another policy was asked for than the agent runs with, or another agent
            has the firewall.
        PolicyError: The policy is wrong.
        StateError: This user may not look into the state directory.
    """
    agent = agent_of(where)
    kept = None if where.paths else _kept_policy(where)
    if agent is None:
        return None, kept or load_policy(where.paths or default_paths())
    if kept is not None and kept.sha256 == agent.policy_sha256:
        return agent, kept
    policy = load_policy(where.paths or agent.policies)
    if agent.policy_sha256 != policy.sha256:
        raise BusyError(
            f"the agent (pid {agent.pid}) runs with another policy than {', '.join(policy.files)}; "
            "nothing was changed: leave out --policy, or have the agent reload it first"
        )
    return agent, policy


def agent_of(where: Where) -> Agent | None:
    """Give the agent that runs with this state directory; None when none does.

    Raises:
        BusyError: None does, but an agent with another directory has the firewall.
        StateError: This user may not look into the state directory.
    """
    agent, other = running(where.folder), running_here()
    if agent is None and other is not None:
        raise BusyError(
            f"an agent (pid {other.pid}) runs here, but not with {where.folder}: "
            "name its state directory with --state-dir"
        )
    return agent


def look_at_ledger(where: Where) -> Ledger | None:
    """Give a copy of the ledger for a listing; None where nobody ever kept one.

    Raises:
        BusyError: Somebody else keeps it locked.
        StateError: This user may not look into it, or it is damaged: it is left as it is.
    """
    return look_into(where.folder, boot_id=where.boot_id, stopwatch=where.stopwatch, now=where.now)


def ledger_of(where: Where) -> Ledger | None:
    """Give the ledger, to be changed; None where no agent and no command ever kept one.

    Raises:
        StateError: This user may not look into the state directory, or the ledger can't be used.
    """
    try:
        is_there = (where.folder / NAME).exists()
    except OSError as error:
        raise StateError(f"this user may not look into {where.folder}: run it as root") from error
    if not is_there:
        return None
    return open_ledger(
        where.folder, boot_id=where.boot_id, stopwatch=where.stopwatch, now=where.now
    )


def firewall_of(where: Where, agent: Agent | None) -> str:
    """Give the firewall to open: the running agent's, else the one asked for.

    Raises:
        BusyError: Another one was asked for than the running agent uses.
    """
    if agent is None:
        return where.firewall or "auto"
    if where.firewall not in {None, "auto", agent.firewall}:
        raise BusyError(f"the agent (pid {agent.pid}) uses {agent.firewall}: leave out --firewall")
    return agent.firewall


def _kept_policy(where: Where) -> Policy | None:
    """Give the policy that the last agent wrote down."""
    texts = tuple(
        PolicyText(file=one.file, folder=one.folder, raw=one.text.encode())
        for one in read_texts(where.folder)
    )
    try:
        return parse_policy(texts) if texts else None
    except PolicyError:
        return None
