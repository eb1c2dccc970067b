"""APScheduler under a clock that jumps. The wall clock is shifted, never the machine's own."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from threading import Condition, Event
from typing import Self

import apscheduler.schedulers.base
import pytest

from agent.service import clock
from agent.service.schedule import SteadyScheduler

EVERY = timedelta(milliseconds=50)
HOUR = timedelta(hours=1)


class WallClock:
    """A wall clock that can be set, for the scheduler and for us."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shift = timedelta(0)
        wall = self
        true_now = clock.now

        class Shifted(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Self:
                return cls.fromtimestamp((true_now() + wall.shift).timestamp(), tz)

        monkeypatch.setattr(clock, "now", lambda: true_now() + wall.shift)
        monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Shifted)


class Cycles:
    """Counts runs, and lets a test wait for some."""

    def __init__(self) -> None:
        self.starts: list[float] = []
        self.changed = Condition()

    def __call__(self) -> None:
        with self.changed:
            self.starts.append(clock.stopwatch())
            self.changed.notify_all()

    def reach(self, count: int) -> bool:
        """Wait for so many runs in all; whether they came in time."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.starts) >= count, timeout=5)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> WallClock:
    return WallClock(monkeypatch)


@pytest.fixture
def started(wall: WallClock) -> Iterator[Callable[[Cycles], SteadyScheduler]]:
    assert wall.shift == timedelta(0)
    running: list[SteadyScheduler] = []

    def start(cycles: Cycles) -> SteadyScheduler:
        scheduler = SteadyScheduler(cycles, EVERY)
        scheduler.start()
        running.append(scheduler)
        return scheduler

    yield start
    for scheduler in running:
        scheduler.shutdown()


@pytest.mark.parametrize("jump", [-HOUR, HOUR, timedelta(days=-400), timedelta(days=400)])
def test_a_jump_of_the_clock_neither_stops_nor_doubles_cycles(
    wall: WallClock, started: Callable[[Cycles], SteadyScheduler], jump: timedelta
) -> None:
    cycles = Cycles()
    started(cycles)
    assert cycles.reach(3)

    wall.shift += jump

    before = len(cycles.starts)
    assert cycles.reach(before + 4)
    gaps = [
        after - start
        for start, after in zip(cycles.starts[before:], cycles.starts[before + 1 :], strict=False)
    ]
    assert min(gaps) > EVERY.total_seconds() / 4


def test_cycles_that_were_missed_are_made_up_for_by_one(
    started: Callable[[Cycles], SteadyScheduler],
) -> None:
    release = Event()

    class Hanging(Cycles):
        def __call__(self) -> None:
            super().__call__()
            if len(self.starts) == 1:
                release.wait(timeout=5)

    slow = Hanging()
    started(slow)
    assert slow.reach(1)
    Event().wait(6 * EVERY.total_seconds())
    assert len(slow.starts) == 1
    release.set()

    assert slow.reach(4)
    gap = slow.starts[3] - slow.starts[2]
    assert gap > EVERY.total_seconds() / 4


def test_the_distance_can_be_changed_from_within_a_run() -> None:
    box: list[SteadyScheduler] = []

    class Changing(Cycles):
        def __call__(self) -> None:
            super().__call__()
            if len(self.starts) == 1:
                box[0].run_every(EVERY * 100)

    cycles = Changing()
    scheduler = SteadyScheduler(cycles, EVERY)
    box.append(scheduler)
    scheduler.start()
    try:
        assert cycles.reach(1)
        Event().wait(6 * EVERY.total_seconds())
        assert len(cycles.starts) == 1
    finally:
        scheduler.shutdown()
