"""What the cycles and the thread that asks tell each other. Nothing here waits for a lock."""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.model.address import Address
from agent.model.inputs import Identities
from agent.model.policy import Policy

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
    """

    stopwatch: Callable[[], float]
    policy: Policy | None = None
    published: tuple[Policy, Identities] | None = None
    trouble: str | None = None
    free: threading.Event = field(default_factory=threading.Event)
    _clock: tuple[datetime, float] = (datetime.min.replace(tzinfo=UTC), 0.0)
    _asked: deque[Sequence[Address]] = field(default_factory=lambda: deque(maxlen=1))
    _bell: int = field(default_factory=lambda: os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))

    @property
    def bell(self) -> int:
        """A descriptor that can be read when the thread has something to do."""
        return self._bell

    @property
    def has_asked(self) -> bool:
        """Whether a cycle has handed over addresses that were not taken yet."""
        return bool(self._asked)

    def set_clock(self, now: datetime) -> None:
        """Note what time it is."""
        self._clock = (now, self.stopwatch())

    def now(self) -> datetime:
        """Give the moment, going by the stopwatch since the last cycle."""
        at, seconds = self._clock
        return at + timedelta(seconds=self.stopwatch() - seconds)

    def put(self, addresses: Sequence[Address]) -> None:
        """Hand over whom to ask about, instead of those of the last cycle."""
        self._asked.append(addresses[:MOST_LOOKED_AT])
        self.ring()

    def take(self) -> Sequence[Address]:
        """Give whom the last cycle wants to ask about; nothing where that was given already."""
        return self._asked.popleft() if self._asked else ()

    def ring(self) -> None:
        """Wake the thread."""
        os.eventfd_write(self._bell, 1)

    def hear(self) -> None:
        """Take note of having been woken."""
        os.eventfd_read(self._bell)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._bell)
