"""Looks again and again at what goes on here; what can't be had is told with its reason."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent.desk.site import agent_of, policy_of
from agent.desk.spared import read_spared
from agent.desk.top.known import Known, known_of
from agent.desk.top.ledger import LedgerWatch
from agent.desk.top.pace import Pace
from agent.desk.top.picture import Moment, picture_of
from agent.desk.top.values import Picture, View
from agent.desk.where import Where
from agent.errors import BusyError, ObserveError, PolicyError, StateError
from agent.identify.vendors import read_vendors
from agent.model.inputs import Permit
from agent.model.policy import Policy
from agent.model.sample import Sample
from agent.observe.choose import read_sample
from agent.policy import default_paths, load_policy
from agent.record.learned import read_learned
from agent.record.locks import Agent, running_here

KNOWN_S = 10.0
"""Guards, names and ranges are read again after so long."""


def open_watch(where: Where) -> "Watch":
    """Begin to look at this machine; root is not needed.

    Raises:
        PolicyError: A policy was named, and it is wrong.
    """
    watch = Watch(where, load_policy(where.paths) if where.paths else None)
    watch.find(where)
    return watch


@dataclass(slots=True)
class Watch:
    """What looks at one machine; for one thread at a time.

    Attributes:
        where: Where things are.
        policy: By which to tell how near sources are to a limit; None where none can be read.
    """

    where: Where
    policy: Policy | None
    _known: Known | None = None
    _permits: tuple[Permit, ...] = ()
    _agent: Agent | None = None
    _sought: str | None = None
    _unread: dict[str, str] = field(default_factory=dict)
    _ledger: LedgerWatch = field(init=False)
    _pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        """Have everything to be read yet."""
        self._ledger = LedgerWatch(self.where.stopwatch)
        self._pace = Pace(KNOWN_S, self.where.stopwatch)

    def look(self, view: View, now: datetime) -> Picture:
        """Give this moment; nothing that can't be read keeps the rest from being told.

        Args:
            view: What is asked for.
            now: Aware, UTC.
        """
        with _uncollected():
            return picture_of(view, self._moment(replace(self.where, now=now)))

    def _moment(self, where: Where) -> Moment:
        self.find(where)
        found = self._ledger.read(where)
        self._note("state", found.why)
        self._learn(where, found.permits)
        return Moment(
            now=where.now,
            sample=self._sample(where.now),
            known=self._known,
            bans=found.at(where.now),
            kept_out=found.kept_out,
            agent=self._agent,
            unread=dict(self._unread),
        )

    def find(self, where: Where) -> None:
        """Find the agent, and its policy when it runs with another one than before."""
        try:
            self._agent = agent_of(where)
        except (StateError, BusyError):
            # Only its pid can be told; why is said by whoever reads the ledger.
            self._agent = running_here()
        sha256 = self._agent.policy_sha256 if self._agent else ""
        is_to_retry = "policy" in self._unread and self._pace.is_due
        if where.paths or (sha256 == self._sought and not is_to_retry):
            return
        self._sought = sha256
        try:
            found, why = _policy(where)
        except (PolicyError, BusyError) as error:
            self._note("policy", str(error).partition("\n")[0])
            return
        self._note("policy", why)
        if found != self.policy:
            self.policy, self._known = found, None

    def _learn(self, where: Where, permits: tuple[Permit, ...]) -> None:
        """Find out who is who, now and then; at once under another policy or with a new permit."""
        is_new = self.policy is not None and (self._known is None or permits != self._permits)
        if not (is_new or self._pace.is_due):
            return
        began = where.stopwatch()
        if self.policy is not None:
            spared = read_spared(where.folder, self.policy, permits, where.now)
            learned = read_learned(where.folder)
            self._known = known_of(self.policy, spared, learned, read_vendors())
        self._permits = permits
        self._pace.done(began)

    def _sample(self, now: datetime) -> Sample | None:
        try:
            sample = read_sample(now)
        except ObserveError as error:
            self._note("sockets", str(error))
            return None
        self._note("sockets", "")
        return sample

    def _note(self, what: str, why: str) -> None:
        """Note why something can't be had; nothing for what can."""
        self._unread.pop(what, None)
        if why:
            self._unread[what] = why


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector away: a look makes no cycles, and to find that out would stop a screen."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _policy(where: Where) -> tuple[Policy, str]:
    """Give the policy in force, or the usual one, and why it is not known to be in force.

    Raises:
        BusyError: The agent runs with another policy than its files hold by now.
        PolicyError: It is wrong.
    """
    try:
        return policy_of(where)[1], ""
    except StateError:
        policy = load_policy(default_paths())
        files = ", ".join(policy.files)
        return policy, f"limits are those of {files}; whether an agent has others can't be told"
