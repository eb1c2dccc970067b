"""Locks: one agent at a time, one writer at a time, none left behind."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from stat import S_IMODE

import pytest

from agent.errors import BusyError, StateError
from agent.record import locks
from agent.record.locks import Agent, agent_lock, running
from agent.record.turns import writer_lock
from tests.builders import NOW

NOBODY = 65534
AGENT = Agent(
    pid=os.getpid(),
    version="0.2.0",
    firewall="nftables",
    policies=("/etc/abuse-agent/policies",),
    policy_sha256="0" * 64,
    started=NOW,
    every_s=5.0,
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Give where agents meet, in place of /run/abuse-agent."""
    return tmp_path / "run"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def stranger(state: Path, run: Path) -> Iterator[subprocess.Popen[str]]:
    """Give another process that is the agent of `state`."""
    script = """
import sys
from pathlib import Path
from agent.record import locks
from agent.record.locks import agent_lock
with agent_lock(Path(sys.argv[1]), Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(state), str(run)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_agent_is_told_who_the_first_one_is(
    stranger: subprocess.Popen[str], state: Path, run: Path
) -> None:
    words = rf"another agent \(pid {stranger.pid}\) holds {state}"
    with pytest.raises(BusyError, match=words), agent_lock(state, run):
        pass


def test_a_second_agent_of_this_network_is_told_even_with_another_directory(
    stranger: subprocess.Popen[str], state: Path, run: Path
) -> None:
    words = rf"another agent \(pid {stranger.pid}\) uses the firewall of this network namespace"
    with pytest.raises(BusyError, match=words), agent_lock(state.with_name("other"), run):
        pass


def test_agents_of_other_directories_that_meet_nowhere_do_not_mind(
    stranger: subprocess.Popen[str], state: Path
) -> None:
    assert stranger.poll() is None
    with agent_lock(state.with_name("other"), Path("/proc/nowhere")):
        pass


def test_the_lock_of_a_killed_agent_is_free(
    stranger: subprocess.Popen[str], state: Path, run: Path
) -> None:
    assert running(state) == Agent(pid=stranger.pid)
    stranger.send_signal(signal.SIGKILL)
    stranger.wait()

    assert running(state) is None
    with agent_lock(state, run):
        pass


def test_a_program_started_by_the_agent_does_not_hold_its_lock(state: Path, run: Path) -> None:
    with ExitStack() as stack:
        with agent_lock(state, run), writer_lock(state, 0):
            child = stack.enter_context(
                subprocess.Popen(["sleep", "60"], close_fds=False, stdin=subprocess.DEVNULL)
            )
        stack.callback(child.kill)
        with agent_lock(state, run), writer_lock(state, 0):
            pass


def test_commands_learn_what_the_agent_is(state: Path, run: Path) -> None:
    with agent_lock(state, run) as lock:
        assert running(state) == Agent(pid=os.getpid())
        lock.tell(replace(AGENT, policies=("/a long path",) * 50))
        lock.tell(AGENT)
        assert running(state) == AGENT
        lock.touch()
        cycled = getattr(running(state), "cycled", None)

    assert cycled is not None
    assert cycled > NOW + timedelta(microseconds=1)
    assert running(state) is None


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"pid": "x"}', b'{"started": 1e300}', b"[" * 60_000,
     b'{"policies": 3}', b"nul\0", b'{"pid": null}'],
    ids=["empty", "half", "binary", "list", "text", "never", "deep", "number", "nul", "null"],
)  # fmt: skip
def test_an_agent_that_says_nothing_sensible_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch, state: Path, run: Path, text: bytes
) -> None:
    monkeypatch.setattr(locks, "_PROBE_PATIENCE_S", 0)
    with agent_lock(state, run):
        (state / "agent.lock").write_bytes(text)

        assert running(state) == Agent()
        with pytest.raises(BusyError, match="another agent holds"), agent_lock(state, run):
            pass


def test_no_agent_runs_where_there_is_no_directory(tmp_path: Path) -> None:
    assert running(tmp_path / "nowhere") is None


def test_a_command_that_looks_does_not_keep_an_agent_from_starting(state: Path, run: Path) -> None:
    with agent_lock(state, run):
        pass
    descriptor = os.open(state / "agent.lock", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    look_ends = threading.Timer(0.1, os.close, (descriptor,))
    look_ends.start()
    with agent_lock(state, run):
        pass
    look_ends.join()


def test_a_lock_file_that_was_removed_does_not_let_two_agents_in(state: Path, run: Path) -> None:
    with agent_lock(state, run):
        (state / "agent.lock").unlink()
        with pytest.raises(BusyError, match="network namespace"), agent_lock(state, run):
            pass


@pytest.mark.parametrize("name", ["agent.lock", "writer.lock"])
def test_a_link_in_place_of_a_lock_is_refused(tmp_path: Path, run: Path, name: str) -> None:
    (tmp_path / name).symlink_to(tmp_path / "target")
    with (
        pytest.raises(StateError, match="symbolic link"),
        agent_lock(tmp_path, run),
        writer_lock(tmp_path, 0),
    ):
        pass

    assert not (tmp_path / "target").exists()


def test_a_fifo_in_place_of_a_lock_is_refused(tmp_path: Path, run: Path) -> None:
    os.mkfifo(tmp_path / "agent.lock")
    with pytest.raises(StateError, match="not a file"), agent_lock(tmp_path, run):
        pass


def test_others_can_neither_read_nor_hold_a_lock(state: Path, run: Path) -> None:
    with agent_lock(state, run), writer_lock(state, 0):
        files = [*state.iterdir(), *run.iterdir()]

        assert sorted(path.name.partition("-")[0] for path in files) == [
            "agent.lock", "netns", "turn.lock", "writer.lock",
        ]  # fmt: skip
        assert {S_IMODE(path.stat().st_mode) for path in files} == {0o640}
        assert S_IMODE(run.stat().st_mode) == 0o755


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_agents_do_not_meet_where_anybody_could_lock_them_out(
    state: Path, run: Path, mode: int
) -> None:
    run.mkdir()
    run.chmod(mode)
    with agent_lock(state, run), agent_lock(state.with_name("other"), run):
        assert list(run.iterdir()) == []


@pytest.mark.root
def test_what_root_locks_belongs_to_the_owner_of_the_directory(state: Path, run: Path) -> None:
    for folder in (state, run):
        folder.mkdir()
        os.chown(folder, NOBODY, NOBODY)
    with agent_lock(state, run), writer_lock(state, 0):
        owners = {(path.stat().st_uid, path.stat().st_gid) for path in (
            *state.iterdir(), *run.iterdir())}  # fmt: skip

    assert owners == {(NOBODY, NOBODY)}
