"""The ledger in its file: clocks, other writers, killed processes, and disks that are full."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.model.ban import Ban
from agent.model.inputs import Permit
from agent.record.ledger import End, MemoryLedger, News
from agent.record.sqlite import journal as sqlite_journal
from agent.record.sqlite import read as sqlite_read
from agent.record.sqlite.ledger import SqliteLedger, open_ledger
from tests.builders import NOW, ban, prefix

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Clocks:
    """Both clocks of a machine."""

    wall: datetime = NOW
    boot: float = 1000.0
    boot_id: str = "a"

    def pass_by(self, time: timedelta) -> None:
        self.wall += time
        self.boot += time.total_seconds()

    def reboot(self, *, off: timedelta) -> None:
        self.wall += off
        self.boot, self.boot_id = 5.0, self.boot_id + "'"


Open = Callable[[], SqliteLedger]


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture(name="opened")
def _opened(tmp_path: Path, clocks: Clocks) -> Iterator[Open]:
    """Give what opens the ledger, as another process would."""
    made: list[SqliteLedger] = []

    def one() -> SqliteLedger:
        made.append(_open(tmp_path, clocks))
        return made[-1]

    yield one
    for ledger in made:
        ledger.close()


def _open(folder: Path, clocks: Clocks) -> SqliteLedger:
    return open_ledger(
        folder, boot_id=clocks.boot_id, stopwatch=lambda: clocks.boot, now=clocks.wall
    )


def apply(ledger: SqliteLedger, *bans: Ban) -> None:
    ledger.intend(bans)
    ledger.settle(bans, ())


def rest(ledger: SqliteLedger, clocks: Clocks) -> timedelta:
    (one,) = ledger.in_force()
    return one.rest(clocks.wall)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, timedelta(seconds=3), timedelta(days=-400)])
@pytest.mark.parametrize("is_opened_anew", [False, True], ids=["running", "opened anew"])
def test_a_ban_ends_after_its_time_however_the_clock_is_set(
    opened: Open, clocks: Clocks, jump: timedelta, is_opened_anew: bool
) -> None:
    ledger = opened()
    apply(ledger, ban())
    clocks.pass_by(MINUTE)
    clocks.wall += jump
    ledger = opened() if is_opened_anew else ledger
    ledger.refresh(clocks.wall)

    assert rest(ledger, clocks) == 9 * MINUTE
    assert ledger.history()[ban().source][0].ended == clocks.wall + 9 * MINUTE


def test_a_ban_that_was_moved_is_ended_and_forgiven_by_its_id(opened: Open, clocks: Clocks) -> None:
    ledger = opened()
    apply(ledger, ban(), ban("192.0.2.11/32", ban_id="b2"))
    clocks.wall += HOUR
    ledger.refresh(clocks.wall)
    ledger.end((ban(),), clocks.wall, End.FORGIVEN)
    ledger.end((ban("192.0.2.11/32", ban_id="b2"),), clocks.wall + MINUTE, End.LIFTED)

    ((past,),) = ledger.history().values()
    assert (past.began, past.ended) == (NOW + HOUR, NOW + HOUR + MINUTE)


def test_small_differences_of_the_clocks_move_nothing(opened: Open, clocks: Clocks) -> None:
    ledger = opened()
    apply(ledger, ban())
    clocks.wall += timedelta(milliseconds=49)
    ledger.refresh(clocks.wall)

    assert ledger.in_force() == (ban(),)
    assert opened().in_force() == (ban(),)


@pytest.mark.parametrize(
    ("off", "left"),
    [(5 * MINUTE, 4 * MINUTE), (HOUR, timedelta(0)), (-HOUR, 10 * MINUTE)],
    ids=["five minutes down", "an hour down", "a clock that lost an hour"],
)
def test_after_a_reboot_the_wall_clock_rules(
    opened: Open, clocks: Clocks, off: timedelta, left: timedelta
) -> None:
    apply(opened(), ban())
    clocks.pass_by(MINUTE)
    clocks.reboot(off=off)

    assert rest(opened(), clocks) == left


def test_a_clock_that_is_found_again_after_a_reboot_makes_no_ban_longer(
    opened: Open, clocks: Clocks
) -> None:
    apply(opened(), ban())
    clocks.reboot(off=-HOUR)
    opened()
    clocks.pass_by(4 * MINUTE)
    clocks.wall += HOUR

    assert rest(opened(), clocks) == 6 * MINUTE


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_what_was_left_before_a_reboot_then_ends_by_the_clock_of_this_boot(
    opened: Open, clocks: Clocks, jump: timedelta
) -> None:
    ledger = opened()
    apply(ledger, ban())
    ledger.permit(Permit(prefix=prefix("192.0.2.1"), until=NOW + 30 * MINUTE, why="by hand"))
    clocks.reboot(off=MINUTE)
    opened()
    clocks.pass_by(MINUTE)
    clocks.wall += jump
    later = opened()

    assert rest(later, clocks) == 8 * MINUTE
    assert [one.until - clocks.wall for one in later.permits(clocks.wall)] == [28 * MINUTE]


def test_a_clock_that_was_set_is_in_the_file_before_a_reboot(opened: Open, clocks: Clocks) -> None:
    ledger = opened()
    apply(ledger, ban())
    clocks.wall -= HOUR
    ledger.refresh(clocks.wall)
    clocks.pass_by(MINUTE)
    clocks.reboot(off=MINUTE)

    assert rest(opened(), clocks) == 8 * MINUTE


def test_a_permit_holds_for_its_time_however_the_clock_is_set(opened: Open, clocks: Clocks) -> None:
    ledger = opened()
    ledger.permit(Permit(prefix=prefix("192.0.2.1"), until=NOW + 30 * MINUTE, why="by hand"))
    clocks.wall -= HOUR
    ledger.refresh(clocks.wall)

    for one in (ledger, opened()):
        assert [permit.until - clocks.wall for permit in one.permits(clocks.wall)] == [30 * MINUTE]


def test_a_ban_by_another_process_is_news(opened: Open) -> None:
    daemon, command = opened(), opened()
    apply(command, ban())

    assert daemon.in_force() == ()
    assert daemon.refresh(NOW) == News(applied=(ban(),), is_other=True)
    assert daemon.in_force() == (ban(),)
    assert daemon.refresh(NOW) == News()


def test_an_end_by_another_process_is_news(opened: Open) -> None:
    daemon = opened()
    apply(daemon, ban())
    command = opened()
    command.end((ban(),), NOW + MINUTE, End.FORGIVEN)
    command.permit(Permit(prefix=ban().source.prefix, until=NOW + HOUR, why="unbanned by hand"))

    assert daemon.refresh(NOW) == News(ended=((ban(), End.FORGIVEN),), is_other=True)
    assert (daemon.in_force(), dict(daemon.history())) == ((), {})
    assert daemon.has_ended("b1")
    assert [permit.why for permit in daemon.permits(NOW)] == ["unbanned by hand"]


@pytest.mark.parametrize("how", list(End))
def test_how_a_ban_ended_by_another_process_ended_is_news(opened: Open, how: End) -> None:
    daemon, bans = opened(), many(2)
    apply(daemon, *bans)
    command = opened()
    command.end(bans, NOW + MINUTE, how)

    assert daemon.refresh(NOW).ended == tuple((one, how) for one in bans)


def test_changes_between_each_other_are_all_seen(opened: Open) -> None:
    left, right = opened(), opened()
    for number in range(3):
        apply(left, ban(f"192.0.2.{number}/32", ban_id=f"l{number}"))
        apply(right, ban(f"198.51.100.{number}/32", ban_id=f"r{number}"))
    seen = [{one.ban_id for one in ledger.refresh(NOW).applied} for ledger in (left, right)]

    assert seen == [{"r0", "r1", "r2"}, {"l0", "l1", "l2"}]
    assert set(left.in_force()) == set(right.in_force()) == set(opened().in_force())


def test_what_another_ended_is_not_brought_back(opened: Open) -> None:
    daemon = opened()
    daemon.intend((ban(),))
    opened().end((ban(),), NOW, End.FORGIVEN)
    daemon.settle((ban(),), ())

    assert daemon.refresh(NOW).ended == ((ban(), End.FORGIVEN),)
    assert opened().in_force() == ()


def test_a_ban_that_came_and_went_meanwhile_counts(opened: Open) -> None:
    daemon, command = opened(), opened()
    apply(command, ban())
    command.end((ban(),), NOW + MINUTE, End.LIFTED)

    assert daemon.refresh(NOW) == News(is_other=True)
    assert daemon.history()[ban().source][0].ended == NOW + MINUTE


def test_whoever_is_killed_leaves_what_was_intended(tmp_path: Path, clocks: Clocks) -> None:
    child = os.fork()
    if not child:
        ledger = _open(tmp_path, clocks)
        apply(ledger, ban())
        ledger.intend((ban("192.0.2.11/32", ban_id="b2"),))
        os._exit(0)
    os.waitpid(child, 0)
    with closing(_open(tmp_path, clocks)) as ledger:
        assert [one.ban_id for one in ledger.in_force()] == ["b1"]
        assert list(ledger.intended()) == ["b2"]


@contextmanager
def full(ledger: SqliteLedger) -> Iterator[None]:
    """Let the disk be full for this ledger, as SQLite sees it."""
    connection = ledger._journal._connection  # noqa: SLF001 - no disk has to be filled for that
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 4294967294")


def many(number: int) -> list[Ban]:
    return [ban(f"10.0.{n // 256}.{n % 256}/32", ban_id=f"m{n}") for n in range(number)]


def test_a_full_disk_is_told_and_everything_is_written_later(opened: Open) -> None:
    ledger = opened()
    apply(ledger, ban())
    with full(ledger):
        apply(ledger, *many(500))
        ledger.end((ban(),), NOW + MINUTE, End.LIFTED)
        ledger.end(many(1), NOW + MINUTE, End.FORGIVEN)

        assert "full" in (ledger.refresh(NOW).failure or "")
        assert len(ledger.in_force()) == 499
        assert len(opened().in_force()) == 1

    assert ledger.refresh(NOW).failure is None
    later = opened()
    assert later.in_force() == ledger.in_force()
    assert later.has_ended("b1")
    assert later.history() == ledger.history()


def test_whoever_ends_is_told_what_would_be_lost(opened: Open) -> None:
    ledger = opened()
    permits = [
        Permit(prefix=one.source.prefix, until=NOW + HOUR, why="by hand") for one in many(500)
    ]
    with full(ledger):
        ledger.permit(*permits)

        assert "full" in (ledger.trouble() or "")
        assert opened().permits(NOW) == ()
    assert ledger.trouble() is None
    assert len(opened().permits(NOW)) == 500


def test_many_permits_are_one_transaction(opened: Open) -> None:
    ledger = opened()
    steps: list[str] = []
    connection = ledger._journal._connection  # noqa: SLF001 - to see what it is told
    assert connection is not None
    connection.set_trace_callback(steps.append)
    ledger.permit(*(Permit(prefix=one.source.prefix, until=NOW + HOUR, why="") for one in many(50)))

    assert steps.count("COMMIT") == 1
    assert len(opened().permits(NOW)) == 50


def test_what_waits_for_a_disk_is_bounded(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_journal, "MOST_WAITING", 300)
    ledger = opened()
    with full(ledger):
        ledger.refresh(NOW)
        apply(ledger, *many(500))
        ledger.end(many(400), NOW, End.EXPIRED)
    ledger.refresh(NOW)

    assert {f"m{n}" for n in range(400, 500)} == {one.ban_id for one in opened().in_force()}


def test_a_locked_file_is_told_and_written_later(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.record.sqlite.file.PATIENCE_S", 0.05)
    ledger = opened()
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        apply(ledger, ban())
        assert "locked" in (ledger.refresh(NOW).failure or "")
        other.execute("ROLLBACK")

    assert ledger.refresh(NOW).failure is None
    assert opened().in_force() == (ban(),)


def test_a_file_that_was_removed_is_made_again(opened: Open, tmp_path: Path) -> None:
    ledger = opened()
    apply(ledger, ban())
    for file in tmp_path.iterdir():
        file.unlink()
    ledger.refresh(NOW)

    assert opened().in_force() == (ban(),)


def test_a_file_that_was_replaced_by_somebody_elses_is_left_alone(
    opened: Open, tmp_path: Path
) -> None:
    ledger = opened()
    apply(ledger, ban())
    (tmp_path / "new").write_text("mine")
    (tmp_path / "new").replace(tmp_path / "ledger.db")
    failure = ledger.refresh(NOW).failure

    assert "not a ledger" in (failure or "")
    assert (tmp_path / "ledger.db").read_text() == "mine"
    assert ledger.in_force() == (ban(),)


def test_a_file_damaged_while_in_use_is_made_again_from_memory(
    opened: Open, tmp_path: Path
) -> None:
    ledger = opened()
    apply(ledger, *many(500))
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("UPDATE counter SET value = 'x'")
    ledger.intend((ban(),))
    first, second = ledger.refresh(NOW), ledger.refresh(NOW)

    assert first.rebuilt is not None or second.rebuilt is not None
    assert second.failure is None
    assert len(opened().in_force()) == 500
    assert list(opened().intended()) == ["b1"]


def test_old_rows_are_removed_now_and_then(
    opened: Open, clocks: Clocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_journal, "REMEMBERED_ENDS", 5)
    ledger = opened()
    apply(ledger, *many(10))
    ledger.end(many(9), NOW, End.EXPIRED)
    ledger.refresh(NOW)
    assert _rows(tmp_path) == 5 + 1

    clocks.pass_by(sqlite_read.REMEMBERED_FOR + HOUR)
    opened().refresh(clocks.wall)
    assert _rows(tmp_path) == 1


def _rows(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM bans").fetchone()[0])


NUMBERS = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["intend", "apply", "fail", "permit", *End]), NUMBERS),
    st.tuples(st.sampled_from(["reopen", "pass"]), st.just(0)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, max_size=25))
def test_the_file_remembers_what_memory_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder, clocks, memory = tmp_path_factory.mktemp("state"), Clocks(), MemoryLedger()
    ledger = _open(folder, clocks)
    made: dict[int, Ban] = {}
    for what, number in (*steps, ("reopen", 0)):
        one = made.setdefault(number, _numbered(number, clocks.wall))
        if what == "reopen":
            ledger.close()
            ledger = _open(folder, clocks)
        elif what == "pass":
            clocks.pass_by(MINUTE)
        for each in (memory, ledger):
            _do(each, what, one, clocks.wall)
        ledger.refresh(clocks.wall)
    ledger.close()

    assert ledger.in_force() == memory.in_force()
    assert ledger.intended() == memory.intended()
    assert ledger.permits(clocks.wall) == memory.permits(clocks.wall)
    assert {who: set(past) for who, past in ledger.history().items()} == {
        who: set(past) for who, past in memory.history().items()
    }
    assert all(ledger.has_ended(f"b{n}") == memory.has_ended(f"b{n}") for n in range(6))


def _numbered(number: int, now: datetime) -> Ban:
    return replace(ban(f"192.0.2.{number % 3}/32", ban_id=f"b{number}"), begins=now)


def _do(ledger: MemoryLedger | SqliteLedger, what: str, one: Ban, now: datetime) -> None:
    if what == "intend":
        ledger.intend((one,))
    elif what == "apply":
        ledger.settle((one,), ())
    elif what == "fail":
        ledger.settle((), (one,))
    elif what == "permit":
        until = now + one.lasts
        ledger.permit(Permit(prefix=one.source.prefix, until=until, why="by hand"))
    elif what in set(End):
        ledger.end((one,), now, End(what))
