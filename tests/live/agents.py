"""Live agents in a namespace, and commands beside them."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.live.program import BOOT
from tests.range import in_namespace

ROOT = Path(__file__).parents[2]
PATIENCE_S = 15.0

_AS_NOBODY = """\
import contextlib, importlib.readers, io, os, sys
from agent import cli

# The interpreter may be where nobody else may look: all is loaded before root is given up.
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    cli.entry()
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
cli.entry()
"""


class LiveAgent:
    """A running agent and what it tells.

    Attributes:
        process: The agent's.
        told: Its events so far.
        patience_s: How long an event is waited for.
    """

    def __init__(self, namespace: str, *arguments: str, before: Sequence[str] = ()) -> None:
        with in_namespace(namespace):
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "tests.live.program", *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
        self.told: list[dict[str, Any]] = []
        self.patience_s = PATIENCE_S
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def wait_for(self, name: str, **fields: object) -> dict[str, Any]:
        """Give the next event of that name and with these fields.

        Raises:
            AssertionError: It did not come in time; with what was told and said.
        """
        end = time.monotonic() + self.patience_s
        while (left := end - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if not line:
                break
            event: dict[str, Any] = json.loads(line)
            self.told.append(event)
            if event["event"] == name and fields.items() <= event.items():
                return event
        names = [event["event"] for event in self.told]
        raise AssertionError(f"no {name} {fields}; told {names}, said {self.said()!r}")

    def said(self) -> str:
        """Give what it complained of, once it has ended."""
        if self.process.poll() is None or not self.process.stderr:
            return ""
        return self.process.stderr.read()

    def rest(self) -> list[dict[str, Any]]:
        """Give all events of an agent that has ended."""
        self.process.wait(timeout=PATIENCE_S)
        self._reader.join(timeout=PATIENCE_S)
        return self.so_far()

    def so_far(self) -> list[dict[str, Any]]:
        """Give all events by now, without waiting for more."""
        while not self._lines.empty():
            if line := self._lines.get():
                self.told.append(json.loads(line))
        return self.told

    def names(self) -> list[str]:
        return [event["event"] for event in self.told]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and give how it ended."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)

    def close(self) -> None:
        """End it, whatever it is at."""
        self.process.kill()
        self.process.wait()
        self._reader.join(timeout=PATIENCE_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def live(
    namespace: str,
    firewall: str,
    policy: Path,
    folder: Path,
    *options: str,
    before: Sequence[str] = (),
) -> Iterator[LiveAgent]:
    """Run an agent until the end of the block; `before` stands ahead of its command line."""
    agent = LiveAgent(
        *(namespace, firewall, "", "--policy", str(policy), "--state-dir", str(folder)),
        *("--log-level", "debug", *options),
        before=before,
    )
    try:
        yield agent
    finally:
        agent.close()


def command(
    namespace: str,
    firewall: str,
    *arguments: str,
    kill: str = "",
    boot: str = "",
    before: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, or to a step at which it kills itself, in that boot."""
    with in_namespace(namespace):
        return subprocess.run(
            [*before, sys.executable, "-m", "tests.live.program", firewall, kill, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=ROOT,
            env=os.environ | {BOOT: boot},
        )


def command_of_nobody(namespace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as a user who may do nothing."""
    with in_namespace(namespace):
        return subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=ROOT,
        )


def once(
    namespace: str, firewall: str, policy: Path, folder: Path, **options: str
) -> tuple[int, list[dict[str, Any]]]:
    """Run one cycle; give how it ended and what it told."""
    done = command(
        *(namespace, firewall, "run", "--once", "--policy", str(policy)),
        *("--state-dir", str(folder), "--log-level", "debug"),
        **options,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]
