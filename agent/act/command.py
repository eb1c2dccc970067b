"""The only place that starts processes: a tool of the firewall, by its name, without a shell."""

import os
import subprocess
import threading
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import IO

from agent.errors import FirewallError

_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
_PATIENCE_S = 30.0
_CHUNK_LINES = 2000


def find(tool: str) -> str | None:
    """Give the path of a tool where administrators' tools are, whatever PATH says."""
    for folder in _FOLDERS.split(":"):
        path = f"{folder}/{tool}"
        if os.access(path, os.X_OK):
            return path
    return None


def run(
    tool: str, *arguments: str, lines: Iterable[str] = (), patience_s: float = _PATIENCE_S
) -> str:
    """Run a tool to its end and give what it printed.

    Args:
        tool: Its name.
        arguments: As they are; no shell sees them.
        lines: For its standard input, each with its line feed. They are written while
            the tool is reading, so that making them and taking them in overlap.
        patience_s: It is killed after so many seconds.

    Raises:
        FirewallError: It is not there, failed, or took too long. The text has the first line
            of what it said, for the operator to read.
    """
    path = find(tool)
    if path is None:
        raise FirewallError(f"there is no {tool} here: install it")
    environment = {"PATH": _FOLDERS, "LC_ALL": "C", **_passed_on()}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [path, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    ) as process:
        # communicate() would close the input at once: the feeder does, when it is through.
        feed, process.stdin = process.stdin, None
        feeder = threading.Thread(target=_feed, args=(feed, lines), daemon=True)
        feeder.start()
        try:
            said, complaint = process.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise FirewallError(f"{tool} did not end within {patience_s:g} s") from error
        finally:
            feeder.join(timeout=1.0)
    if process.returncode:
        raise FirewallError(f"{tool}: {_first_line(complaint) or f'status {process.returncode}'}")
    return said.decode(errors="replace")


def _feed(pipe: IO[bytes] | None, lines: Iterable[str]) -> None:
    """Write everything; a tool that has ended, or was killed, reads no more."""
    if pipe is None:
        return
    rest = iter(lines)
    with suppress(BrokenPipeError), pipe:
        while chunk := "".join(islice(rest, _CHUNK_LINES)):
            pipe.write(chunk.encode())


def _passed_on() -> dict[str, str]:
    """Give the one variable that the tools shall see: where the lock of iptables is."""
    return {name: os.environ[name] for name in ("XTABLES_LOCKFILE",) if name in os.environ}


def _first_line(text: bytes) -> str:
    return next((line.strip() for line in text.decode(errors="replace").splitlines() if line), "")
