"""Network namespaces of our own: make one, step into it, remove it.

Source: ip-netns(8), setns(2).
"""

import ctypes
import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_FOLDER = Path("/run/netns")
_numbers = itertools.count()


@cache
def why_not() -> str | None:
    """Why this process can't make namespaces; None when it can."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces of its own"
    tried = subprocess.run(
        ["unshare", "--net", "true"], capture_output=True, text=True, check=False
    )
    return f"no network namespaces here: {tried.stderr.strip()}" if tried.returncode else None


def ip(*arguments: str) -> str:
    """Run ``ip`` with these arguments and give what it prints.

    Raises:
        RuntimeError: It failed; with what it said.
    """
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def namespace() -> Iterator[str]:
    """Make a namespace with loopback up, and give its name; it is gone afterwards."""
    name = f"aa{os.getpid():x}n{next(_numbers)}"
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        ip("netns", "del", name)


@contextmanager
def in_namespace(name: str) -> Iterator[None]:
    """Move the calling thread into the namespace, and back afterwards.

    A socket stays in the namespace that it was made in, and a process started inside
    begins there, so that ``with in_namespace(name): socket.socket()`` is all it takes.
    """
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(_FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _setns(own)
    finally:
        os.close(own)


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")
