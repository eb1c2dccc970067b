"""Listings: what they are told of a ledger, and that they leave no trace in it."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.errors import StateError
from agent.model.inputs import Permit
from agent.record.ledger import End, Ledger, MemoryLedger
from agent.record.sqlite.look import look_into
from tests.builders import NOW, ban, prefix
from tests.record.sqlite.test_file import DAMAGES, as_nobody, execute, fill, ledger_in, let_in

PERMIT = Permit(prefix=prefix("192.0.2.77/32"), until=NOW.replace(hour=4), why="by hand")


def look(folder: Path) -> MemoryLedger | None:
    return look_into(folder, boot_id="a", stopwatch=lambda: 1000.0, now=NOW)


def trace(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Give all that a change would leave other than it was."""
    return {
        one.name: (one.read_bytes(), one.stat().st_mtime_ns, one.stat().st_ino)
        for one in folder.iterdir()
    }


@contextmanager
def agent_in(folder: Path) -> Iterator[None]:
    """Let another process have the ledger open, until it is killed."""
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        with ledger_in(folder) as ledger:
            write(ledger)
            os.write(told, b".")
            signal.pause()
    os.read(heard, 1)
    yield
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(heard)
    os.close(told)


def write(ledger: Ledger) -> None:
    bans = [ban(f"192.0.2.{host}/32", ban_id=f"b{host}") for host in (1, 2, 3)]
    ledger.intend(bans)
    ledger.settle(bans[:2], ())
    ledger.end(bans[:1], NOW, End.LIFTED)
    ledger.permit(PERMIT)


def check(folder: Path) -> None:
    """What `write` wrote is seen, and nothing in the folder is other than before."""
    before, found = trace(folder), look(folder)
    assert found is not None
    assert [one.ban_id for one in found.in_force()] == ["b2"]
    assert list(found.intended()) == ["b3"]
    assert found.has_ended("b1")
    assert found.permits(NOW) == (PERMIT,)
    assert len(found.history()) == 2
    assert trace(folder) == before


def test_what_a_closed_ledger_holds_is_seen_without_a_trace(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        write(ledger)
    check(tmp_path)


def test_what_a_killed_agent_wrote_is_seen_without_a_trace(tmp_path: Path) -> None:
    with agent_in(tmp_path):
        pass
    assert (tmp_path / "ledger.db-wal").stat().st_size
    check(tmp_path)


def test_what_a_running_agent_wrote_is_seen_without_a_trace(tmp_path: Path) -> None:
    with agent_in(tmp_path):
        check(tmp_path)


def test_a_log_without_its_index_is_read_as_well(tmp_path: Path) -> None:
    with agent_in(tmp_path):
        pass
    (tmp_path / "ledger.db-shm").unlink()
    found = look(tmp_path)

    assert found is not None
    assert [one.ban_id for one in found.in_force()] == ["b2"]


@pytest.mark.parametrize("is_there", [False, True], ids=["no directory", "empty"])
def test_where_nobody_kept_a_ledger_there_is_none(tmp_path: Path, is_there: bool) -> None:
    folder = tmp_path / "state"
    if is_there:
        folder.mkdir()

    assert look(folder) is None
    assert folder.exists() == is_there
    assert not is_there or list(folder.iterdir()) == []


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_ledger_is_told_and_left_where_it_is(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    damage(fill(tmp_path))
    before = trace(tmp_path)
    with pytest.raises(StateError, match="damaged: the agent's next start, or a command"):
        look(tmp_path)

    assert trace(tmp_path) == before


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("DROP TABLE permits; PRAGMA user_version = 1", "older abuse-agent"),
        ("PRAGMA user_version = 99", "newer abuse-agent"),
        ("PRAGMA application_id = 1", "not a ledger of abuse-agent"),
    ],
    ids=["older", "newer", "foreign"],
)
def test_a_ledger_that_can_not_be_read_is_told_and_left_as_it_is(
    tmp_path: Path, script: str, words: str
) -> None:
    execute(fill(tmp_path, 3), script)
    before = trace(tmp_path)
    with pytest.raises(StateError, match=words):
        look(tmp_path)

    assert trace(tmp_path) == before


def test_a_file_that_is_written_during_a_look_is_looked_into_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, looks = fill(tmp_path, 3), []

    def overtaken(connection: sqlite3.Connection) -> None:
        looks.append(connection)
        if len(looks) == 1:
            execute(path, "DELETE FROM bans WHERE ban_id = 'b0'")
            raise sqlite3.DatabaseError

    monkeypatch.setattr("agent.record.sqlite.look.check_pages", overtaken)
    found = look(tmp_path)

    assert found is not None
    assert [one.ban_id for one in found.in_force()] == ["b1", "b2"]
    assert len(looks) == 2


@pytest.mark.root
@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "left open"])
def test_who_may_not_read_it_is_told_so(
    tmp_path_factory: pytest.TempPathFactory, is_open: bool
) -> None:
    folder = tmp_path_factory.mktemp("state")
    let_in(folder)
    with agent_in(folder) if is_open else ledger_in(folder):
        pass

    assert as_nobody(lambda: refused(folder)) == 0


@pytest.mark.root
def test_the_owner_of_the_directory_sees_what_root_wrote(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("state")
    let_in(folder.parent)
    os.chown(folder, 65534, 65534)
    with agent_in(folder):
        assert as_nobody(lambda: check(folder)) == 0
    assert as_nobody(lambda: check(folder)) == 0


def refused(folder: Path) -> None:
    with pytest.raises(StateError, match="as root"):
        look(folder)
