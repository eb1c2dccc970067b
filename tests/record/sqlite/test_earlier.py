"""Bans of one prefix that are over, read whole out of the ledger."""

from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import StateError
from agent.model.ban import Ban
from agent.record.ledger import End
from agent.record.sqlite import earlier
from agent.record.sqlite.earlier import Earlier, read_earlier
from tests.builders import NOW, ban, prefix
from tests.record.sqlite.test_file import ledger_in

ONE = "192.0.2.10/32"


def read(folder: Path, text: str = ONE) -> tuple[Earlier, ...]:
    return read_earlier(folder, prefix(text), boot_id="a", stopwatch=lambda: 1000.0, now=NOW)


def write(folder: Path, *ends: tuple[Ban, End | None]) -> None:
    with ledger_in(folder) as ledger:
        for one, how in ends:
            ledger.intend([one])
            ledger.settle([one], ())
            if how is not None:
                ledger.end([one], one.begins + timedelta(minutes=1), how)
        assert ledger.trouble() is None


def test_they_come_newest_first_with_all_that_led_to_them(tmp_path: Path) -> None:
    old = ban(ONE, ban_id="old", begins=NOW - timedelta(hours=2), reasons=("a", "b"))
    new = ban(ONE, ban_id="new", begins=NOW - timedelta(hours=1))
    write(tmp_path, (old, End.EXPIRED), (new, End.FORGIVEN), (ban(ONE, ban_id="now"), None))

    first, second = read(tmp_path)
    assert (first.ban, first.how) == (new, End.FORGIVEN)
    assert (second.ban, second.how) == (old, End.EXPIRED)
    assert second.ended == old.begins + timedelta(minutes=1)


def test_whoever_overlaps_is_told_of_and_nobody_else(tmp_path: Path) -> None:
    texts = (ONE, "192.0.2.11/32", "192.0.0.0/16", "2001:db8::/64")
    write(tmp_path, *((ban(text, ban_id=f"b{i}"), End.LIFTED) for i, text in enumerate(texts)))

    def found(text: str) -> list[str]:
        return sorted(str(one.ban.source) for one in read(tmp_path, text))

    assert found(ONE) == ["192.0.0.0/16", "192.0.2.10"]
    assert found("192.0.2.0/24") == ["192.0.0.0/16", "192.0.2.10", "192.0.2.11"]
    assert found("2001:db8::1/128") == ["2001:db8::/64"]


def test_of_very_many_the_newest_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier, "MOST", 2)
    bans = [ban(ONE, ban_id=f"b{n}", begins=NOW - timedelta(hours=n)) for n in range(1, 5)]
    write(tmp_path, *((one, End.EXPIRED) for one in bans))

    assert [one.ban.ban_id for one in read(tmp_path)] == ["b1", "b2"]


def test_where_there_is_no_ledger_there_are_none_and_nothing_is_made(tmp_path: Path) -> None:
    assert read(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_one_is_said(tmp_path: Path) -> None:
    write(tmp_path, (ban(ONE), End.EXPIRED))
    (tmp_path / "ledger.db").write_bytes(b"x" * 4096)
    with pytest.raises(StateError):
        read(tmp_path)
