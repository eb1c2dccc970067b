"""A group at work in a live scene: connections that are held, visits, forged SYNs, a tool."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from threading import Event as Flag
from threading import Thread
from typing import Protocol

from tests.range import Daemon, Held, Visits, forge_syns
from tests.scenarios.group import Group

_BURST_EVERY_S = 0.1
_FIRST_PORT, _PORTS = 10_000, 50_000


class Player(Protocol):
    """A group at work."""

    def losses(self) -> Iterator[str]:
        """Tell what it has lost, if it is innocent."""

    def left(self) -> int:
        """Count the connections that it has now."""

    def close(self) -> None:
        """Have it go home."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Connections that were made once and are held."""

    wanted: int
    held: tuple[Held, ...]

    def losses(self) -> Iterator[str]:
        """All that was wanted was made, and is there."""
        made = sum(one.connected for one in self.held)
        if made < self.wanted:
            yield f"only {made} of {self.wanted} connections were made"
        if (left := self.left()) < made:
            yield f"only {left} of {made} connections are left"

    def left(self) -> int:
        """Count those that nobody has ended."""
        return sum(one.still_open() for one in self.held)

    def close(self) -> None:
        """Close them."""
        for one in self.held:
            one.close()


@dataclass(frozen=True, slots=True)
class Visiting:
    """Connections that are made again and again."""

    visits: tuple[Visits, ...]

    def losses(self) -> Iterator[str]:
        """All of them were made in time."""
        for one in self.visits:
            made, lost = one.so_far()
            if lost or not made:
                yield f"{lost} visits were lost, {made} made"

    def left(self) -> int:
        """None is meant to last."""
        return 0

    def close(self) -> None:
        """Have them end."""
        for one in self.visits:
            one.close()


@dataclass(frozen=True, slots=True)
class Tool:
    """A program of somebody else's."""

    daemon: Daemon

    def losses(self) -> Iterator[str]:
        """It did not fail."""
        if self.daemon.process.poll():
            yield f"the tool failed: {self.daemon.told()}"

    def left(self) -> int:
        """Nobody knows."""
        return 0

    def close(self) -> None:
        """End it."""
        self.daemon.close()


class Forger:
    """Bursts of SYNs that nobody stands behind."""

    def __init__(self, namespace: str, group: Group, to: str) -> None:
        self._done = Flag()
        sources = [str(one) for one in group.addresses]

        def forge() -> None:
            for burst in count():
                for one in range(group.each):
                    port = _FIRST_PORT + (burst * group.each + one) % _PORTS
                    forge_syns(namespace, sources, (to, group.port), from_port=port)
                if self._done.wait(_BURST_EVERY_S):
                    return

        self._thread = Thread(target=forge, daemon=True)
        self._thread.start()

    def losses(self) -> Iterator[str]:
        """It has nothing to lose."""
        yield from ()

    def left(self) -> int:
        """It has no connections."""
        return 0

    def close(self) -> None:
        """Stop it."""
        self._done.set()
        self._thread.join()
