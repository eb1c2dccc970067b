"""Counters: what grows now is told, what is since boot is context."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.desk.doctor.counted import COUNTERS, counted
from agent.desk.doctor.facts import Facts
from agent.desk.doctor.values import Finding, Grade
from tests.desk.doctor.sick import facts, grades, sockets

PAGE = Path(__file__).parents[3] / "docs/doctor.md"
SINCE_BOOT = {one.name: 5_000_000 for one in COUNTERS}


def grown(**more: int) -> Facts:
    """Give counters of a busy machine that grew; ``Tcp__OutSegs`` is ``Tcp.OutSegs``."""
    names = {name.replace("__", "."): count for name, count in more.items()}
    return facts(sockets(), counters=SINCE_BOOT, grown=names)


def loud(told: Facts) -> dict[str, Grade]:
    return {name: one for name, one in grades(counted(told)).items() if one is not Grade.FINE}


def test_what_was_counted_since_boot_alone_is_no_illness() -> None:
    assert loud(grown()) == {}
    assert len(list(counted(grown()))) == len(COUNTERS)


@pytest.mark.parametrize(
    ("name", "least", "grade"),
    [
        ("TcpExt.ListenOverflows", 1, Grade.WRONG),
        ("TcpExt.TCPReqQFullDrop", 1, Grade.WRONG),
        ("TcpExt.TCPReqQFullDoCookies", 100, Grade.ADVICE),
        ("TcpExt.TCPMemoryPressures", 1, Grade.WRONG),
        ("TcpExt.TCPAbortOnMemory", 1, Grade.WRONG),
        ("TcpExt.RcvPruned", 1, Grade.ADVICE),
        ("TcpExt.TCPBacklogDrop", 100, Grade.ADVICE),
    ],
)
def test_what_grows_is_told_from_so_much_on(name: str, least: int, grade: Grade) -> None:
    key = name.replace(".", "__")

    assert loud(grown(**{key: least})) == {name: grade}
    assert loud(grown(**{key: least - 1})) == {}


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [("Tcp__RetransSegs", "Tcp__OutSegs", 5), ("Tcp__InErrs", "Tcp__InSegs", 1)],
)
def test_what_is_usual_in_a_crowd_is_told_by_its_share(part: str, whole: str, share: int) -> None:
    assert loud(grown(**{part: 1000, whole: 100_000 // share})) == {
        part.replace("__", "."): Grade.ADVICE
    }
    assert loud(grown(**{part: 1000, whole: 100_000 // share + 200})) == {}
    assert loud(grown(**{part: 99, whole: 99})) == {}


def test_the_value_tells_both() -> None:
    found: dict[str, Finding] = {one.name: one for one in counted(grown(Tcp__OutRsts=7))}

    assert found["Tcp.OutRsts"].value == "5000000 since boot, 7 in 2s"


def test_after_a_single_look_there_is_only_the_sum() -> None:
    found = {one.name: one for one in counted(replace(grown(), watched_s=0))}

    assert found["Tcp.OutRsts"].value == "5000000 since boot"


def test_hidden_counters_are_told_as_unknown() -> None:
    told = facts(sockets(), unread={"counters": "netstat: Permission denied"})

    assert grades(counted(told)) == {"counters": Grade.UNKNOWN}


def test_each_counter_is_on_the_page() -> None:
    page = PAGE.read_text()

    assert [one.name for one in COUNTERS if f"`{one.name}`" not in page] == []
