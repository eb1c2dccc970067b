"""Writing events: one JSON object a line for programs, one sentence a line for people."""

import errno
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TextIO

from agent.record.events import Event, Level, rfc3339
from agent.record.text import line_of
from agent.without import without

# It would load rich wherever that is installed, for tracebacks that are never printed here:
# 4 MB more for every agent.
with without("rich"):
    import structlog


class Format(StrEnum):
    """How events are written."""

    JSON = "json"
    TEXT = "text"


def usual_format(stream: TextIO) -> Format:
    """Give the format for a stream when none was asked for: text on a terminal only."""
    return Format.TEXT if stream.isatty() else Format.JSON


@dataclass(slots=True)
class Audit:
    """Writes events to a stream, whole lines at once.

    A stream that fails must not stop a cycle: what could not be written is
    counted in `lost`, and `on_closed` is told when nobody will ever read again.

    Attributes:
        stream: Where to; anything with ``write`` and ``flush``.
        mode: ``live`` or ``dry-run``, for every event.
        form: Json or text.
        level: Quieter events are left out.
        colour: Whether text has colours.
        on_closed: Called when the reader of the stream has gone.
        lost: Events that could not be written.
        failure: Why not, at the last of them.
    """

    stream: TextIO
    mode: str
    form: Format = Format.JSON
    level: Level = Level.INFO
    colour: bool = False
    on_closed: Callable[[], None] = lambda: None
    lost: int = 0
    failure: OSError | None = None
    _logger: Any = field(init=False)

    def __post_init__(self) -> None:
        """Build the chain of structlog processors."""
        renderer = structlog.processors.JSONRenderer(ensure_ascii=True, separators=(",", ":"))
        self._logger = structlog.wrap_logger(
            structlog.WriteLogger(self.stream),
            processors=[_contract_order, renderer if self.form is Format.JSON else self._sentence],
            wrapper_class=structlog.make_filtering_bound_logger(self.level),
            mode=self.mode,
        )

    def write(self, event: Event, at: datetime, cycle: int | None = None) -> None:
        """Write one event.

        Args:
            event: What happened.
            at: When; aware.
            cycle: In which cycle; None outside one.
        """
        stamp = {"timestamp": rfc3339(at), "cycle": cycle}
        try:
            self._logger.log(self._level(event, cycle), event.name, **stamp, **event.fields)
        except OSError as error:
            self.lost, self.failure = self.lost + 1, error
            if error.errno in _CLOSED:
                self.on_closed()

    def _level(self, event: Event, cycle: int | None) -> Level:
        """Show a person the first cycle, to see that the agent is at work."""
        is_first = cycle == 1 and event.name == "cycle.completed"
        return Level.INFO if is_first and self.form is Format.TEXT else event.level

    def _sentence(self, _logger: object, _method: str, fields: MutableMapping[str, Any]) -> str:
        return line_of(fields, colour=self.colour)


_CLOSED = frozenset({errno.EPIPE, errno.EIO, errno.EBADF})
"""Nobody will ever read again: a pipe without a reader, a terminal that went away."""

_FIRST = ("timestamp", "level", "event", "mode", "cycle")


def _contract_order(
    _logger: object, method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Put what every line carries first, in the contract's order."""
    fields["level"] = method
    head = {name: fields.pop(name) for name in _FIRST}
    return {**head, **fields}
