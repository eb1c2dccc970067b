"""Two clocks: the wall's, which anybody may set, and the boot's own, which nobody can.

What is limited by time has its end on both: on the wall's as where it begins and how long
it lasts, and on the boot's, which stands still while the machine is suspended, exactly like
the kernel's timers. Within one boot the second one decides. Times are whole microseconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
JITTER_US = 50_000
"""Two looks at two clocks are that far apart without either having been set."""

WORTH_WRITING_US = 2_000_000


def micros(moment: datetime) -> int:
    """Give whole microseconds since 1970."""
    return (moment - _EPOCH) // MICROSECOND


def moment_of(microseconds: int) -> datetime:
    """Give the moment so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


@dataclass(slots=True)
class Clock:
    """Both clocks of this boot, and how far apart they were at the last look.

    Attributes:
        boot_id: Of this boot.
        stopwatch: Seconds of the boot's own clock.
        offset_us: What the wall's clock is ahead of it.
        written_us: The same when all that is limited by time was last written.
    """

    boot_id: str
    stopwatch: Callable[[], float]
    offset_us: int = 0
    written_us: int = 0

    def look(self, now: datetime) -> timedelta | None:
        """Compare both clocks; give by how much the wall's was set since, or None."""
        offset = micros(now) - self._mono()
        jump = offset - self.offset_us
        if abs(jump) <= JITTER_US:
            return None
        self.offset_us = offset
        return timedelta(microseconds=jump)

    def stamp(self, begins_us: int, lasts_us: int) -> tuple[int, str, int]:
        """Give the columns of what is limited by time: begin, boot, and end on its clock."""
        return begins_us, self.boot_id, begins_us + lasts_us - self.offset_us

    def begin(self, stamp: Sequence[Any], lasts_us: int) -> int:
        """Give where something begins by the wall's clock as it is now.

        Args:
            stamp: As it was written.
            lasts_us: Never does it end later than so long after now, whatever was written.
        """
        begins, boot, ends_mono = (int(stamp[0]), stamp[1], int(stamp[2]))
        if boot == self.boot_id:
            by_boot = ends_mono + self.offset_us - lasts_us
            if abs(by_boot - begins) <= JITTER_US:
                return begins
            begins = by_boot
        return min(begins, micros(self.now()))

    def is_old(self, stamp: Sequence[Any], lasts_us: int) -> bool:
        """Whether columns are those of another boot, or of a wall's clock set otherwise."""
        begins, boot, ends_mono = (int(stamp[0]), stamp[1], int(stamp[2]))
        by_boot = ends_mono + self.offset_us - lasts_us
        return bool(boot != self.boot_id) or abs(by_boot - begins) > WORTH_WRITING_US

    def now(self) -> datetime:
        """Give the wall clock's moment, by the boot's clock and the last look."""
        return moment_of(self._mono() + self.offset_us)

    def is_worth_writing(self) -> bool:
        """Whether the wall's clock is set otherwise than when all was last written.

        Only after a reboot does it matter. A process that is stopped between its looks
        at the two clocks sees a small jump forth and back again.
        """
        return abs(self.offset_us - self.written_us) > WORTH_WRITING_US

    def written(self) -> None:
        """Say that all that is limited by time is written by the clocks as they are."""
        self.written_us = self.offset_us

    def _mono(self) -> int:
        return int(self.stopwatch() * 1_000_000)
