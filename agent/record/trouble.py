"""What keeps a part beside the judgement from its work, told when it begins, changes and ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.record.events import Event, Level

TOLD_EVERY = timedelta(minutes=1)


@dataclass(slots=True)
class Trouble:
    """Remembers what was told; whatever comes and goes is told once a minute at most.

    Attributes:
        part: What is in trouble, as events are named: ``identify``, ``tape``.
    """

    part: str
    _told: str | None = None
    _at: datetime | None = None

    def news(self, reason: str | None, now: datetime) -> Iterator[Event]:
        """Give the event for a change, if it is time to tell.

        Args:
            reason: Why not all of its work is done; None while all is well.
            now: The moment.
        """
        is_soon = self._at is not None and timedelta(0) <= now - self._at < TOLD_EVERY
        if reason == self._told or is_soon:
            return
        self._told, self._at = reason, now
        if reason is None:
            yield Event(f"{self.part}.recovered", {})
        else:
            yield Event(f"{self.part}.troubled", {"reason": reason}, Level.WARNING)
