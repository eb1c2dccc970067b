"""A tape is read as far as it is sound, by whoever, at any time."""

import os
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import UnreadableError
from agent.record.tape import stream
from agent.record.tape.reader import read_tape
from agent.record.tape.stream import KIND
from agent.record.tape.writer import TapeWriter
from tests.builders import NOW
from tests.record.tape.moments import moment, moment_at

HOUR = timedelta(hours=1)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[TapeWriter]:
    made = TapeWriter(tmp_path / "tape")
    yield made
    made.close()


def write_hours(writer: TapeWriter, hours: int) -> None:
    """Write a file an hour, of two frames each."""
    for hour in range(hours):
        for minutes in (0, 30):
            at = NOW + hour * HOUR + timedelta(minutes=minutes)
            writer.record(moment_at(at, {"192.0.2.1": 20 + hour}))


def read(folder: Path) -> tuple[list[int], list[str]]:
    """Give the hours of the frames, and what was told."""
    told: list[str] = []
    frames = list(read_tape(folder, tell=told.append))
    return [int((frame.at - NOW) / HOUR) for frame in frames], told


def test_a_tape_that_is_not_there_has_no_frames(tmp_path: Path) -> None:
    assert list(read_tape(tmp_path / "tape")) == []


def test_what_is_no_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tape").write_bytes(b"")

    with pytest.raises(UnreadableError, match="Not a directory"):
        list(read_tape(tmp_path / "tape"))


def test_a_part_of_it_is_read_by_moments(writer: TapeWriter) -> None:
    write_hours(writer, 4)

    def hours(since: float | None, until: float | None) -> list[float]:
        begin = None if since is None else NOW + since * HOUR
        end = None if until is None else NOW + until * HOUR
        return [(one.at - NOW) / HOUR for one in read_tape(writer.path, begin, end)]

    assert hours(None, None) == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]
    assert hours(1.5, None) == [1.5, 2, 2.5, 3, 3.5]
    assert hours(None, 1) == [0, 0.5, 1]
    assert hours(0.6, 2.4) == [1, 1.5, 2]
    assert hours(9, None) == []


def test_files_of_other_hours_are_not_even_opened(writer: TapeWriter) -> None:
    write_hours(writer, 3)
    first, _, last = sorted(writer.path.iterdir())
    first.write_bytes(b"no tape")
    last.write_bytes(b"no tape")

    told: list[str] = []
    since, until = NOW + HOUR * 1.1, NOW + HOUR * 1.9
    frames = list(read_tape(writer.path, since, until, told.append))
    assert (len(frames), told) == (1, [])


def test_a_file_that_is_cut_off_gives_its_good_frames_and_says_so(writer: TapeWriter) -> None:
    write_hours(writer, 2)
    first = min(writer.path.iterdir())
    first.write_bytes(first.read_bytes()[:-12])

    assert read(writer.path) == (
        [0, 1, 1],
        [
            (
                f"{first.name}: it is cut off behind 2026-11-20 03:00:00Z: "
                "the rest of its frames are left out"
            )
        ],
    )


def test_the_last_file_may_be_in_the_middle_of_a_frame(writer: TapeWriter) -> None:
    write_hours(writer, 2)
    last = max(writer.path.iterdir())
    last.write_bytes(last.read_bytes()[:-12])

    assert read(writer.path) == ([0, 0, 1], [])


def test_an_empty_file_is_one_that_was_just_begun(writer: TapeWriter) -> None:
    write_hours(writer, 2)
    for content in (b"", KIND[:5], KIND):
        (writer.path / "0000000009-20261120T090000Z.tape").write_bytes(content)
        assert read(writer.path) == ([0, 0, 1, 1], [])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"something else", "it is no tape", id="no tape"),
        pytest.param(KIND + b"nothing of zlib", "it is damaged", id="no stream"),
        pytest.param(KIND + zlib.compress(b"\xff" * 100), "it is damaged", id="an endless frame"),
        pytest.param(KIND + zlib.compress(bytes(8)), "it is damaged", id="an empty frame"),
        pytest.param(KIND + zlib.compress(bytes(50_000_000)), "it is damaged", id="a bomb"),
    ],
)
def test_what_is_no_tape_is_told_and_left_out(writer: TapeWriter, content: bytes, why: str) -> None:
    write_hours(writer, 2)
    first = min(writer.path.iterdir())
    first.write_bytes(content)

    assert read(writer.path) == (
        [1, 1],
        [f"{first.name}: {why}: the rest of its frames are left out"],
    )


def test_whatever_else_lies_there_is_left_alone(writer: TapeWriter, tmp_path: Path) -> None:
    write_hours(writer, 1)
    real = next(writer.path.iterdir())
    (tmp_path / "aside").write_bytes(real.read_bytes())
    (writer.path / "0000000000-20261120T020000Z.tape").symlink_to(tmp_path / "aside")
    os.mkfifo(writer.path / "0000000003-20261120T030000Z.tape")
    (writer.path / "0000000004-20261320T030000Z.tape").write_bytes(b"")
    (writer.path / "0000000005-20261120T030000Z.tape").mkdir()
    (writer.path / "notes.txt").write_text("mine")

    assert read(writer.path) == ([0, 0], [])


def test_it_is_read_while_it_is_written(writer: TapeWriter) -> None:
    writer.record(moment(0, {"192.0.2.1": 20}))
    reading = read_tape(writer.path)
    assert next(reading).inputs.sample.sockets == 20

    writer.record(moment(1, {"192.0.2.1": 21}))
    assert [one.inputs.sample.sockets for one in reading] == [21]


def test_files_that_make_room_meanwhile_are_passed_over(writer: TapeWriter) -> None:
    write_hours(writer, 3)
    reading = read_tape(writer.path)
    next(reading)
    sorted(writer.path.iterdir())[1].unlink()

    assert len(list(reading)) == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_no_damage_does_harm(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / "tape"
    if not folder.exists():
        writer = TapeWriter(folder)
        write_hours(writer, 2)
        writer.close()
    first = min(folder.iterdir())
    sound, whole = first.read_bytes(), list(read_tape(folder))
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    first.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        told: list[str] = []
        frames = list(read_tape(folder, tell=told.append))
    finally:
        first.write_bytes(sound)

    assert frames[-2:] == whole[-2:]
    assert frames[:-2] == whole[: len(frames) - 2]
    assert len(told) <= 1


def test_a_number_that_was_changed_within_a_sound_stream_is_damage(writer: TapeWriter) -> None:
    write_hours(writer, 2)
    first = min(writer.path.iterdir())
    content = bytearray(zlib.decompressobj().decompress(first.read_bytes()[len(KIND) :]))
    content[8 + int.from_bytes(content[:4], "little") - 8] ^= 1
    first.write_bytes(KIND + zlib.compress(content))

    assert read(writer.path) == (
        [1, 1],
        [f"{first.name}: it is damaged: the rest of its frames are left out"],
    )


def test_a_frame_that_is_sound_in_form_alone_is_damage(writer: TapeWriter) -> None:
    write_hours(writer, 2)
    first = min(writer.path.iterdir())
    content = b"\x02\0\0\0{}"
    head = len(content).to_bytes(4, "little") + zlib.crc32(content).to_bytes(4, "little")
    first.write_bytes(KIND + zlib.compress(head + content))

    assert read(writer.path)[1] == [
        f"{first.name}: it is damaged: the rest of its frames are left out"
    ]
    assert stream.FRAME_BYTES_AT_MOST < 10**7


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_an_error(writer: TapeWriter) -> None:
    write_hours(writer, 1)
    writer.path.chmod(0)
    with pytest.raises(UnreadableError, match="run it as root"):
        list(read_tape(writer.path))
    writer.path.chmod(0o700)
