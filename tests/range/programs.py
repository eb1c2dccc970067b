"""Real servers and real clients, as processes inside a namespace."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.range.namespaces import in_namespace

_FOLDER = Path(__file__).parent
_LEAVE_S = 5.0

VISIT_S = 3.0
"""Whoever has not been let in by then is not waited for any more."""


class Program:
    """One of the programs beside this file, at work inside a namespace until this is closed."""

    def __init__(self, namespace: str, name: str, order: Mapping[str, object]) -> None:
        self._name = name
        with in_namespace(namespace):
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_FOLDER / name), json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        try:
            self.first = self._answer()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def ask(self) -> tuple[int, ...]:
        """Ask how it is by now, in numbers."""
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

    def _answer(self) -> tuple[int, ...]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line.replace(" ", "").strip().isdigit():
            raise RuntimeError(f"{self._name} ended early, having said {line!r}")
        return tuple(map(int, line.split()))

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


class Held(Program):
    """Connections that another process holds until this is closed."""

    def __init__(self, namespace: str, **order: object) -> None:
        super().__init__(namespace, "hold.py", order)

    @property
    def connected(self) -> int:
        """How many were made when it was ready; 0 for a server."""
        return self.first[0]

    def still_open(self) -> int:
        """Ask how many are held whose other end has neither closed nor reset them."""
        return self.ask()[0]


class Visits(Program):
    """Clients that come again and again until this is closed."""

    def so_far(self) -> tuple[int, int]:
        """Ask how many visits went well, and how many did not."""
        made, lost = self.ask()
        return made, lost


def serve(
    namespace: str, port: int, *, address: str = "::", backlog: int = 4096, closes: bool = False
) -> Held:
    """Listen, accept and hold whoever comes.

    Args:
        namespace: Where.
        port: Where.
        address: ``::`` listens for both families, ``0.0.0.0`` for IPv4 only.
        backlog: How many half-open connections the listener keeps.
        closes: Whether it closes what the other end has closed; else that stays CLOSE_WAIT.
    """
    order = {"port": port, "address": address, "backlog": backlog, "closes": closes}
    return Held(namespace, do="serve", **order)


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


def visit(
    namespace: str,
    sources: Iterable[str],
    to: tuple[str, int],
    *,
    every_s: float = 0.3,
    asks: bool = False,
) -> Visits:
    """Have each of these addresses open a new connection again and again.

    A visit of which a packet was dropped, so that it had to be sent again, is lost.

    Args:
        namespace: Where the sources are local addresses.
        sources: All of the family of `to`.
        to: Address and port.
        every_s: Between two visits.
        asks: Whether they ask for a page and wait until the server closes; else they close
            as soon as they are connected.
    """
    order = {"sources": list(sources), "to": list(to), "every_s": every_s, "asks": asks}
    return Visits(namespace, "visit.py", {**order, "within_s": VISIT_S})
