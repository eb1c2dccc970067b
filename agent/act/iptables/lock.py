"""The lock that all writers of legacy iptables hold: the library that we use does not take it.

Source: iptables/xshared.c of iptables 1.8 (XT_LOCK_NAME, xtables_lock).
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import FirewallError, PrivilegeError

_USUAL = "/run/xtables.lock"
_PATIENCE_S = 2.0
_PAUSE_S = 0.02
_OWNER_ONLY = 0o600


@contextmanager
def xtables_lock(patience_s: float = _PATIENCE_S) -> Iterator[None]:
    """Hold the lock.

    Raises:
        PrivilegeError: This process may not open it.
        FirewallError: Another process held it all the time.
    """
    path = os.environ.get("XTABLES_LOCKFILE") or _USUAL
    descriptor = _opened(path)
    try:
        _take(descriptor, path, patience_s)
        yield
    finally:
        os.close(descriptor)


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _OWNER_ONLY)
    except PermissionError as error:
        raise PrivilegeError(
            f"{path} may not be opened: it is for root only; a file in /etc/tmpfiles.d with the "
            f"line 'f {path} 0660 root abuse-agent' shares it with the service's user"
        ) from error
    except OSError as error:
        raise FirewallError(f"{path} can't be opened: {error.strerror}") from error


def _take(descriptor: int, path: str, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise FirewallError(
                    f"another process has held {path} for {patience_s:g} s: "
                    "nothing was changed in iptables"
                ) from error
        time.sleep(_PAUSE_S)
