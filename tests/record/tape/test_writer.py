"""What is recorded can be read, whatever the clock and the disk do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.record.tape.reader import read_tape
from agent.record.tape.writer import TapeWriter
from tests.builders import NOW
from tests.record.tape.moments import EVERY, moment


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
