"""Paths -> texts: the only module here that touches the disk.

Only regular files are opened, so a pipe or a device can't make the agent wait.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from importlib.resources import files as resources
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO

from agent.model.policy import Policy
from agent.policy.parse import parse_policy
from agent.policy.text import PolicyText, Unread
from agent.policy.words import escaped

OPERATORS = "/etc/abuse-agent/policies"
LARGEST_BYTES = 1_048_576

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})


def default_paths() -> tuple[str, ...]:
    """Give what is read when no path is named: the operator's folder, else the packaged file."""
    return (OPERATORS,) if _is_folder(OPERATORS) else (packaged_policy(),)


def packaged_policy() -> str:
    """Give the path of the policy that comes with the agent."""
    return str(resources("agent.policy") / "packaged" / "default.yaml")


def load_policy(paths: Sequence[str]) -> Policy:
    """Read and parse files and folders.

    Raises:
        PolicyError: Something is wrong; it tells all of it.
        MissingFileError: Nothing is wrong but paths that do not exist.
    """
    return parse_policy(read_files(paths))


def read_files(paths: Sequence[str]) -> tuple[PolicyText | Unread, ...]:
    """Read files, and the ``*.yaml`` of folders in name order; one item a file or a fault."""
    seen: dict[tuple[int, int], str] = {}
    return tuple(text for path in paths for text in _read_path(path, seen))


def _read_path(path: str, seen: dict[tuple[int, int], str]) -> Iterator[PolicyText | Unread]:
    if not path.isprintable():
        yield Unread(file=escaped(path), problem="unprintable characters in a name: rename it")
    elif path and _is_folder(path):
        yield from _read_folder(path, seen)
    elif path:
        yield _read_file(path, seen)
    else:
        yield Unread(file="''", problem="an empty path")


def _read_folder(path: str, seen: dict[tuple[int, int], str]) -> Iterator[PolicyText | Unread]:
    try:
        names = sorted(each.name for each in Path(path).iterdir() if each.name[0] != ".")
    except OSError as error:
        yield _refused(path, error)
        return
    if not any(name.endswith(".yaml") for name in names):
        yield Unread(file=path, problem="no *.yaml file is in this folder")
    for name in names:
        file = f"{path.removesuffix('/')}/{name}"
        if name.endswith(".yml"):
            yield Unread(file=escaped(file), problem="of a folder only *.yaml is read: rename it")
        elif name.endswith(".yaml"):
            yield _read_item(file, seen)


def _read_item(file: str, seen: dict[tuple[int, int], str]) -> PolicyText | Unread:
    if not file.isprintable():
        return Unread(file=escaped(file), problem="unprintable characters in a name: rename it")
    return _read_file(file, seen)


def _read_file(file: str, seen: dict[tuple[int, int], str]) -> PolicyText | Unread:
    try:
        mode = Path(file).stat().st_mode
        if not S_ISREG(mode):
            kind = "folder within a folder" if S_ISDIR(mode) else "pipe, socket or device"
            return Unread(file=file, problem=f"not a regular file but a {kind}")
        with _open(file) as stream:
            status = os.fstat(stream.fileno())
            raw = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        return _refused(file, error)
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return Unread(file=file, problem=f"the same file as {seen[identity]}: name it once")
    seen[identity] = file
    if len(raw) > LARGEST_BYTES:
        return Unread(file=file, problem="larger than 1 MiB: no policy is")
    return PolicyText(file=file, folder=str(Path(file).absolute().parent), raw=raw)


def _is_folder(path: str) -> bool:
    """Whether `path` is a folder, also one that can't be looked at: that is told on reading it."""
    try:
        return Path(path).is_dir()
    except PermissionError:
        return True
    except OSError:
        return False


def _open(file: str) -> BinaryIO:
    """Open `file` without ever waiting for whoever may be at its other end."""
    return os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


def _refused(file: str, error: OSError) -> Unread:
    if error.errno in _ABSENT and not Path(file).is_symlink():
        return Unread(file=file, problem="does not exist", missing=True)
    if error.errno in _ABSENT:
        return Unread(file=file, problem="a symbolic link to a file that does not exist")
    reason = os.strerror(error.errno) if error.errno else "it can't be read"
    return Unread(file=file, problem=f"unreadable: {reason[0].lower()}{reason[1:]}")
