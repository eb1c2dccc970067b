"""A real systemd as PID 1 of namespaces of its own, over a throw-away copy of the root.

Its network is a namespace that the test has made, so that servers and clients of
`tests.range` reach it. Whatever happens, its end is the end of all that runs in it.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psutil

from tests.range import eventually, in_namespace
from tests.range import why_not as why_no_namespace

TREE = Path(__file__).parents[2]
"""Where the units are."""

_SYSTEMD = Path("/lib/systemd/systemd")
_OWN = ("--mount", "--pid", "--uts", "--ipc", "--cgroup", "--fork")
_CALL_S = 60.0

_STARTED = {
    "sysinit.target.wants": [
        "systemd-journald.service",
        "systemd-sysusers.service",
        "systemd-tmpfiles-setup.service",
    ],
    "sockets.target.wants": ["systemd-journald.socket", "systemd-journald-dev-log.socket"],
}
"""What starts at boot beside the units asked for."""

# The host may have cgroup2 anywhere, or hidden; so it is mounted anew, for the moment. A
# namespace of cgroups begins where its first process is.
_MOUNT = 'mount -t cgroup2 group "$1/group" && cd "$1/group"'
_JOIN = _MOUNT + ' && mkdir "$2" && echo $$ >"$2/cgroup.procs" && cd / && shift 2 && exec "$@"'
_LEAVE = _MOUNT + ' && { [ ! -d "$2" ] || find "$2" -depth -type d -exec rmdir {} +; }'


@cache
def why_not() -> str | None:
    """Why this machine can't boot one; None when it can."""
    if reason := why_no_namespace():
        return reason
    if not os.access(_SYSTEMD, os.X_OK):
        return "systemd is not installed"
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        return "this kernel has no overlayfs"
    tried = _run("unshare", *_OWN, "mount", "-t", "cgroup2", "group", "/proc")
    return f"no namespace with a cgroup2: {tried.stderr.strip()}" if tried.returncode else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A booted systemd.

    Attributes:
        leader: Its PID 1, as the host counts.
    """

    leader: int

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command inside as root, and give what it prints.

        Raises:
            RuntimeError: It failed; with all that it said.
        """
        inside = ("nsenter", f"--target={self.leader}", "--all", "--", "env", "-i")
        done = _run(*inside, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_PAGER=", *command)
        if check and done.returncode:
            said = f"{done.stdout}{done.stderr}".strip()
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {said}")
        return done.stdout

    def show(self, unit: str, name: str) -> str:
        """Give a property of a unit."""
        return self.run("systemctl", "show", f"--property={name}", "--value", unit).strip()

    def journal(self, unit: str) -> str:
        """Give all lines about a unit, those of the service manager among them."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--output=cat", f"--unit={unit}")

    def events(self, name: str, unit: str = "abuse-agent.service") -> list[dict[str, Any]]:
        """Give what the agent has told under this name, the oldest first."""
        lines = self.journal(unit).splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in told if event["event"] == name]


@contextmanager
def booted(
    program: Path, network: str, files: Mapping[str, str], enable: tuple[str, ...]
) -> Iterator[Machine]:
    """Boot with our units installed, and give the machine when its start is over.

    Args:
        program: The environment that has the agent; /usr/bin/abuse-agent is its.
        network: The name of the network namespace.
        files: What stands in it beside, a text by its path.
        enable: The units that start with it.

    Raises:
        RuntimeError: It did not boot; with what was said.
    """
    work = Path(mkdtemp(prefix="abuse-agent-systemd-"))
    try:
        (work / "mnt").mkdir()
        (work / "group").mkdir()
        _sow(work / "seed", files)
        with in_namespace(network):
            first = _start(work, program, enable)
        try:
            yield _up(first, work / "said")
        finally:
            _end(first)
    finally:
        _leave(work)
        shutil.rmtree(work)


def _sow(seed: Path, files: Mapping[str, str]) -> None:
    """Lay out what the root gets beside its own."""
    shutil.copytree(TREE / "systemd", units := seed / "usr/lib/systemd/system")
    for kind in ("sysusers.d", "tmpfiles.d"):
        shutil.move(units / kind, seed / "usr/lib" / kind)
    for target, wanted in _STARTED.items():
        (units / target).mkdir()
        for name in wanted:
            (units / target / name).symlink_to(f"../{name}")
    (seed / "usr/bin").mkdir()
    (seed / "usr/bin/abuse-agent").symlink_to("/opt/abuse-agent/bin/abuse-agent")
    for path, text in files.items():
        file = seed / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _start(work: Path, program: Path, enable: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start PID 1 as the only child of a process that takes it along when it ends."""
    script = Path(__file__).with_name("boot.sh")
    outer = ["unshare", "--mount", "sh", "-c", _JOIN, "sh", str(work), work.name]
    inner = ["setpriv", "--pdeathsig=KILL", "unshare", *_OWN, "--kill-child=KILL", "--"]
    with (work / "said").open("wb") as said:
        return subprocess.Popen(
            [*outer, *inner, "sh", str(script), str(work), str(program), *enable],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )


def _end(first: subprocess.Popen[bytes]) -> None:
    """Kill PID 1, with which everything inside ends, and wait until its parent saw it."""
    if first.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for leader in psutil.Process(first.pid).children():
                leader.kill()
    try:
        first.wait(timeout=5)
    except subprocess.TimeoutExpired:
        first.kill()  # it takes what it was about to start along
        first.wait()


def _up(first: subprocess.Popen[bytes], said: Path) -> Machine:
    """Wait until the start is over, well or not."""

    def listens() -> bool:
        if first.poll() is not None:
            return True
        try:
            below = psutil.Process(first.pid).children()
            leaders[:] = [each.pid for each in below if each.name() == "systemd"]
        except psutil.NoSuchProcess:
            return False  # what the start runs comes and goes: it is asked again
        return any(Path(f"/proc/{pid}/root/run/systemd/private").exists() for pid in leaders)

    leaders: list[int] = []
    if not eventually(listens) or first.poll() is not None:
        raise RuntimeError(f"systemd did not start: {said.read_text()}")
    machine = Machine(leader=leaders[0])
    machine.run("systemctl", "is-system-running", "--wait", check=False)
    return machine


def _leave(work: Path) -> None:
    """Remove the cgroup and those below it once nothing runs in them."""
    order = ("unshare", "--mount", "sh", "-c", _LEAVE, "sh", str(work), work.name)
    if not eventually(lambda: not _run(*order).returncode):
        raise RuntimeError(f"the cgroup {work.name} could not be removed")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_CALL_S,
    )
