"""The state directory: there, writable, and every file in it its owner's.

Commands run as root in a directory that belongs to the service's user. What they make
there has to stay usable for the service, so a new file is given to the directory's owner,
and nothing but what was just made is ever given away.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from agent.errors import StateError

FOLDER_MODE = 0o750
FILE_MODE = 0o640
_STEP_S = 0.02


def prepare(folder: Path) -> None:
    """See to it that the state directory is there and can be written.

    Raises:
        StateError: It is not; the text says what to do.
    """
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        is_writable = os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
        is_read_only = not is_writable and _is_read_only(folder)
    except OSError as error:
        raise StateError(
            f"{folder}: the state directory can't be made: {error.strerror}; "
            f"make it (mkdir -p -m 750 {folder}), or name another with --state-dir"
        ) from error
    if is_read_only:
        raise StateError(f"{folder}: the file system is read-only; see --state-dir")
    if not is_writable:
        raise StateError(
            f"{folder}: this user may not write there; run it as root or as the directory's "
            f"owner, or give it away (chown), or name another with --state-dir"
        )


def open_own(path: Path) -> int:
    """Open a file of ours to read and write, and make it where it is not there.

    Returns:
        A descriptor that no program started from here inherits.

    Raises:
        StateError: It can't be opened, or it is a symbolic link.
    """
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        try:
            return _regular(os.open(path, flags))
        except FileNotFoundError:
            return _made(path, flags)
    except OSError as error:
        raise StateError(f"{path}: {_why(error)}") from error


def flock(
    descriptor: int, how: int, patience_s: float, may: Callable[[], bool] = lambda: True
) -> bool:
    """Take a lock on an open file, and wait for it no longer than that.

    Args:
        descriptor: Of the file; the lock ends with it.
        how: ``fcntl.LOCK_EX`` or ``fcntl.LOCK_SH``.
        patience_s: How long to wait at most; 0 tries once.
        may: Whether it may be tried for just now.

    Returns:
        Whether it was had.
    """
    for left in range(int(patience_s / _STEP_S), -1, -1):
        if may() and _is_had(descriptor, how):
            return True
        if left:
            time.sleep(_STEP_S)
    return False


def _is_had(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def give_away(descriptor: int, folder: Path) -> None:
    """Give a file that was just made to the owner of its directory; only root can."""
    os.fchmod(descriptor, FILE_MODE)
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _made(path: Path, flags: int) -> int:
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, FILE_MODE)
    except FileExistsError:
        # Somebody else made it just now.
        return _regular(os.open(path, flags))
    give_away(descriptor, path.parent)
    return descriptor


def _regular(descriptor: int) -> int:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is not a file")


def _why(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a symbolic link; remove it"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "this user may not use it; run it as root or as the owner of the directory"
    return error.strerror or str(error)


def _is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
