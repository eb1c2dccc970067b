from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.desk.doctor import examine as module
from agent.desk.doctor.examine import examine, grown
from agent.desk.doctor.values import Grade, Topic
from agent.desk.where import Where
from agent.errors import ObserveError

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = 100.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += seconds


def somewhere(folder: Path, clock: Clock) -> Where:
    return Where(folder=folder, paths=(), firewall=None, now=NOW, stopwatch=clock, boot_id="a-boot")


def test_it_looks_twice_and_tells_of_the_second_moment(tmp_path: Path) -> None:
    clock = Clock()

    found = examine(somewhere(tmp_path, clock), timedelta(seconds=3), clock.pause)

    assert clock.pauses == [3.0]
    assert found.facts.before is not None
    assert (found.facts.watched_s, found.facts.now) == (3.0, NOW + timedelta(seconds=3))


def test_a_single_look_waits_for_nothing(tmp_path: Path) -> None:
    clock = Clock()

    found = examine(somewhere(tmp_path, clock), timedelta(), clock.pause)

    assert (clock.pauses, found.facts.before, found.facts.watched_s) == ([], None, 0.0)


def test_findings_come_in_the_order_of_topics(tmp_path: Path) -> None:
    clock = Clock()

    found = examine(somewhere(tmp_path, clock), timedelta(), clock.pause)

    order = list(Topic)
    places = [order.index(one.topic) for one in found.findings]
    assert places == sorted(places)
    assert {Topic.STATES, Topic.QUEUES} <= {one.topic for one in found.findings}


def test_what_can_not_be_read_stops_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise ObserveError("netlink: not for you")

    monkeypatch.setattr(module, "read_sockets", refuse)
    clock = Clock()

    found = examine(somewhere(tmp_path, clock), timedelta(seconds=1), clock.pause)

    told = [one for one in found.findings if one.grade is Grade.UNKNOWN and one.name == "sockets"]
    assert "not for you" in told[0].says


def test_only_what_has_grown_is_told_as_grown() -> None:
    before = {"Tcp.PassiveOpens": 5, "Tcp.ActiveOpens": 7, "TcpExt.ListenDrops": 9}
    after = {"Tcp.PassiveOpens": 8, "Tcp.ActiveOpens": 7, "TcpExt.ListenDrops": 2, "Tcp.New": 1}

    assert grown(before, after) == {"Tcp.PassiveOpens": 3}
