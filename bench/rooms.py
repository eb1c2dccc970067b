"""Network namespaces without names: gone with the last process and descriptor in them.

Source: unshare(2), setns(2), ip-link(8).
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000
_HERE = "/proc/thread-self/ns/net"


@contextmanager
def room(setup: str = "link set lo up") -> Iterator[int]:
    """Make a namespace, and give a descriptor of it.

    Args:
        setup: Lines for ``ip -batch``, carried out in it.

    Raises:
        OSError: It may not be made; that takes root.
    """
    own = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("unshare", _CLONE_NEWNET)
        new = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        _call("setns", own, _CLONE_NEWNET)
    finally:
        os.close(own)
    try:
        with inside(new):
            subprocess.run(["ip", "-batch", "-"], input=setup, text=True, check=True)
        yield new
    finally:
        os.close(new)


@contextmanager
def inside(where: int) -> Iterator[None]:
    """Move this thread into a namespace and back; processes begun inside stay there."""
    own = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", where, _CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", own, _CLONE_NEWNET)
    finally:
        os.close(own)


@contextmanager
def fresh_room() -> Iterator[None]:
    """Be in a new namespace for a while."""
    with room() as where, inside(where):
        yield


def path_of(where: int) -> str:
    """Give a path to a namespace, for ``ip link set ... netns``."""
    return f"/proc/{os.getpid()}/fd/{where}"


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        raise OSError(ctypes.get_errno(), name)
