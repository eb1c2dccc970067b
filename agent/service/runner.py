"""The life of the agent: cycles, signals, reloads, and an end within a second."""

import gc
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import inf
from threading import Lock, Thread
from types import FrameType
from typing import NoReturn

from agent import __version__
from agent.errors import AgentError, PolicyError
from agent.loop import Loop, count_sources
from agent.model.policy import Policy
from agent.record import events
from agent.record.audit import Audit
from agent.record.locks import Agent, AgentLock
from agent.service import clock
from agent.service.pace import at_most_every
from agent.service.schedule import SteadyScheduler
from agent.service.sd_notify import Supervisor

CYCLE_PATIENCE_S = 0.7
"""How long a running cycle may take to finish once the agent is told to stop."""

PATIENCE_S = 0.9
"""When the process ends in any case, also while it hangs in a write that nobody reads."""

_OUTPUT_CLOSED = 0
"""Beside the numbers of signals, in the pipe that wakes the main thread."""

_PIPE_BYTES = 65_536

_TELL_AGAIN = timedelta(minutes=1)
"""A failure that stays the same is told no more often."""


@dataclass(slots=True)
class Runner:
    """Runs the loop's cycles until a signal or a closed output ends it.

    Attributes:
        loop: What to run.
        audit: Where to tell.
        paths: The policy's, as the operator named them.
        load: Reads the policy again. Raises PolicyError.
        supervisor: Hears how the agent is; nobody unless the service manager asked to.
        lock: That of a live agent, for commands to find it by; None in a dry run.
        keep: Writes down the text of a policy that is in force from now on.
    """

    loop: Loop
    audit: Audit
    paths: tuple[str, ...]
    load: Callable[[], Policy]
    supervisor: Supervisor = field(default_factory=Supervisor)
    lock: AgentLock | None = None
    keep: Callable[[Policy], None] = lambda _policy: None
    _busy: Lock = field(default_factory=Lock)
    _offer: Policy | None = None
    _due: float | None = None
    _started: datetime | None = None
    _lateness_told: float = -inf
    _stopping: bool = False
    _failure: tuple[str, datetime] | None = None
    _scheduler: SteadyScheduler | None = None
    _tidy: Callable[[], int] = field(default_factory=lambda: at_most_every(60, gc.collect))

    def once(self) -> None:
        """Run one cycle.

        Raises:
            AgentError: The cycle failed; it has been told.
            OSError: Not everything could be told.
        """
        self._tell_start()
        try:
            self.loop.cycle(clock.now())
        except AgentError as error:
            self._tell(events.cycle_failed(self.loop.stage, str(error)), self.loop.number)
            raise
        self._tell_stop("one cycle was asked for")
        self.loop.keep()
        if self.audit.failure is not None:
            raise self.audit.failure

    def forever(self) -> None:
        """Run cycles until SIGTERM, SIGINT or a closed output; SIGHUP reloads the policy."""
        # A cycle's values refer to each other one way only, so that looking for garbage
        # whenever there are many of them would double the time of a cycle under attack.
        gc.collect()
        gc.freeze()
        gc.disable()
        # The C handler writes each signal's number into this pipe, whatever thread it meets:
        # a lock or a queue to wait on could miss the one that comes just before.
        heard, wake = _pipe()
        news, pass_on = _pipe()
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGALRM, _end_now)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _leave_to_the_pipe)
        self.audit.on_closed = partial(_mark_closed, wake)
        Thread(target=self._listen, args=(heard, pass_on), name="listen", daemon=True).start()
        self._tell_start()
        self._scheduler = SteadyScheduler(self._tick, self.loop.policy.every)
        self._scheduler.start()
        while not (reason := _reason_in(told := os.read(news, _PIPE_BYTES))):
            if signal.SIGHUP in told:
                self._reload()
        self._stop(reason)

    def _listen(self, heard: int, pass_on: int) -> None:
        """Pass on what is heard; at the end see to it that it comes in time.

        The main thread may hang in a write that nobody reads. It leaves a system call for a
        signal, but one that comes just before the call does not keep it from beginning.
        """
        while not _reason_in(told := os.read(heard, _PIPE_BYTES)):
            _write(pass_on, told)
        self._stopping = True
        _write(pass_on, told)
        time.sleep(PATIENCE_S)
        _end_now()

    def _reload(self) -> None:
        """Read the policy in this thread; the next cycle takes it."""
        self.supervisor.reload_began()
        try:
            policy = self.load()
        except PolicyError as error:
            rejected = events.policy_rejected(self.paths, self.loop.policy, error.faults)
            self._tell(rejected)
            self.supervisor.reload_ended("the policy was rejected; the old one stays")
            return
        self._offer = policy
        self._tell(events.policy_loaded(policy))
        self.supervisor.reload_ended()

    def _stop(self, reason: str) -> None:
        self._stopping = True
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # For what comes after all threads have ended: a last flush that hangs.
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
        self.supervisor.stopping()
        if not self._busy.acquire(timeout=CYCLE_PATIENCE_S):
            _end_now()
        self._tell_stop(reason)
        # Written in a thread that is waited for, though no longer than the timer lets it.
        self.loop.keep()

    def _tick(self) -> None:
        """Run one cycle in the scheduler's thread; a failing one is told and over."""
        with self._busy:
            if self._stopping:
                return
            self._take_offer()
            self._tell_lateness()
            try:
                self.loop.cycle(clock.now())
            except Exception as error:  # noqa: BLE001 - the next cycle comes, whatever this one was
                self._tell_failure(_describe(error))
            else:
                self._failure = None
                self._tell_completion()
            self._tidy()

    def _tell_completion(self) -> None:
        """Let the service manager and commands know that a cycle is complete."""
        seen, bans = self.loop.last, len(self.loop.ports.ledger.in_force())
        sources = count_sources(seen) if self.supervisor.address and seen else 0
        self.supervisor.cycle_completed(f"{sources} sources, {bans} bans in force")
        if self.lock is not None:
            self.lock.touch()

    def _tell_failure(self, text: str) -> None:
        now, last = clock.now(), self._failure
        if last and last[0] == text and timedelta(0) <= now - last[1] < _TELL_AGAIN:
            return
        self._failure = (text, now)
        self._tell(events.cycle_failed(self.loop.stage, text), self.loop.number)

    def _take_offer(self) -> None:
        policy, self._offer = self._offer, None
        if policy is None:
            return
        if policy.every != self.loop.policy.every and self._scheduler is not None:
            self._scheduler.run_every(policy.every)
            self._due = None
        self.loop.policy = policy
        self._tell_lock()

    def _tell_lock(self) -> None:
        """Write down what this agent is, and its policy."""
        if self.lock is None:
            return
        policy = self.loop.policy
        self.keep(policy)
        self.lock.tell(
            Agent(
                pid=os.getpid(),
                version=__version__,
                firewall=self.loop.ports.firewall.name,
                policies=tuple(os.path.abspath(path) for path in self.paths),  # noqa: PTH100 - links stay
                policy_sha256=policy.sha256,
                started=self._started,
                every_s=policy.every.total_seconds(),
            )
        )

    def _tell_lateness(self) -> None:
        """Tell of a start that is a whole cycle late or more, once a minute at most."""
        start, every_s = clock.stopwatch(), self.loop.policy.every.total_seconds()
        late_s = start - self._due if self._due is not None else 0.0
        self._due = start + every_s
        if late_s >= every_s and start - self._lateness_told >= _TELL_AGAIN.total_seconds():
            self._lateness_told = start
            self._tell(events.cycle_missed(late_s))

    def _tell_start(self) -> None:
        policy, firewall = self.loop.policy, self.loop.ports.firewall.name
        self._started = clock.now()
        self._tell_lock()
        self._tell(events.agent_started(__version__, policy, firewall))
        self._tell(events.policy_loaded(policy))

    def _tell_stop(self, reason: str) -> None:
        policy, firewall = self.loop.policy, self.loop.ports.firewall.name
        self._tell(events.agent_stopped(__version__, policy, firewall, reason))

    def _tell(self, event: events.Event, cycle: int | None = None) -> None:
        self.audit.write(event, clock.now(), cycle)


def _pipe() -> tuple[int, int]:
    """Make a pipe that one waits for, and nobody waits to write into."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    return reader, writer


def _write(pipe: int, told: bytes) -> None:
    """Tell it; once the pipe is full it is told enough."""
    with suppress(BlockingIOError):
        os.write(pipe, told)


def _mark_closed(wake: int) -> None:
    """Have the agent end because nobody hears it any more."""
    _write(wake, bytes([_OUTPUT_CLOSED]))


def _leave_to_the_pipe(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: that a signal came is in the pipe by now."""


def _reason_in(told: bytes) -> str:
    """Give why to end, from signal numbers and marks; empty when there is no reason."""
    for number in told:
        if number == _OUTPUT_CLOSED:
            return "output closed"
        if number in {signal.SIGTERM, signal.SIGINT}:
            return signal.Signals(number).name
    return ""


def _end_now(_number: int = 0, _frame: FrameType | None = None) -> NoReturn:
    """End the process although something hangs, maybe in writing.

    Whatever it was at, the kernel holds the timers of bans, and the next start reads
    back what was installed.
    """
    os._exit(0)


def _describe(error: Exception) -> str:
    """One line; an error that nobody raised on purpose is told with its kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, AgentError) else f"{type(error).__name__}: {text}"
