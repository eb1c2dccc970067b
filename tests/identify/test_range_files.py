"""Range files on the disk: missing, broken, changed, vanished, old."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import Fault
from agent.identify.range_files import (
    MOST_BYTES,
    RangeFile,
    RangeFiles,
    range_cautions,
    read_ranges,
)
from tests.builders import NOW, entry, policy, prefix


def put(path: Path, text: str, *, at: float = 0.0) -> str:
    path.write_text(text)
    os.utime(path, (at, at))
    return str(path)


def files() -> tuple[RangeFiles, Callable[[float], None]]:
    seconds = [0.0]

    def after(more: float) -> None:
        seconds[0] += more

    return RangeFiles(lambda: seconds[0]), after


def test_the_age_is_that_of_the_list_else_of_the_file(tmp_path: Path) -> None:
    dated = read_ranges(put(tmp_path / "a", "# date: 2026-11-01\n192.0.2.1"))
    undated = read_ranges(put(tmp_path / "b", "192.0.2.1", at=86_400.0))

    assert isinstance(dated, RangeFile)
    assert dated.date == datetime(2026, 11, 1, tzinfo=UTC)
    assert isinstance(undated, RangeFile)
    assert undated.date == datetime(1970, 1, 2, tzinfo=UTC)


def huge(path: Path) -> None:
    path.write_bytes(b"#" * (MOST_BYTES + 1))


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def missing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("make", [missing, Path.mkdir, os.mkfifo, huge, a_link_to_itself])
def test_what_can_not_be_read_is_told(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "list"
    make(path)
    before = len(list(Path("/proc/self/fd").iterdir()))

    found = read_ranges(str(path))

    assert isinstance(found, Fault)
    assert str(found).startswith(f"{path}: ")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    known, _ = files()
    path = put(tmp_path / "list", "192.0.2.1")

    assert known.look([path]) == {path}
    assert known.look([path]) == frozenset()
    put(tmp_path / "list", "192.0.2.2", at=7.0)
    assert known.look([path]) == {path}
    assert known.of(path) == {prefix("192.0.2.2/32")}


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_text("<html>")])
def test_the_last_good_content_stays_and_the_fault_is_told(
    tmp_path: Path, harm: Callable[[Path], object]
) -> None:
    known, _ = files()
    path = put(tmp_path / "list", "192.0.2.1")
    known.look([path])

    harm(tmp_path / "list")

    assert known.look([path]) == frozenset()
    assert known.of(path) == {prefix("192.0.2.1/32")}
    assert len(known.faults()) == 1
    put(tmp_path / "list", "192.0.2.1", at=9.0)
    assert known.look([path]) == frozenset()
    assert known.faults() == ()


def test_a_file_that_is_named_no_longer_is_forgotten(tmp_path: Path) -> None:
    known, _ = files()
    path = put(tmp_path / "list", "192.0.2.1")
    known.look([path, str(tmp_path / "gone")])

    known.look([])

    assert known.of(path) == frozenset()
    assert known.faults() == ()


def test_files_are_due_once_a_minute_and_never_without_any(tmp_path: Path) -> None:
    known, after = files()
    known.look([])
    assert known.due == float("inf")

    after(1000.0)
    known.look([str(tmp_path / "missing")])

    assert known.due == 1060.0


def test_it_is_told_of_files_that_are_missing_bad_or_old(tmp_path: Path) -> None:
    fresh = put(tmp_path / "fresh", f"# date: {NOW - timedelta(days=89):%F}\n192.0.2.1")
    old = put(tmp_path / "old", f"# date: {NOW - timedelta(days=91):%F}\n192.0.2.1")
    bad, gone = put(tmp_path / "bad", "x"), str(tmp_path / "gone")
    listed = entry("cdn", ranges=(fresh, old, bad, gone))

    found = list(range_cautions(policy(allowlist=(listed,)), NOW))

    assert [(one.kind, one.about, one.problem.split(": ")[:2]) for one in found] == [
        ("range-file", ("allowlist", "cdn", "ranges", 1), ["cdn", old]),
        ("range-file", ("allowlist", "cdn", "ranges", 2), ["cdn", f"{bad}:1:1"]),
        ("range-file", ("allowlist", "cdn", "ranges", 3), ["cdn", gone]),
    ]
    assert "older than 90 days" in found[0].problem
