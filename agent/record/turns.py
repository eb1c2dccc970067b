"""Taking turns at changing bans: one at a time, the agent first, and nobody keeps it out for long.

An agent that waits for the writer's lock, or has it, holds a second lock beside it, of
which commands ask whether it is held before they try for the first one. Without that fifty
commands at once would keep an agent out that tries as rarely as each of them.

Somebody who has the writer's lock and does not go on, a command that was stopped with
Ctrl-Z, keeps the agent waiting for ten seconds, once. Then it goes on without. Ledger and
firewall bear two writers: the one has transactions, the other is read back.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.errors import BusyError, StateError
from agent.record.folder import flock, open_own, prepare
from agent.record.locks import held

LONGEST_S = 10.0
"""An agent is kept out no longer, from its first try to its last in a row."""

_ASKED_FOR_S = 0.1
"""A command that asks whether it is the agent's turn has that lock for a moment."""


@contextmanager
def writer_lock(folder: Path, patience_s: float) -> Iterator[None]:
    """Be the only one that decides, acts and records; as a command, after a waiting agent.

    Raises:
        BusyError: Somebody else was for longer than `patience_s`.
        StateError: The directory or the file can't be used.
    """
    prepare(folder)
    with _turn(folder) as descriptor, _held(folder, patience_s, lambda: _is_free(descriptor)):
        yield


@dataclass(slots=True, kw_only=True)
class AgentsWriterLock:
    """What gives the writer's lock to an agent, wherever that is possible.

    A directory that can't be used any more, read-only by an error of its disk or gone, does
    not end the protection: commands refuse to work in it, so that nobody is in the way.

    Attributes:
        folder: The state directory.
        patience_s: How long one cycle waits at most.
        stopwatch: Seconds that only grow.
    """

    folder: Path
    patience_s: float
    stopwatch: Callable[[], float]
    _kept_out_since: float | None = None
    _goes_on: bool = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Be the only one that decides, acts and records.

        Raises:
            BusyError: Somebody else was for longer than the patience, and the agent was not
                kept out for long yet.
        """
        with ExitStack() as stack:
            self._take(stack)
            yield

    def _take(self, stack: ExitStack) -> None:
        begun = self.stopwatch()
        try:
            prepare(self.folder)
            turn = stack.enter_context(_turn(self.folder))
            if turn is not None:
                flock(turn, fcntl.LOCK_EX, _ASKED_FOR_S)
            stack.enter_context(_held(self.folder, 0.0 if self._goes_on else self.patience_s))
        except StateError:
            pass
        except BusyError:
            since = begun if self._kept_out_since is None else self._kept_out_since
            self._kept_out_since = since
            self._goes_on = self._goes_on or self.stopwatch() - since >= LONGEST_S
            if not self._goes_on:
                raise
            return
        self._kept_out_since, self._goes_on = None, False


@contextmanager
def _turn(folder: Path) -> Iterator[int | None]:
    """Open the file by which the agent asks to be let first; None where that is impossible.

    It only makes things fairer: nobody does without a lock for want of it.
    """
    try:
        descriptor = open_own(folder / "turn.lock")
    except StateError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_free(turn: int | None) -> bool:
    """Whether no agent asks to be let first."""
    if turn is None:
        return True
    is_free = flock(turn, fcntl.LOCK_SH, 0)
    fcntl.flock(turn, fcntl.LOCK_UN)
    return is_free


def _held(
    folder: Path, patience_s: float, may: Callable[[], bool] = lambda: True
) -> AbstractContextManager[int]:
    return held(
        folder / "writer.lock",
        patience_s,
        lambda pid: f"somebody else{pid} is changing bans in {folder}",
        may,
    )
