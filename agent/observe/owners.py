"""Which processes have sockets, by the links in their folders of open files.

Of another user's processes only root may read them. Source: proc_pid_fd(5).
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Process: TypeAlias = tuple[int, str]
"""Its number, and the name that it gives itself: up to 15 bytes of anything."""

_SOCKET = "socket:["
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Who has some sockets.

    Attributes:
        sockets: How many each process has. Several may share one: those with the lowest
            numbers are told, until each socket has somebody.
        unknown: How many nobody was found for.
        hidden: How many processes this user may not look into.
    """

    sockets: Mapping[Process, int] = field(default_factory=dict)
    unknown: int = 0
    hidden: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Who has each of some sockets.

    Attributes:
        of: By inode; the process with the lowest number, where several share one.
        hidden: How many processes this user may not look into.
    """

    of: Mapping[int, Process] = field(default_factory=dict)
    hidden: int = 0


def read_holders(inodes: Collection[int], root: Path = Path("/")) -> Holders:
    """Find for each socket with one of these inodes a process that has it."""
    wanted, found, hidden = frozenset(inodes), dict[int, Process](), 0
    for process, own in _shares(wanted, root):
        hidden += own is None
        if own:
            holder = int(process.name), _name(process)
            found |= dict.fromkeys(own - found.keys(), holder)
        if len(found) == len(wanted):
            break
    return Holders(of=found, hidden=hidden)


def read_owners(inodes: Collection[int], root: Path = Path("/")) -> Owners:
    """Find the processes that have the sockets with these inodes, until each has one."""
    wanted, found, hidden = frozenset(inodes), set[int](), 0
    counts: Counter[Process] = Counter()
    for process, own in _shares(wanted, root):
        hidden += own is None
        if own:
            found |= own
            counts[int(process.name), _name(process)] += len(own)
        if found == wanted:
            break
    return Owners(sockets=dict(counts), unknown=len(wanted - found), hidden=hidden)


def parse_socket(target: str) -> int | None:
    """Give the inode of the socket that a link of an open file leads to; None for another file."""
    number = target.removeprefix(_SOCKET).removesuffix("]")
    return int(number) if target.startswith(_SOCKET) and number.isdecimal() else None


def _shares(wanted: frozenset[int], root: Path) -> Iterator[tuple[Path, frozenset[int] | None]]:
    """Give each process with those wanted sockets that it has; None where it is hidden."""
    if not wanted:
        return
    for process in _processes(root / "proc"):
        try:
            yield process, wanted & frozenset(_sockets(process / "fd"))
        except PermissionError:
            yield process, None


def _processes(folder: Path) -> Iterator[Path]:
    try:
        names = sorted((one.name for one in os.scandir(folder) if one.name.isdecimal()), key=int)
    except OSError:
        return
    yield from (folder / name for name in names)


def _sockets(folder: Path) -> Iterator[int]:
    """Give the inodes of a process's sockets; none of one that has ended.

    Raises:
        PermissionError: This user may not look.
    """
    try:
        descriptor = os.open(folder, _FOLDER)
    except (FileNotFoundError, ProcessLookupError):
        return
    try:
        for name in os.listdir(descriptor):  # noqa: PTH208 - a Path knows no descriptors
            inode = _inode(name, descriptor)
            if inode is not None:
                yield inode
    except (FileNotFoundError, ProcessLookupError):
        return
    finally:
        os.close(descriptor)


def _inode(name: str, folder: int) -> int | None:
    try:
        # Seen from its folder: whole paths of a hundred thousand would take twice as long.
        return parse_socket(os.readlink(name, dir_fd=folder))
    except FileNotFoundError:
        return None


def _name(process: Path) -> str:
    try:
        raw = (process / "comm").read_bytes()
    except OSError:
        return "?"
    return raw.decode(errors="replace").removesuffix("\n") or "?"
