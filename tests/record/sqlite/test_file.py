"""The ledger's file: whose it is, whether it is sound, and what is done where it is not."""

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from stat import S_IMODE
from tempfile import gettempdir

import pytest

from agent.errors import BusyError, StateError
from agent.record.folder import flock
from agent.record.ledger import News
from agent.record.sqlite import file as sqlite_file
from agent.record.sqlite import schema
from agent.record.sqlite.judge import is_sound
from agent.record.sqlite.ledger import SqliteLedger, open_ledger
from tests.builders import NOW, ban

NOBODY = 65534


@contextmanager
def ledger_in(folder: Path) -> Iterator[SqliteLedger]:
    ledger = open_ledger(folder, boot_id="a", stopwatch=lambda: 1000.0, now=NOW)
    yield ledger
    ledger.close()


def fill(folder: Path, number: int = 200) -> Path:
    """Make a ledger with so many bans in force; all of it in its file."""
    bans = [ban(f"192.0.2.{host}/32", ban_id=f"b{host}") for host in range(number)]
    with ledger_in(folder) as ledger:
        ledger.intend(bans)
        ledger.settle(bans, ())
    return folder / "ledger.db"


def overwrite(path: Path, at: int, text: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(text)


def execute(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "truncated to less than a header": lambda path: os.truncate(path, 60),
    "truncated to half a page": lambda path: os.truncate(path, 2048),
    "no magic": lambda path: overwrite(path, 0, bytes(16)),
    "no header": lambda path: overwrite(path, 0, bytes(100)),
    "a page of zeros": lambda path: overwrite(path, 8192, bytes(4096)),
    "pages of noise": lambda path: overwrite(path, 4096, os.urandom(16384)),
    "a column is missing": lambda path: execute(path, "ALTER TABLE bans DROP COLUMN rule"),
    "a table is missing": lambda path: execute(path, "DROP TABLE permits"),
    "no counter": lambda path: execute(path, "DELETE FROM counter"),
    "a counter that is behind": lambda path: execute(path, "UPDATE counter SET value = 1"),
    "no source": lambda path: execute(path, "UPDATE bans SET source = 'x' WHERE serial = 300"),
    "host bits": lambda path: execute(path, "UPDATE bans SET source = '10.0.0.1/8'"),
    "no answer": lambda path: execute(path, "UPDATE bans SET answer = 'x'"),
    "no number": lambda path: execute(path, "UPDATE bans SET lasts_us = 'x'"),
    "no time": lambda path: execute(path, "UPDATE bans SET ends_mono_us = -(1 << 62)"),
    "no reasons": lambda path: execute(path, "UPDATE bans SET reasons = '{'"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_ledger_is_set_aside_and_made_anew(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = fill(tmp_path)
    damage(path)
    damaged = path.read_bytes()
    with ledger_in(tmp_path) as ledger:
        news = ledger.refresh(NOW)

        assert news.rebuilt is not None
        assert news.rebuilt.startswith(f"{path}.damaged-20261120T030000")
        assert Path(news.rebuilt).read_bytes() == damaged
        assert ledger.in_force() == ()
        assert ledger.refresh(NOW) == News()
        ledger.intend((ban(),))
    with ledger_in(tmp_path) as ledger:
        assert list(ledger.intended()) == ["b1"]


@pytest.mark.parametrize(
    "text",
    [b"a note", bytes(8192), b"\x7fELF" + bytes(5000), b"abuse-agent: mine\n" * 99],
    ids=["text", "zeros", "program", "our name"],
)
def test_what_is_not_ours_is_refused_and_left_as_it_is(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(text)
    with pytest.raises(StateError, match="not a ledger of abuse-agent"), ledger_in(tmp_path):
        pass

    assert path.read_bytes() == text
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("application_id", [0, 1])
def test_another_programs_database_is_refused(tmp_path: Path, application_id: int) -> None:
    path = tmp_path / "ledger.db"
    execute(path, f"CREATE TABLE bans (x); PRAGMA application_id = {application_id}")
    before = path.read_bytes()
    with pytest.raises(StateError, match="not a ledger of abuse-agent"), ledger_in(tmp_path):
        pass

    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    with ledger_in(tmp_path) as ledger:
        assert ledger.refresh(NOW) == News()


def test_the_sign_of_a_damaged_file_stands_in_its_first_table(tmp_path: Path) -> None:
    assert schema.SIGN in fill(tmp_path).read_bytes()[:4096]


def test_a_ledger_of_a_newer_agent_is_refused(tmp_path: Path) -> None:
    path = fill(tmp_path)
    execute(path, "PRAGMA user_version = 99")
    with pytest.raises(StateError, match="written by a newer abuse-agent"), ledger_in(tmp_path):
        pass


def test_a_ledger_that_a_newer_agent_takes_over_is_not_written_any_more(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        execute(tmp_path / "ledger.db", "PRAGMA user_version = 99")
        ledger.intend((ban(),))

        assert "newer abuse-agent" in (ledger.refresh(NOW).failure or "")
        assert list(ledger.intended()) == ["b1"]
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        assert connection.execute("SELECT count(*) FROM bans").fetchone() == (0,)


def test_a_file_is_judged_by_one_process_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bool] = []

    def judged(path: Path) -> bool:
        descriptor = os.open(path.parent, os.O_RDONLY)
        found.append(flock(descriptor, fcntl.LOCK_SH, 0))
        os.close(descriptor)
        return is_sound(path)

    monkeypatch.setattr(sqlite_file, "is_sound", judged)
    with ledger_in(tmp_path):
        descriptor = os.open(tmp_path, os.O_RDONLY)
        found.append(flock(descriptor, fcntl.LOCK_EX, 0))
        os.close(descriptor)

    assert found == [False, True]


def test_a_ledger_of_an_older_agent_is_brought_up_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = fill(tmp_path, 3)
    execute(path, "DROP TABLE permits; PRAGMA user_version = 1")
    with ledger_in(tmp_path) as ledger:
        assert len(ledger.in_force()) == 3
    with closing(sqlite3.connect(path)) as connection:
        assert sqlite_file.version_of(connection) == len(schema.MIGRATIONS)


def test_a_step_of_the_schema_that_fails_leaves_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    steps = (*schema.MIGRATIONS, ("CREATE TABLE new (x)", "INSERT INTO nowhere VALUES (1)"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            sqlite_file.migrate(connection, path, steps)

        assert sqlite_file.version_of(connection) == len(schema.MIGRATIONS)
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE name = 'new'").fetchall()
        assert tables == []


def test_a_missing_directory_is_made(tmp_path: Path) -> None:
    with ledger_in(tmp_path / "state"):
        assert S_IMODE((tmp_path / "state").stat().st_mode) == 0o750


def test_a_directory_without_a_parent_is_refused_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    with pytest.raises(StateError, match=f"{folder}.*mkdir.*--state-dir"), ledger_in(folder):
        pass


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(StateError, match="state directory"), ledger_in(tmp_path / "state"):
        pass


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["directory", "fifo"])
def test_what_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "ledger.db")
    with pytest.raises(StateError, match="not a file"), ledger_in(tmp_path):
        pass


def test_a_file_kept_locked_is_refused_as_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.05)
    path = fill(tmp_path, 1)
    execute(path, "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BusyError), ledger_in(tmp_path):
            pass


def test_what_is_made_is_for_the_owner_and_the_group_only(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        ledger.intend((ban(),))
        modes = {path.name: S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    names = ("ledger.db", "ledger.db-wal", "ledger.db-shm")
    assert modes == dict.fromkeys(names, 0o640)


@pytest.fixture
def nobodys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state directory of another user, who can reach it."""
    folder = tmp_path_factory.mktemp("state")
    os.chown(folder, NOBODY, NOBODY)
    let_in(folder.parent)
    return folder


def let_in(folder: Path) -> None:
    """Let every user reach a folder that pytest made."""
    while folder != Path(gettempdir()):
        folder.chmod(0o755)
        folder = folder.parent


def as_nobody(act: Callable[[], None]) -> int:
    """Do something in a process of another user; give its exit status."""
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            act()
            status = 0
        except StateError:
            status = StateError.exit_status
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.root
def test_what_root_makes_belongs_to_the_directorys_owner(nobodys: Path) -> None:
    with ledger_in(nobodys) as ledger:
        ledger.intend((ban(),))
        owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in nobodys.iterdir()}

        names = ("ledger.db", "ledger.db-wal", "ledger.db-shm")
        assert owners == dict.fromkeys(names, (NOBODY, NOBODY))
        assert as_nobody(lambda: _settle(nobodys)) == 0
        assert ledger.refresh(NOW).applied == (ban(),)


def _settle(folder: Path) -> None:
    with ledger_in(folder) as ledger:
        ledger.settle((ban(),), ())
        assert ledger.refresh(NOW).failure is None


@pytest.mark.root
@pytest.mark.parametrize("mode", [0o750, 0o755], ids=["unreadable", "readable"])
def test_somebody_elses_directory_is_refused(nobodys: Path, mode: int) -> None:
    os.chown(nobodys, 0, 0)
    nobodys.chmod(mode)

    assert as_nobody(lambda: _settle(nobodys)) == StateError.exit_status


@pytest.mark.root
@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal"])
def test_root_does_not_follow_a_link_of_the_directorys_owner(
    nobodys: Path, tmp_path: Path, name: str
) -> None:
    (nobodys / name).symlink_to(tmp_path / "target")
    os.lchown(nobodys / name, NOBODY, NOBODY)
    with pytest.raises(StateError, match="another user"), ledger_in(nobodys):
        pass

    assert not (tmp_path / "target").exists()


@pytest.mark.root
def test_a_file_that_somebody_else_put_there_is_refused(tmp_path: Path) -> None:
    os.chown(fill(tmp_path, 1), NOBODY, NOBODY)
    with pytest.raises(StateError, match="another user"), ledger_in(tmp_path):
        pass


_ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from tests.builders import NOW, ban
from tests.record.sqlite.test_file import fill, ledger_in
folder = Path(sys.argv[1])
if "ledger" in sys.argv[2]:
    fill(folder, 3)
filler = folder / "filler"
with filler.open("wb", buffering=0) as file:
    try:
        while file.write(bytes(512)):
            pass
    except OSError:
        pass
with ledger_in(folder) as ledger:
    print(len(ledger.in_force()))
    bans = [ban(f"10.0.0.{host}/32", ban_id=f"c{host}") for host in range(200)]
    ledger.intend(bans)
    ledger.settle(bans, ())
    print(ledger.refresh(NOW).failure is not None)
    filler.unlink()
    print(ledger.refresh(NOW).failure)
with ledger_in(folder) as ledger:
    print(len(ledger.in_force()))
"""


def _on_a_disk(mount: str, script: str, folder: Path, *given: str) -> list[str]:
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'mount {mount} "$1" && shift && exec "$@"', "sh",
         str(folder), sys.executable, "-c", script, str(folder), *given],
        capture_output=True, text=True, timeout=60, check=False,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    return [*done.stdout.split(), *done.stderr.splitlines()[-1:]]


@pytest.mark.root
@pytest.mark.parametrize(("given", "found"), [("ledger", "3"), ("nothing", "0")])
def test_a_full_disk_keeps_nobody_from_beginning(tmp_path: Path, given: str, found: str) -> None:
    told = _on_a_disk("-t tmpfs -o size=1m none", _ON_A_SMALL_DISK, tmp_path, given)

    assert told == [found, "True", "None", str(200 + int(found))]


@pytest.mark.root
def test_a_read_only_file_system_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    script = """
import sys
from pathlib import Path
from agent.errors import StateError
from tests.record.sqlite.test_file import ledger_in
try:
    with ledger_in(Path(sys.argv[1])):
        pass
except StateError as error:
    print("read-only" in str(error))
"""
    mount = f'--bind "{tmp_path}" "{tmp_path}" && mount -o remount,bind,ro'

    assert _on_a_disk(mount, script, tmp_path) == ["True"]
