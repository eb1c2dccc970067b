"""The agent's life, in a process of its own: signals, reloads, an end within a second."""

import fcntl
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GOOD = """\
version: 1
every: 200ms
services:
  web: {ports: [80]}
rules:
  - {name: web-connections, service: web, count: connections, above: 100}
"""


class Agent:
    """A running agent and the events it told."""

    def __init__(self, policy: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agent", "--dry-run", "--policy", str(policy), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def wait_for(self, name: str) -> dict[str, Any]:
        """Give the next event of that name; fail after ten seconds."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            event: dict[str, Any] = json.loads(self.lines.get(timeout=10))
            if event["event"] == name:
                return event
        raise AssertionError(name)

    def end(self, number: signal.Signals) -> float:
        """Signal it, and give the seconds until it is gone."""
        start = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=10)
        return time.monotonic() - start

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join(timeout=5)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def agent(policy: Path) -> Iterator[Agent]:
    running = Agent(policy, "--log-level", "debug")
    yield running
    running.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_a_second(agent: Agent, number: signal.Signals) -> None:
    agent.wait_for("cycle.completed")

    seconds = agent.end(number)

    assert agent.wait_for("agent.stopped")["reason"] == number.name
    assert agent.process.returncode == 0
    assert seconds < 1


def test_cycles_come_again_and_again(agent: Agent) -> None:
    assert [agent.wait_for("cycle.completed")["cycle"] for _ in range(3)] == [1, 2, 3]


def test_a_reload_takes_a_new_policy(agent: Agent, policy: Path) -> None:
    before = agent.wait_for("policy.loaded")["policy_sha256"]
    agent.wait_for("cycle.completed")
    policy.write_text(GOOD.replace("100", "50"))

    agent.process.send_signal(signal.SIGHUP)

    assert agent.wait_for("policy.loaded")["policy_sha256"] != before


def test_a_bad_policy_is_rejected_with_its_faults_and_the_old_one_stays(
    agent: Agent, policy: Path
) -> None:
    before = agent.wait_for("policy.loaded")["policy_sha256"]
    agent.wait_for("cycle.completed")
    policy.write_text(GOOD.replace("above: 100", "abov: 100"))

    agent.process.send_signal(signal.SIGHUP)

    rejected = agent.wait_for("policy.rejected")
    assert {error["line"] for error in rejected["errors"]} == {6}
    assert rejected["policy_sha256"] == before
    assert agent.wait_for("cycle.completed")
    agent.end(signal.SIGTERM)
    assert agent.wait_for("agent.stopped")["policy_sha256"] == before


def test_a_policy_that_vanished_is_rejected(agent: Agent, policy: Path) -> None:
    agent.wait_for("cycle.completed")
    policy.unlink()

    agent.process.send_signal(signal.SIGHUP)

    assert agent.wait_for("policy.rejected")["errors"][0]["problem"] == "does not exist"
    assert agent.wait_for("cycle.completed")


def test_a_stopped_process_tells_that_it_was_late(agent: Agent) -> None:
    agent.wait_for("cycle.completed")
    agent.process.send_signal(signal.SIGSTOP)
    time.sleep(1)
    agent.process.send_signal(signal.SIGCONT)

    assert agent.wait_for("cycle.missed")["late_s"] > 0.3
    assert agent.wait_for("cycle.completed")


def test_a_dry_run_whose_reader_has_gone_ends_by_itself(policy: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "--dry-run", "--policy", str(policy), "--log-level=debug"],
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)

    _, errors = process.communicate(timeout=10)

    assert (process.returncode, errors) == (0, b"")


def _stuck(policy: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start an agent whose output nobody reads and whose pipe is full."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "--dry-run", "--policy", str(policy), "--log-level=debug"],
        stdout=writer,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    time.sleep(3)
    return process, reader


@pytest.mark.parametrize("before", [[], [signal.SIGHUP] * 20])
def test_a_signal_ends_it_within_a_second_though_nobody_reads(
    policy: Path, before: list[signal.Signals]
) -> None:
    process, reader = _stuck(policy)
    try:
        for number in before:
            process.send_signal(number)
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=5)

        assert time.monotonic() - start < 1.1
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        os.close(reader)


def test_a_second_signal_does_not_change_how_it_ends(agent: Agent) -> None:
    agent.wait_for("cycle.completed")
    agent.process.send_signal(signal.SIGINT)
    agent.process.send_signal(signal.SIGINT)
    agent.process.send_signal(signal.SIGHUP)

    assert agent.end(signal.SIGTERM) < 1
    assert agent.process.returncode == 0


def test_one_cycle_alone_tells_as_well_that_it_could_not_be_recorded(
    policy: Path, tmp_path: Path
) -> None:
    tape = tmp_path / "tape"
    tape.write_text("a file")
    agent = Agent(policy, "--once", "--tape", str(tape))
    try:
        assert "Not a directory" in agent.wait_for("tape.troubled")["reason"]
        assert agent.process.wait(timeout=10) == 0
    finally:
        agent.close()
