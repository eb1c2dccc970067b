"""APScheduler, made to keep its distances when the wall clock jumps.

APScheduler times by the wall clock: set back an hour, it sleeps that hour out. Its
thread, though, waits on a monotonic clock and so wakes up when it should. All
that is missing then is that the planned times move along with the clock.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from agent.service import clock

JUMP = timedelta(milliseconds=50)
"""A smaller step of the clock is left alone: the clock is being slewed."""

_CYCLE = "cycle"


class SteadyScheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler 3 has no types
    """Runs one job again and again in one daemon thread, never two runs at once.

    Runs that were missed are made up for by one. The thread is a daemon so that a
    run which hangs can't keep the process from ending.
    """

    def __init__(self, run: Callable[[], None], every: timedelta) -> None:
        super().__init__(timezone=UTC, executors={"default": DebugExecutor()})
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL + 1)
        self._offset = _offset()
        self.add_job(
            run,
            _interval(every),
            id=_CYCLE,
            next_run_time=clock.now(),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def run_every(self, every: timedelta) -> None:
        """Change the distance; meant to be called from within a run."""
        self.reschedule_job(_CYCLE, trigger=_interval(every))

    def _process_jobs(self) -> float | None:
        """Run what is due; called by the scheduler's own thread whenever it wakes up."""
        self._follow_the_clock()
        wait: float | None = super()._process_jobs()
        return wait

    def _follow_the_clock(self) -> None:
        offset = _offset()
        jump = offset - self._offset
        if abs(jump) < JUMP:
            return
        self._offset = offset
        for job in self.get_jobs():
            job.modify(next_run_time=job.next_run_time + jump)


def _interval(every: timedelta) -> IntervalTrigger:
    return IntervalTrigger(seconds=every.total_seconds(), timezone=UTC)


def _offset() -> timedelta:
    """Give how far the wall clock is ahead of the monotonic one."""
    wall: datetime = clock.now()
    return timedelta(seconds=wall.timestamp() - clock.stopwatch())
