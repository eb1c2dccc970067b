import errno
import io
import json

import pytest

from agent.record import ban_events, events
from agent.record.audit import Audit, Format, usual_format
from agent.record.events import Event, Level
from tests.builders import NOW, ban


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    """A stream that fails in a given way."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, _text: str) -> int:
        raise self.error


def written(event: Event, cycle: int | None = 7, **options: object) -> str:
    stream = io.StringIO()
    Audit(stream, "dry-run", **options).write(event, NOW, cycle)  # type: ignore[arg-type]
    return stream.getvalue()


def test_a_json_line_is_one_object_that_begins_with_what_every_line_carries() -> None:
    line = written(ban_events.ban_event("ban.would_apply", ban(), "dry-run"))

    assert line.endswith("}\n")
    assert line.count("\n") == 1
    assert list(json.loads(line))[:5] == ["timestamp", "level", "event", "mode", "cycle"]


def test_what_every_line_carries() -> None:
    line = json.loads(written(Event("agent.stopped", {"reason": "SIGTERM"}), cycle=None))

    assert line == {
        "timestamp": "2026-11-20T03:00:00.000000Z",
        "level": "info",
        "event": "agent.stopped",
        "mode": "dry-run",
        "cycle": None,
        "reason": "SIGTERM",
    }


@pytest.mark.parametrize(
    ("level", "lines"),
    [
        pytest.param(Level.DEBUG, 3, id="debug"),
        pytest.param(Level.INFO, 2, id="info"),
        pytest.param(Level.WARNING, 1, id="warning"),
    ],
)
def test_quieter_events_are_left_out(level: Level, lines: int) -> None:
    each = (Level.DEBUG, Level.INFO, Level.WARNING)

    assert sum(bool(written(Event("x", {}, one), level=level)) for one in each) == lines


def test_the_format_is_text_on_a_terminal_and_json_elsewhere() -> None:
    assert usual_format(Terminal()) is Format.TEXT
    assert usual_format(io.StringIO()) is Format.JSON


def test_nothing_from_outside_can_forge_a_line_or_a_terminal_escape() -> None:
    evil = Event("agent.stopped", {"reason": "x\n\x1b[2J\u202e\x9b31m"})

    text = written(evil, form=Format.TEXT)

    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
    assert written(evil).isascii()


def test_colour_is_written_only_when_asked_for() -> None:
    event = events.cycle_failed("observe", "no answer")

    assert "\x1b[31m" in written(event, form=Format.TEXT, colour=True)
    assert "\x1b" not in written(event, form=Format.TEXT)


@pytest.mark.parametrize("error", [errno.EPIPE, errno.EIO, errno.EBADF])
def test_a_reader_that_has_gone_is_told_of(error: int) -> None:
    gone: list[bool] = []
    audit = Audit(Broken(OSError(error, "gone")), "live", on_closed=lambda: gone.append(True))

    audit.write(Event("x"), NOW)

    assert (gone, audit.lost) == ([True], 1)


def test_a_full_disk_loses_lines_and_stops_nothing() -> None:
    audit = Audit(Broken(OSError(28, "No space left on device")), "live")

    audit.write(Event("x"), NOW)
    audit.write(Event("x"), NOW)

    assert audit.lost == 2


def test_a_person_is_shown_the_first_cycle() -> None:
    event = Event("cycle.completed", {}, Level.DEBUG)

    assert written(event, cycle=1) == written(event, cycle=2, form=Format.JSON) == ""
