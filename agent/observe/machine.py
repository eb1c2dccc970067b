"""What this machine is: its memory, processors and kernel, and whether its clock is set.

Source: proc_meminfo(5); adjtimex(2), which with no modes only tells: 5 is TIME_ERROR, the
clock is not synchronised, as when STA_UNSYNC is set.
"""

import ctypes
import os
from pathlib import Path

from agent.errors import ObserveError

_TIME_ERROR = 5
_TIMEX_BYTES = 512
"""More than ``struct timex`` has on any machine: 208 bytes."""


def memory_bytes(root: Path = Path("/")) -> int:
    """Give all of the memory; 0 where that can't be told.

    Args:
        root: Where the tree with ``proc`` begins.
    """
    return parse_meminfo(_text(root / "proc/meminfo"))


def parse_meminfo(text: str) -> int:
    """Give MemTotal in bytes; 0 where it is missing."""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if name == "MemTotal" and words and words[0].isascii() and words[0].isdecimal():
            return int(words[0][:15]) * 1024
    return 0


def kernel_release(root: Path = Path("/")) -> str:
    """Give the kernel's release, as ``6.1.0-18-amd64``; empty where it can't be told.

    Args:
        root: Where the tree with ``proc`` begins.
    """
    return _text(root / "proc/sys/kernel/osrelease").strip()


def processors() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0))


def is_clock_set() -> bool:
    """Whether the kernel knows its clock to be synchronised with others.

    Raises:
        ObserveError: The kernel does not tell.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    told = int(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    if told < 0:
        raise ObserveError(f"adjtimex: {os.strerror(ctypes.get_errno())}")
    return told != _TIME_ERROR


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
