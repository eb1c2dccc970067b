"""Everything that is known of one source, looked up; what can't be had is told with its reason."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias, TypeVar

from agent.decide import Memory, allow_set
from agent.decide.grants import grants_of
from agent.decide.weigh import scales_for, widest_of
from agent.desk.explain.kept import ReadBack, read_kept
from agent.desk.explain.known import joined, known_by, with_names
from agent.desk.explain.pace import Pace, pace_of, window_of
from agent.desk.explain.present import counts_of
from agent.desk.explain.recorded import Recorded, read_recorded
from agent.desk.explain.values import Explanation, Present, Ruling, Who
from agent.desk.explain.who import who_is
from agent.desk.site import agent_of, policy_of
from agent.desk.spared import read_spared
from agent.desk.where import Where
from agent.errors import FirewallError, ObserveError, StateError
from agent.identify.vendors import read_vendors
from agent.model.address import Prefix, Source, is_host, line_of
from agent.model.ban import Installed
from agent.model.frame import Frame
from agent.model.inputs import Inputs
from agent.model.learned import Learned
from agent.model.policy import Policy
from agent.model.sample import Sample
from agent.observe.choose import read_sample
from agent.observe.counters import read_counters
from agent.observe.listeners import read_listeners
from agent.observe.owners import read_owners
from agent.observe.peers import read_peers
from agent.observe.sysctls import read_sysctls
from agent.policy import default_paths, load_policy
from agent.record.learned import read_learned
from agent.record.locks import Agent

T = TypeVar("T")
Newest: TypeAlias = Callable[[timedelta], Iterable[Frame]]
"""Gives the moments of a tape, of so long a time up to now, oldest first; none without one."""

_EXPECTED = (StateError, FirewallError, ObserveError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is there, whoever is asked for.

    Attributes:
        where: Where things are.
        agent: The running one, as far as that can be told.
        policy: By which to judge.
        unread: Why something could not be had, by what; added to while looking.
    """

    where: Where
    agent: Agent | None
    policy: Policy
    unread: dict[str, str] = field(default_factory=dict)

    def tried(self, what: str, read: Callable[[], T]) -> T | None:
        """Read something, or note why that can't be."""
        try:
            return read()
        except _EXPECTED as error:
            self.unread.setdefault(what, str(error))
            return None


def open_scene(where: Where) -> Scene:
    """Find agent and policy; for a user who may not look into the state directory the usual one.

    Raises:
        BusyError: An agent runs here with another state directory, or with another policy
            than its files hold.
        PolicyError: The policy is wrong.
    """
    unread: dict[str, str] = {}
    agent = None
    try:
        agent = agent_of(where)
        if not where.paths:
            agent, policy = policy_of(where)
            return Scene(where=where, agent=agent, policy=policy)
    except StateError as error:
        unread["state"] = str(error)
    policy = load_policy(where.paths or default_paths())
    return Scene(where=where, agent=agent, policy=policy, unread=unread)


def explain(scene: Scene, source: Source, newest: Newest) -> Explanation:
    """Tell all that is known of a source at this moment.

    Args:
        scene: Where to look.
        source: Whom.
        newest: Gives the moments of a tape.

    Raises:
        BusyError: The ledger is locked, or another firewall was asked for than the agent's.
    """
    now, policy, prefix = scene.where.now, scene.policy, source.prefix
    line = line_of(prefix.network_address) if is_host(prefix) else prefix
    found = _found(scene, line, newest)
    present = _present(scene, prefix, line, found.inputs.sample)
    rulings = _rulings(found, policy) if "sockets" not in scene.unread else ()
    return Explanation(
        source=source,
        line=Source(line),
        now=now,
        agent=scene.agent,
        policy=policy,
        who=_who(scene, prefix, found, present),
        present=present,
        rulings=rulings,
        past=found.recorded.past if "state" not in scene.unread else None,
        kept=found.back.kept if found.back else None,
        unread=scene.unread,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was read: empty where it could not be.

    Attributes:
        inputs: This moment, whole.
        recorded: The ledger.
        back: The firewall; None where it can't be read.
        learned: What agents wrote down, and the newest moment has.
        pace: The newest moments.
    """

    inputs: Inputs
    recorded: Recorded
    back: ReadBack | None
    learned: Learned
    pace: Pace


def _found(scene: Scene, line: Prefix, newest: Newest) -> _Found:
    where, policy, now = scene.where, scene.policy, scene.where.now
    learned = read_learned(where.folder)
    scales = scales_for(line, policy, Memory.of(learned))
    wide = widest_of(scales)
    recorded = scene.tried("state", partial(read_recorded, where, line, wide)) or Recorded()
    back = scene.tried("firewall", partial(read_kept, where, scene.agent, policy, (line, wide)))
    sample = scene.tried("sockets", partial(read_sample, now)) or _nothing(now)
    pace = pace_of(tuple(newest(window_of(policy))), scales, now)
    learned = with_names(learned, pace.frames)
    spared = joined(read_spared(where.folder, policy, recorded.permits, now), pace.frames)
    expected = Installed(bans=recorded.held, allowed=allow_set(policy, spared, now))
    known = known_by(policy, spared, learned, pace.frames)
    inputs = Inputs(
        sample=sample,
        counters=read_counters(),
        surroundings=spared.surroundings,
        listeners=read_listeners(),
        sysctls=read_sysctls(),
        installed=back.near if back else expected,
        history=recorded.history,
        identities=replace(known, vendors=read_vendors()),
    )
    return _Found(inputs=inputs, recorded=recorded, back=back, learned=learned, pace=pace)


def _nothing(now: datetime) -> Sample:
    return Sample(taken_at=now, sockets=0, states={}, listening=frozenset(), tallies={})


def _present(scene: Scene, prefix: Prefix, line: Prefix, sample: Sample) -> Present:
    peers = None
    if "sockets" not in scene.unread:
        peers = scene.tried("queues", partial(read_peers, line, sample.listening))
    return Present(
        own=counts_of(sample, prefix, scene.policy),
        line=counts_of(sample, line, scene.policy),
        peers=peers,
    )


def _who(scene: Scene, prefix: Prefix, found: _Found, present: Present) -> Who:
    inputs, peers = found.inputs, present.peers
    grants = grants_of(scene.policy, inputs.spared)
    who = who_is(prefix, grants, inputs.identities, found.learned, scene.where.now)
    return replace(who, owners=read_owners(peers.inodes) if peers else None)


def _rulings(found: _Found, policy: Policy) -> tuple[Ruling, ...]:
    """Weigh whoever the source is judged as, or whoever is judged in it, by the rules' order."""
    rulings = found.pace.rulings(found.inputs, found.inputs.sample.taken_at)
    order = {rule.name: index for index, rule in enumerate(policy.rules)}
    return tuple(sorted(rulings, key=lambda one: order[one.weight.rule.name]))
