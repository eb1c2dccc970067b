"""One policy at work on recorded moments: the agent's own loop, on a virtual clock.

The firewall and the ledger are a dry run's. The sockets are what they were: a source that
was really banned then is gone from them, and one that is banned only here stays in them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from agent.act.dry_run import DryRun
from agent.desk.replay.fit import demand_fit
from agent.desk.replay.identities import Remembered
from agent.desk.replay.journal import Journal
from agent.loop import Loop
from agent.model.address import Prefix
from agent.model.frame import Frame
from agent.model.inputs import History
from agent.model.learned import Learned
from agent.model.policy import Policy
from agent.model.sample import Sample
from agent.ports import Ports
from agent.record.events import Event
from agent.record.ledger import MemoryLedger

Writer: TypeAlias = Callable[[Event, datetime, int], None]

_NONE = timedelta(0)


@dataclass(slots=True)
class Player:
    """The machine of a replay: it is what the frame at hand says.

    Attributes:
        identities: Who sources are; holds the frame.
        ledger: The bans of this replay.
        firewall: Likewise.
        learned: What a start of the agent goes on with.
        write: Takes each event that an agent would write.
    """

    identities: Remembered
    ledger: MemoryLedger
    firewall: DryRun = field(default_factory=DryRun)
    learned: Learned = field(default_factory=Learned)
    write: Writer = lambda _event, _now, _cycle: None
    name: str = "tape"
    _elapsed: timedelta = _NONE
    _at: datetime | None = None

    @property
    def frame(self) -> Frame:
        """The moment."""
        return self.identities.frame

    def show(self, frame: Frame) -> None:
        """Go on to the next moment; a clock that was set back then takes no time."""
        if self._at is not None:
            self._elapsed += max(_NONE, frame.at - self._at)
        self._at = frame.at
        self.identities.frame = frame

    def ports(self) -> Ports:
        """Give what a loop is run on."""
        return Ports(
            sockets=self,
            counters=lambda: self.frame.inputs.counters,
            surroundings=lambda _administrators: self.frame.inputs.surroundings,
            firewall=self.firewall,
            ledger=self.ledger,
            write=self.write,
            stopwatch=self._stopwatch,
            listeners=lambda: self.frame.inputs.listeners,
            sysctls=lambda: self.frame.inputs.sysctls,
            identify=self.identities,
            learned=self.learned,
            keep=self._keep,
            standing=lambda: self.frame.inputs.standing,
        )

    def read(self, now: datetime) -> Sample:  # noqa: ARG002 - that of the frame
        """Give the sockets."""
        return self.frame.inputs.sample

    def _stopwatch(self) -> float:
        return self._elapsed.total_seconds()

    def _keep(self, learned: Learned) -> None:
        self.learned = learned


@dataclass(slots=True)
class Run:
    """A policy that is tried.

    Attributes:
        policy: The policy.
        vendors: Networks of large CDNs.
        history: Earlier bans, from before the first moment.
        write: Takes each event that an agent would write.
        journal: What came of it.
    """

    policy: Policy
    vendors: Mapping[str, frozenset[Prefix]] = field(default_factory=dict)
    history: History = field(default_factory=dict)
    write: Writer = lambda _event, _now, _cycle: None
    journal: Journal = field(init=False)
    _player: Player | None = None
    _loop: Loop | None = None
    _fits: tuple[tuple[object, int], ...] = ()

    def __post_init__(self) -> None:
        """Open the journal."""
        self.journal = Journal(self.policy)

    def play(self, frame: Frame) -> None:
        """Judge a moment.

        Raises:
            PolicyError: The frame keeps too little for this policy.
        """
        kept = tuple((one.width, one.floor) for one in frame.rest)
        if kept != self._fits:
            demand_fit(self.policy, frame)
            self._fits = kept
        if self._player is None:
            self._player = self._begin(frame)
        else:
            self._player.show(frame)
        if self._loop is None or frame.is_start:
            self._loop = self._start(self._player, self._loop)
        self.journal.take(frame, self._loop.cycle(frame.at))

    def _begin(self, frame: Frame) -> Player:
        """Begin with the first moment: the policy that was in force then is not new."""
        player = Player(Remembered(frame, self.vendors), MemoryLedger(), write=self.write)
        player.ledger.recall(
            ("", source, one)
            for source, past in self.history.items()
            for one in past
            if one.began < frame.at
        )
        is_old = not frame.is_start and frame.policy_sha256 == self.policy.sha256
        tried = self.policy.sha256 if is_old else frame.learned.tried
        player.learned = Learned(tried=tried)
        player.show(frame)
        return player

    def _start(self, player: Player, before: Loop | None) -> Loop:
        """Start an agent, with what the one before has learned."""
        if before is not None:
            before.keep()
        return Loop(player.ports(), self.policy)


def replay(frames: Iterable[Frame], runs: Iterable[Run]) -> None:
    """Have each run judge each moment, in their order.

    Raises:
        PolicyError: The frames keep too little for a policy.
    """
    every = tuple(runs)
    for frame in frames:
        for run in every:
            run.play(frame)
