"""What is recorded can be read, whatever the clock and the disk do."""

import os
import stat
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from errno import ENOSPC
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.model.inputs import Standing
from agent.model.policy import Policy, Recording
from agent.model.sample import SOCKETS
from agent.record.tape.pieces import Piece, pieces_of
from agent.record.tape.reader import read_tape
from agent.record.tape.writer import TapeWriter
from tests.builders import NOW, policy
from tests.record.tape.moments import EVERY, moment, moment_at


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[TapeWriter]:
    made = TapeWriter(tmp_path / "tape")
    yield made
    made.close()


def test_every_cycle_becomes_a_frame(writer: TapeWriter) -> None:
    for number in range(3):
        writer.record(moment(number, {"192.0.2.1": 20 + number, "192.0.2.2": 3}))

    frames = list(read_tape(writer.path))
    assert writer.trouble() is None
    assert [frame.at for frame in frames] == [NOW + number * EVERY for number in range(3)]
    assert [frame.is_start for frame in frames] == [True, False, False]
    assert [frame.inputs.sample.sockets for frame in frames] == [23, 24, 25]
    assert [dict(frame.rest[0].counts) for frame in frames] == [
        {("web", "connections"): {3: 1}}
    ] * 3


HOUR = timedelta(hours=1)
YEARS = timedelta(days=3650)
SMALL = replace(policy(), tape=Recording(size_bytes=1000))
AGELESS = replace(policy(), tape=Recording(age=timedelta(days=36500)))
OFF = replace(policy(), tape=Recording(size_bytes=0))


def pieces(writer: TapeWriter) -> list[Piece]:
    descriptor = os.open(writer.path, os.O_RDONLY)
    try:
        return pieces_of(descriptor)
    finally:
        os.close(descriptor)


def write(writer: TapeWriter, at: datetime, by: Policy | None = None) -> None:
    """Record a cycle; nothing may keep it from that."""
    writer.record(moment_at(at, {"192.0.2.1": 20}, by))
    assert writer.trouble() is None


def moments(writer: TapeWriter) -> list[datetime]:
    return [frame.at for frame in read_tape(writer.path)]


def test_a_file_holds_an_hour_and_each_begins_whole(writer: TapeWriter) -> None:
    wanted = [NOW + minutes * timedelta(minutes=1) for minutes in (0, 30, 59, 60, 90, 120)]
    for at in wanted:
        write(writer, at)

    assert [one.begins for one in pieces(writer)] == [NOW, NOW + HOUR, NOW + 2 * HOUR]
    for piece in pieces(writer)[:2]:
        (writer.path / piece.name).unlink()
    assert moments(writer) == wanted[-1:]


def test_each_start_begins_a_file(writer: TapeWriter) -> None:
    write(writer, NOW)
    writer.close()
    again = TapeWriter(writer.path)
    write(again, NOW + EVERY)
    again.close()

    assert len(pieces(writer)) == 2
    assert [frame.is_start for frame in read_tape(writer.path)] == [True, True]


def test_frames_stay_in_the_order_in_which_they_were_written(writer: TapeWriter) -> None:
    wanted = [NOW, NOW + YEARS, NOW + YEARS + EVERY, NOW + EVERY, NOW - YEARS, NOW + 2 * EVERY]
    for at in wanted:
        write(writer, at, AGELESS)

    assert moments(writer) == wanted
    assert list(read_tape(writer.path, NOW, NOW + HOUR)) == [
        frame for frame in read_tape(writer.path) if NOW <= frame.at <= NOW + HOUR
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(jumps=st.lists(st.integers(-(10**9), 10**9), max_size=12))
def test_no_jump_of_the_clock_loses_a_frame(
    tmp_path_factory: pytest.TempPathFactory, jumps: list[int]
) -> None:
    writer = TapeWriter(tmp_path_factory.mktemp("clock") / "tape")
    wanted = [NOW + timedelta(seconds=jump) for jump in jumps]
    for at in wanted:
        write(writer, at, AGELESS)

    assert moments(writer) == wanted
    for at in wanted:
        assert at in [frame.at for frame in read_tape(writer.path, at, at)]
    writer.close()


def test_the_oldest_files_make_room(writer: TapeWriter) -> None:
    for hour in range(12):
        write(writer, NOW + hour * HOUR, SMALL)
        assert sum(one.size_bytes for one in pieces(writer)) <= SMALL.tape.size_bytes

    kept = moments(writer)
    assert 2 <= len(kept) < 12
    assert kept == [NOW + hour * HOUR for hour in range(12 - len(kept), 12)]


def test_a_busy_hour_is_cut_into_files_that_can_make_room(writer: TapeWriter) -> None:
    for number in range(60):
        writer.record(moment(number, {f"192.0.{number}.{at}": 20 for at in range(9)}, SMALL))

    assert writer.trouble() is None
    assert sum(one.size_bytes for one in pieces(writer)) <= SMALL.tape.size_bytes
    assert moments(writer)[-1] == NOW + 59 * EVERY


def test_a_smaller_size_holds_from_the_next_frame_on(writer: TapeWriter) -> None:
    for hour in range(12):
        write(writer, NOW + hour * HOUR)
    assert len(pieces(writer)) == 12

    write(writer, NOW + 12 * HOUR, SMALL)
    assert sum(one.size_bytes for one in pieces(writer)) <= SMALL.tape.size_bytes


def test_a_moment_that_is_larger_than_the_tape_is_told(writer: TapeWriter) -> None:
    crowd = {f"2001:db8:{a:x}:{b:x}::1": 20 for a in range(40) for b in range(0, 9999, 400)}
    tiny = replace(policy(), tape=Recording(size_bytes=500))

    writer.record(moment(0, crowd, tiny))
    assert "has no room on the tape" in str(writer.trouble())
    assert moments(writer) == []

    write(writer, NOW + EVERY, tiny)
    assert [frame.is_start for frame in read_tape(writer.path)] == [True]


def test_what_is_too_old_is_forgotten(writer: TapeWriter) -> None:
    short = replace(policy(), tape=Recording(age=timedelta(hours=5)))
    for hour in range(12):
        write(writer, NOW + hour * HOUR, short)

    assert moments(writer)[0] == NOW + 5 * HOUR


def test_a_clock_that_is_years_ahead_takes_little_of_the_tape_with_it(writer: TapeWriter) -> None:
    for hour in range(10):
        write(writer, NOW + hour * HOUR)
    for minute in range(30):
        write(writer, NOW + YEARS + minute * timedelta(minutes=1))
    write(writer, NOW + 10 * HOUR)

    assert len([at for at in moments(writer) if at < NOW + 10 * HOUR]) == 8


def test_a_start_with_a_wrong_clock_takes_nothing(writer: TapeWriter) -> None:
    for hour in range(4):
        write(writer, NOW + hour * HOUR)
    for _ in range(20):
        writer.close()
        writer = TapeWriter(writer.path)
        write(writer, NOW + YEARS)

    assert len([at for at in moments(writer) if at < NOW + YEARS]) == 4


def test_a_policy_may_want_nothing_recorded(writer: TapeWriter) -> None:
    write(writer, NOW, OFF)
    assert not writer.path.exists()

    write(writer, NOW + EVERY)
    write(writer, NOW + 2 * EVERY, OFF)
    write(writer, NOW + 3 * EVERY)
    assert moments(writer) == [NOW + EVERY, NOW + 3 * EVERY]


def test_a_folder_that_was_removed_is_made_again(writer: TapeWriter) -> None:
    write(writer, NOW)
    for one in writer.path.iterdir():
        one.unlink()
    writer.path.rmdir()

    for number in range(1, 20):
        writer.record(moment(number, {"192.0.2.1": 20}))
    assert writer.trouble() is None
    assert moments(writer)[-1] == NOW + 19 * EVERY


def test_a_file_that_was_removed_is_not_written_on(writer: TapeWriter) -> None:
    write(writer, NOW)
    next(writer.path.iterdir()).unlink()
    write(writer, NOW + EVERY)

    assert moments(writer) == [NOW + EVERY]


def test_two_agents_do_not_record_into_one_folder(writer: TapeWriter) -> None:
    write(writer, NOW)
    other = TapeWriter(writer.path)
    other.record(moment(1, {"192.0.2.1": 20}))

    assert other.trouble() == f"{writer.path}: another agent records there; nothing is recorded"
    assert moments(writer) == [NOW]


def test_a_link_in_the_folders_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tape").symlink_to(tmp_path / "elsewhere")
    writer = TapeWriter(tmp_path / "tape")
    writer.record(moment(0, {"192.0.2.1": 20}))

    assert "nothing is recorded" in str(writer.trouble())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_files_of_others_are_neither_counted_nor_removed(writer: TapeWriter) -> None:
    writer.path.mkdir()
    (writer.path / "mine.tape").write_bytes(bytes(5000))
    (writer.path / "target").write_bytes(bytes(5000))
    (writer.path / "0000000001-20200101T000000Z.tape").symlink_to("target")
    for hour in range(12):
        write(writer, NOW + hour * HOUR, SMALL)

    left = {one.name for one in writer.path.iterdir()} - {one.name for one in pieces(writer)}
    assert left == {"mine.tape", "target", "0000000001-20200101T000000Z.tape"}
    assert len(moments(writer)) >= 2


def test_a_disk_that_refuses_is_tried_again_after_a_while(
    writer: TapeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, calls = os.write, count()

    def refuse(descriptor: int, content: bytes) -> int:
        if next(calls):
            raise OSError(ENOSPC, "No space left on device")
        return really(descriptor, content[:50])

    write(writer, NOW)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        for number in range(1, 4):
            writer.record(moment(number, {f"198.51.{number}.{at}": 20 for at in range(99)}))
        assert writer.trouble() == f"{writer.path}: No space left on device; nothing is recorded"
    assert moments(writer) == [NOW]

    for number in range(4, 20):
        writer.record(moment(number, {"192.0.2.1": 20}))
    assert writer.trouble() is None
    told: list[str] = []
    frames = list(read_tape(writer.path, tell=told.append))
    assert [frame.at for frame in frames][:2] == [NOW, NOW + 14 * EVERY]
    assert told == []


@pytest.mark.root
def test_root_gives_all_it_makes_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 2345)
    writer = TapeWriter(tmp_path / "tape")
    write(writer, NOW)

    for one, mode in ((writer.path, 0o750), (next(writer.path.iterdir()), 0o640)):
        found = one.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 2345, mode)
    writer.close()


FULL = """
import random
import sys
from ipaddress import IPv6Address
from pathlib import Path
from tests.record.tape.moments import EVERY, moment
from agent.record.tape.reader import read_tape
from agent.record.tape.writer import TapeWriter

folder = Path(sys.argv[1])
filler = folder / "filler"
filler.write_bytes(bytes(100_000))
writer = TapeWriter(folder / "tape")
for number in range(400):
    crowd = {str(IPv6Address(0x2001 << 112 | random.getrandbits(112))): 20 for _ in range(200)}
    writer.record(moment(number, crowd))
    if writer.trouble():
        break
print(writer.trouble(), 10 < number == len(list(read_tape(writer.path))))
filler.unlink()
writer.record(moment(number + 1, {"192.0.2.1": 20}))
print(writer.trouble(), len(list(read_tape(writer.path))) == number + 1)
"""


@pytest.mark.root
def test_a_part_of_the_disk_is_left_to_others(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=256k none {tmp_path}; exec "$@"'
    words = ["unshare", "--mount", "sh", "-ec", mount, "sh", sys.executable, "-c", FULL]
    done = subprocess.run(
        [*words, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[3],
    )

    first, second = done.stdout.splitlines()
    assert first == (
        f"{tmp_path}/tape: less than 5 % of the file system is free; "
        "nothing is recorded until there is room True"
    )
    assert second == "None True"


def test_whatever_fails_costs_no_cycle_and_no_later_frame(writer: TapeWriter) -> None:
    def short_of_memory(_kept: Collection[bytes]) -> Standing:
        raise MemoryError

    write(writer, NOW)
    writer.record(replace(moment(1, {"192.0.2.1": 21}), standing=short_of_memory))
    told = writer.trouble()
    for number in range(2, 20):
        writer.record(moment(number, {"192.0.2.1": 22}))

    assert told == f"{writer.path}: MemoryError; nothing is recorded"
    assert writer.trouble() is None
    assert [frame.inputs.sample.sockets for frame in read_tape(writer.path)] == [20, *[22] * 6]


def test_a_moment_that_can_not_be_written_spoils_no_other(writer: TapeWriter) -> None:
    write(writer, NOW)
    writer.record(moment(1, {"192.0.2.1": 21, "192.0.2.2": 20}, counters={"ListenDrops": -(2**70)}))
    told = writer.trouble()
    for number in range(2, 20):
        writer.record(moment(number, {"192.0.2.1": 22}))

    assert told is not None
    assert "OverflowError" in told
    rows = [len(frame.inputs.sample.tallies[SOCKETS]) for frame in read_tape(writer.path)]
    assert rows == [1] * 7


def test_tiny_files_take_no_more_of_the_disk_than_the_tape_may(writer: TapeWriter) -> None:
    by = replace(policy(), tape=Recording(size_bytes=400_000, age=timedelta(days=36500)))
    for number in range(120):
        write(writer, NOW - number * EVERY, by)

    assert 64 <= len(pieces(writer)) <= 400_000 // 4096 + 1
    assert moments(writer)[-1] == NOW - 119 * EVERY
