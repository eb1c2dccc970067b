import pytest

from agent.service import clock
from agent.service.pace import at_most_every


def test_a_reading_is_remembered_until_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    time, readings = [100.0], iter(range(10))
    monkeypatch.setattr(clock, "stopwatch", lambda: time[0])
    read = at_most_every(5, lambda: next(readings))

    seen = []
    for moment in (100.0, 104.9, 105.0, 109.0, 110.5):
        time[0] = moment
        seen.append(read())

    assert seen == [0, 0, 1, 1, 2]
