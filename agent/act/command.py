"""The only place that starts processes: a tool of the firewall, by its name, without a shell."""

import os
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from select import PIPE_BUF
from typing import IO

from agent.errors import FirewallError

_FOLDERS = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
_PATIENCE_S = 30.0


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
        lines: For its standard input, each with its line feed. They are complete before it
            starts: were this process killed meanwhile, half a script would be another one.
        patience_s: It is killed after so many seconds.

    Raises:
        FirewallError: It is not there, failed, or took too long. The text has the first line
            of what it said, for the operator to read.
    """
    try:
        with open(os.memfd_create(tool), "w+b") as script:  # noqa: PTH123 - it has no path
            script.writelines(line.encode() for line in lines)
            script.seek(0)
            with _started(tool, arguments, script.fileno()) as process:
                return _end_of(process, tool, patience_s)
    except OSError as error:
        raise _unable(tool, error) from error


def stream(
    tool: str, *arguments: str, lines: Iterable[str], patience_s: float = _PATIENCE_S
) -> str:
    """Run a tool that takes its input line by line, while the lines are being made.

    No line ever reaches it in part, also when this process is killed: what is written at
    once is whole lines of at most PIPE_BUF bytes, which the kernel never splits (pipe(7)).
    A cut ``192.0.2.1/32`` would be ``192.0.2.1/3``.

    Args:
        tool: Its name.
        arguments: As they are; no shell sees them.
        lines: Each with its line feed.
        patience_s: It is killed after so many seconds.

    Raises:
        FirewallError: As `run`.
    """
    try:
        with _started(tool, arguments, subprocess.PIPE) as process:
            # communicate() would close the input at once: the feeder does, when it is through.
            feed, process.stdin = process.stdin, None
            feeder = threading.Thread(target=_feed, args=(feed, lines), daemon=True)
            feeder.start()
            try:
                return _end_of(process, tool, patience_s)
            finally:
                feeder.join(timeout=1.0)
    except OSError as error:
        raise _unable(tool, error) from error


def _started(tool: str, arguments: Sequence[str], script: int) -> "subprocess.Popen[bytes]":
    path = find(tool)
    if path is None:
        raise FirewallError(f"there is no {tool} here: install it")
    return subprocess.Popen(
        [path, *arguments],
        stdin=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": _FOLDERS, "LC_ALL": "C", **_passed_on()},
    )


def _end_of(process: "subprocess.Popen[bytes]", tool: str, patience_s: float) -> str:
    """Wait for the end, and give what was printed."""
    try:
        said, complaint = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired as error:
        process.kill()
        raise FirewallError(f"{tool} did not end within {patience_s:g} s") from error
    if process.returncode:
        raise FirewallError(f"{tool}: {_first_line(complaint) or f'status {process.returncode}'}")
    return said.decode(errors="replace")


def _feed(pipe: IO[bytes] | None, lines: Iterable[str]) -> None:
    """Write everything; a tool that has ended, or was killed, reads no more."""
    if pipe is None:
        return
    with suppress(BrokenPipeError), pipe:
        for chunk in chunks(lines):
            os.write(pipe.fileno(), chunk)


def chunks(lines: Iterable[str]) -> Iterator[bytes]:
    """Join as many lines as the kernel takes at once."""
    chunk = b""
    for line in lines:
        added = line.encode()
        if len(chunk) + len(added) > PIPE_BUF:
            yield chunk
            chunk = b""
        chunk += added
    yield chunk


def _unable(tool: str, error: OSError) -> FirewallError:
    return FirewallError(f"{tool} can't be run: {error.strerror or error}")


def _passed_on() -> dict[str, str]:
    """Give the one variable that the tools shall see: where the lock of iptables is."""
    return {name: os.environ[name] for name in ("XTABLES_LOCKFILE",) if name in os.environ}


def _first_line(text: bytes) -> str:
    return next((line.strip() for line in text.decode(errors="replace").splitlines() if line), "")
