"""Real servers and real clients, as processes inside a namespace."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.range.namespaces import in_namespace

_PROGRAM = Path(__file__).with_name("hold.py")
_LEAVE_S = 5.0


class Held:
    """Connections that another process holds until this is closed.

    Attributes:
        connected: How many were made when it was ready; 0 for a server.
    """

    def __init__(self, namespace: str, **order: object) -> None:
        with in_namespace(namespace):
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_PROGRAM), json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        try:
            self.connected = self._answer()
        except BaseException:
            self.close()
            raise

    def still_open(self) -> int:
        """Ask how many are held whose other end has neither closed nor reset them."""
        assert self._process.stdin
        self._process.stdin.write("count\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process, and with it its connections."""
        try:
            self._process.communicate(timeout=_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _answer(self) -> int:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line.strip().isdigit():
            raise RuntimeError(f"{_PROGRAM.name} ended early, having said {line!r}")
        return int(line)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()


def serve(namespace: str, port: int, *, address: str = "::", backlog: int = 4096) -> Held:
    """Listen, accept and hold whoever comes.

    Args:
        namespace: Where.
        port: Where.
        address: ``::`` listens for both families, ``0.0.0.0`` for IPv4 only.
        backlog: How many half-open connections the listener keeps.
    """
    return Held(namespace, do="serve", port=port, address=address, backlog=backlog)


def connect(
    namespace: str,
    sources: Iterable[str],
    to: tuple[str, int],
    *,
    each: int = 1,
    within_s: float = 5.0,
) -> Held:
    """Connect from each of these addresses, `each` times, and hold what was made.

    Args:
        namespace: Where the sources are local addresses.
        sources: All of the family of `to`.
        to: Address and port.
        each: Connections of each source.
        within_s: What is not connected after this time is given up; `connected` tells.
    """
    order = {"sources": list(sources), "to": list(to), "each": each, "within_s": within_s}
    return Held(namespace, do="connect", **order)
