"""What the cycles and the thread that asks tell each other. Nothing here waits for a lock."""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from math import inf

from agent.model.address import Address
from agent.model.inputs import Identities
from agent.model.policy import Policy

MOST_QUEUED = 2000
MOST_LOOKED_AT = 4000
"""Of the addresses of one cycle, the heaviest first."""


@dataclass(slots=True)
class Post:
    """Between the cycles and the thread; each field is written by one of them only.

    Attributes:
        stopwatch: Seconds that only grow.
        policy: The cycles': in force.
        published: The thread's: what is known, and for which policy.
        trouble: The thread's: why not everything can be identified.
        free: Set while no cycle is under way.
        dropped_at: When an address last found the queue full, by the stopwatch.
    """

    stopwatch: Callable[[], float]
    policy: Policy | None = None
    published: tuple[Policy, Identities] | None = None
    trouble: str | None = None
    free: threading.Event = field(default_factory=threading.Event)
    dropped_at: float = -inf
    _clock: tuple[datetime, float] = (datetime.min.replace(tzinfo=UTC), 0.0)
    _queue: deque[bytes] = field(default_factory=deque)
    _queued: set[bytes] = field(default_factory=set)
    _bell: int = field(default_factory=lambda: os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))

    @property
    def bell(self) -> int:
        """A descriptor that can be read when the thread has something to do."""
        return self._bell

    @property
    def queued(self) -> int:
        """How many addresses wait to be asked about."""
        return len(self._queue)

    def set_clock(self, now: datetime) -> None:
        """Note what time it is."""
        self._clock = (now, self.stopwatch())

    def now(self) -> datetime:
        """Give the moment, going by the stopwatch since the last cycle."""
        at, seconds = self._clock
        return at + timedelta(seconds=self.stopwatch() - seconds)

    def put(self, addresses: Sequence[Address], is_settled: Callable[[bytes], bool]) -> None:
        """Queue addresses, as far as there is room and they are not settled or queued already."""
        was_empty = not self._queue
        for address in addresses[:MOST_LOOKED_AT]:
            key = address.packed
            if key in self._queued or is_settled(key):
                continue
            if len(self._queue) >= MOST_QUEUED:
                self.dropped_at = self.stopwatch()
                break
            self._queued.add(key)
            self._queue.append(key)
        if was_empty and self._queue:
            self.ring()

    def take(self) -> Address | None:
        """Give the next address of the queue; None when it is empty."""
        if not self._queue:
            return None
        return ip_address(self._queue.popleft())

    def done(self, address: Address) -> None:
        """Let an address that was taken be queued again."""
        self._queued.discard(address.packed)

    def forget(self) -> None:
        """Let all that were taken be queued again; what came of them is lost."""
        self._queued.intersection_update(self._queue)

    def ring(self) -> None:
        """Wake the thread."""
        os.eventfd_write(self._bell, 1)

    def hear(self) -> None:
        """Take note of having been woken."""
        os.eventfd_read(self._bell)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._bell)
