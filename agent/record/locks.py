"""Who may act: one agent a state directory and a firewall; and how such locks are held.

All are ``flock``: a lock dies with its process, however that ends, and no program that
is started from here inherits it. The file of the agent's lock says in JSON what the agent
is, so that commands use the same firewall and policy; its time is that of the last cycle.

Source: flock(2); namespaces(7) for the inode that names a network namespace.
"""

import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.errors import BusyError, StateError
from agent.record.folder import flock, open_own, prepare

RUN_FOLDER = Path("/run/abuse-agent")
_NAMESPACE = Path("/proc/self/ns/net")
_PROBE_PATIENCE_S = 0.5
"""A command that asks whether an agent runs has the lock for a moment."""

_END = ": systemctl stop abuse-agent ends that of the service"
_MOST_BYTES = 65_536
_SAME_MOMENT = timedelta(microseconds=10)
"""A file's time goes through a float, which is that exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """What a running agent says about itself; what it does not say is empty.

    Attributes:
        pid: 0 when it can't be told.
        version: Its own.
        firewall: The backend's name.
        policies: The paths it was given.
        policy_sha256: Of what is in force.
        started: When; aware, UTC.
        every_s: From one cycle to the next.
        cycled: When it completed its last cycle; None before the first one.
    """

    pid: int = 0
    version: str = ""
    firewall: str = ""
    policies: tuple[str, ...] = ()
    policy_sha256: str = ""
    started: datetime | None = None
    every_s: float = 0.0
    cycled: datetime | None = None


@dataclass(frozen=True, slots=True)
class AgentLock:
    """The lock of the agent that runs.

    Attributes:
        descriptor: Of the file that is locked.
    """

    descriptor: int

    def tell(self, agent: Agent) -> None:
        """Write what this agent is; a full disk keeps nobody from running."""
        _tell(self.descriptor, _told(agent))
        if agent.started is not None:
            moment = agent.started.timestamp()
            with suppress(OSError):
                os.utime(self.descriptor, (moment, moment))

    def touch(self) -> None:
        """Say that a cycle was completed just now."""
        with suppress(OSError):
            os.utime(self.descriptor)


@contextmanager
def agent_lock(folder: Path, run: Path = RUN_FOLDER) -> Iterator[AgentLock]:
    """Be the only agent of a state directory, and of this network namespace's firewall.

    Args:
        folder: The state directory; made where it is not there.
        run: Where agents of all state directories meet. Where it can't be used, as by a
            user who is neither root nor its owner, only the state directory is locked.

    Raises:
        BusyError: Another agent holds it; the text has its pid.
        StateError: The directory or the file can't be used.
    """
    prepare(folder)
    path = folder / "agent.lock"
    with held(
        path, _PROBE_PATIENCE_S, lambda pid: f"another agent{pid} holds {folder}{_END}"
    ) as main:
        _tell(main, {"pid": os.getpid()})
        with _meeting(run, f"netns-{_NAMESPACE.stat().st_ino}.lock"):
            yield AgentLock(main)


def running(folder: Path) -> Agent | None:
    """Give the agent that runs with this state directory, None where none does.

    Raises:
        StateError: This user may not look.
    """
    try:
        return _holder(folder / "agent.lock")
    except PermissionError as error:
        raise StateError(f"this user may not look into {folder}: run it as root") from error
    except OSError as error:
        raise StateError(f"{folder / 'agent.lock'}: {error.strerror}") from error


def running_here(run: Path = RUN_FOLDER) -> Agent | None:
    """Give the agent that uses this network namespace's firewall, whatever its directory.

    Only its pid is told. None where none does, or this user may not look.
    """
    try:
        return _holder(run / f"netns-{_NAMESPACE.stat().st_ino}.lock")
    except OSError:
        return None


def _holder(path: Path) -> Agent | None:
    """Give who holds the lock on a file; None when nobody does, or it is not there."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return None if flock(descriptor, fcntl.LOCK_SH, 0) else _read(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def held(
    path: Path,
    patience_s: float,
    who: Callable[[str], str],
    may: Callable[[], bool] = lambda: True,
) -> Iterator[int]:
    """Hold the lock of a file, and give its descriptor.

    Args:
        path: Of the file; made where it is not there.
        patience_s: How long to wait at most.
        who: Says who has it, by `` (pid ...)`` or nothing.
        may: Whether it may be tried for just now.

    Raises:
        BusyError: Somebody else had it for longer.
        StateError: The file can't be used.
    """
    descriptor = _take(path, patience_s, who, may)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take(
    path: Path,
    patience_s: float,
    who: Callable[[str], str],
    may: Callable[[], bool] = lambda: True,
) -> int:
    """Lock the file that has this path now, not one that was removed meanwhile."""
    while True:
        descriptor = open_own(path)
        if not flock(descriptor, fcntl.LOCK_EX, patience_s, may):
            pid = _read(descriptor).pid
            os.close(descriptor)
            raise BusyError(who(f" (pid {pid})" if pid else ""))
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


@contextmanager
def _meeting(run: Path, name: str) -> Iterator[None]:
    """Hold the lock of a network namespace, where this process may."""
    try:
        descriptor = _take(
            _trusted(run) / name,
            _PROBE_PATIENCE_S,
            lambda pid: f"another agent{pid} uses the firewall of this network namespace{_END}",
        )
    except (StateError, OSError):
        yield
        return
    try:
        _tell(descriptor, {"pid": os.getpid()})
        yield
    finally:
        os.close(descriptor)


def _trusted(run: Path) -> Path:
    """Give the folder where agents meet, if nobody can lock out an agent there.

    Raises:
        OSError: It is not there and can't be made, or is not root's or this user's alone.
    """
    with suppress(FileExistsError):
        run.mkdir(mode=0o755)
    found = run.lstat()
    is_ours = found.st_uid in {0, os.geteuid()} or os.geteuid() == 0
    if not stat.S_ISDIR(found.st_mode) or not is_ours or found.st_mode & stat.S_IWOTH:
        raise PermissionError(errno.EACCES, "not a folder for locks", str(run))
    return run


def _tell(descriptor: int, fields: Mapping[str, Any]) -> None:
    """Write into a locked file at once, so that nobody reads half of it; a full disk is borne."""
    text = json.dumps(fields).encode()
    with suppress(OSError):
        os.pwrite(descriptor, text, 0)
        os.ftruncate(descriptor, len(text))


def _told(agent: Agent) -> dict[str, Any]:
    fields = asdict(agent)
    started = agent.started.timestamp() if agent.started else None
    return {**fields, "started": started, "cycled": None}


def _read(descriptor: int) -> Agent:
    """Give what a locked file says, as far as it can be understood."""
    try:
        text = os.pread(descriptor, _MOST_BYTES, 0).decode()
        fields, _ = json.JSONDecoder().raw_decode(text)
        touched = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
        return _agent(fields, touched)
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return Agent()


def _agent(fields: Mapping[str, Any], touched: datetime) -> Agent:
    stamp = fields.get("started")
    started = None if stamp is None else datetime.fromtimestamp(float(stamp), UTC)
    has_cycled = started is not None and touched - started > _SAME_MOMENT
    return Agent(
        pid=int(fields.get("pid", 0)),
        version=str(fields.get("version", "")),
        firewall=str(fields.get("firewall", "")),
        policies=tuple(str(path) for path in fields.get("policies", ())),
        policy_sha256=str(fields.get("policy_sha256", "")),
        started=started,
        every_s=float(fields.get("every_s", 0)),
        cycled=touched if has_cycled else None,
    )
