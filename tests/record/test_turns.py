"""Whose turn it is: one writer at a time, the agent first, and none kept out for ever."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agent.errors import BusyError
from agent.record import locks
from agent.record.folder import flock, open_own
from agent.record.turns import LONGEST_S, AgentsWriterLock, writer_lock
from tests.range import eventually


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def agents(
    folder: Path, patience_s: float = 0.0, at: list[float] | None = None
) -> AgentsWriterLock:
    """Give an agent's lock, by a clock whose time stands in a list."""
    moment = at or [0.0]
    return AgentsWriterLock(folder=folder, patience_s=patience_s, stopwatch=lambda: moment[0])


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    descriptor = open_own(path)
    assert flock(descriptor, how, 0)
    yield
    os.close(descriptor)


def is_locked(path: Path) -> bool:
    descriptor = open_own(path)
    is_had = flock(descriptor, fcntl.LOCK_SH, 0)
    os.close(descriptor)
    return not is_had


def test_only_one_writes_at_a_time(state: Path) -> None:
    with (
        writer_lock(state, 0),
        pytest.raises(BusyError, match=f"changing bans in {state}"),
        writer_lock(state, 0.05),
    ):
        pass
    with writer_lock(state, 0):
        pass


def test_agent_and_commands_keep_each_other_out(state: Path) -> None:
    with writer_lock(state, 0), pytest.raises(BusyError), agents(state)():
        pass
    with agents(state)(), pytest.raises(BusyError), writer_lock(state, 0):
        pass


def test_a_lock_file_that_was_removed_meanwhile_does_not_let_two_writers_in(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[Path] = []

    def late(descriptor: int, how: int, patience_s: float, may: Callable[[], bool]) -> bool:
        if not removed:
            removed.append(state / "writer.lock")
            removed[0].unlink()
        return flock(descriptor, how, patience_s, may)

    monkeypatch.setattr(locks, "flock", late)
    with writer_lock(state, 0):
        assert removed
        with pytest.raises(BusyError), writer_lock(state, 0):
            pass


def test_an_agent_that_waits_goes_before_commands(state: Path) -> None:
    order: list[str] = []

    def write(name: str, take: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            with take():  # type: ignore[attr-defined]  # either lock
                order.append(name)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with writer_lock(state, 0):
        threads = [write("agent", agents(state, 10))]
        assert eventually(lambda: is_locked(state / "turn.lock"))
        threads += [write("command", lambda: writer_lock(state, 10)) for _ in range(3)]
    for thread in threads:
        thread.join()

    assert order == ["agent", *["command"] * 3]


def test_a_command_waits_for_its_turn_and_no_longer_than_its_patience(state: Path) -> None:
    with writer_lock(state, 0):
        pass
    with locked(state / "turn.lock"), pytest.raises(BusyError), writer_lock(state, 0.05):
        pass
    with writer_lock(state, 0):
        pass


@pytest.mark.parametrize("how", [fcntl.LOCK_SH, fcntl.LOCK_EX], ids=["asking", "taken"])
def test_the_agent_does_not_need_its_turn(state: Path, how: int) -> None:
    with writer_lock(state, 0):
        pass
    with locked(state / "turn.lock", how), agents(state)():
        assert is_locked(state / "writer.lock")


def test_without_the_file_for_turns_everybody_takes_the_lock_alone(state: Path) -> None:
    state.mkdir()
    (state / "turn.lock").mkdir()
    with writer_lock(state, 0), pytest.raises(BusyError), agents(state)():
        pass
    with agents(state)(), pytest.raises(BusyError), writer_lock(state, 0):
        pass


def test_who_keeps_the_lock_keeps_the_agent_out_for_a_while_once(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def noting(descriptor: int, how: int, patience_s: float, may: Callable[[], bool]) -> bool:
        waited.append(patience_s)
        return flock(descriptor, how, 0, may)

    at = [100.0]
    agent = agents(state, 2.0, at)
    with writer_lock(state, 0):
        monkeypatch.setattr(locks, "flock", noting)
        for at[0] in (100.0, 105.0, 100.0 + LONGEST_S - 0.1):
            with pytest.raises(BusyError), agent():
                pass
        for at[0] in (100.0 + LONGEST_S, 115.0):
            with agent():
                pass
    assert waited == [2.0, 2.0, 2.0, 2.0, 0.0]

    with agent():
        assert is_locked(state / "writer.lock")
    with writer_lock(state, 0), pytest.raises(BusyError), agent():
        pass


def test_an_agent_that_was_kept_out_now_and_then_still_waits(state: Path) -> None:
    at = [0.0]
    agent = agents(state, at=at)
    for at[0] in (0.0, LONGEST_S, 2 * LONGEST_S):
        with writer_lock(state, 0), pytest.raises(BusyError), agent():
            pass
        with agent():
            pass


def test_an_agent_works_on_where_its_directory_is_gone() -> None:
    done = []
    with suppress(BusyError), agents(Path("/proc/nowhere"))():
        done.append("work")

    assert done == ["work"]
