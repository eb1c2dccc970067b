"""A page of text that may be longer than the screen."""

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.strip import Strip

from agent.cli.screen.canvas import Canvas
from agent.cli.screen.ink import Ink, clean, left, strip_of

_KEYS = "Up Down PgUp PgDn Home End: read   Esc or q: back"


class Page(ModalScreen[None]):
    """Text to be read, from its first line."""

    DEFAULT_CSS = "Page { background: ansi_default; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "back"),
        Binding("up,k", "scroll(-1)", priority=True),
        Binding("down,j", "scroll(1)", priority=True),
        Binding("pageup", "turn(-1)", priority=True),
        Binding("pagedown,space", "turn(1)", priority=True),
        Binding("home", "go(0)", priority=True),
        Binding("end", "go(-1)", priority=True),
    ]

    def __init__(self, title: str, lines: Iterable[str]) -> None:
        super().__init__()
        self._title = title
        self._text = list(lines)
        self._first = 0
        self._canvas = Canvas(self._draw)

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield self._canvas

    def write(self, lines: Iterable[str]) -> None:
        """Show another text, from its first line."""
        self._text, self._first = list(lines), 0
        self._canvas.redraw()

    def _draw(self, width: int, height: int) -> list[Strip]:
        text = [part for line in self._text for part in _folded(line, width)]
        room = max(1, height - 2)
        self._first = max(0, min(self._first, len(text) - room))
        shown = text[self._first : self._first + room]
        more = len(text) - self._first - len(shown)
        below = f"{_KEYS}   {more} more lines" if more else _KEYS
        body = [strip_of([(line, Ink.PLAIN)], width) for line in shown]
        head = strip_of([(left(self._title, width), Ink.HEAD)], width)
        foot = strip_of([(below, Ink.STRONG)], width)
        return [head, *body, *[strip_of((), width)] * (room - len(body)), foot][:height]

    def action_scroll(self, by: int) -> None:
        """Go some lines."""
        self._first = max(0, self._first + by)
        self._canvas.redraw()

    def action_turn(self, by: int) -> None:
        """Go some screenfuls."""
        self.action_scroll(by * max(1, self.size.height - 3))

    def action_go(self, line: int) -> None:
        """Go to a line, or to the last one."""
        self._first = line if line >= 0 else len(self._text) * 9
        self._canvas.redraw()

    def action_back(self) -> None:
        """Leave it."""
        self.dismiss()


def _folded(line: str, width: int) -> list[str]:
    """Give a line in pieces that fit; those that were folded begin at the left."""
    line = clean(line)
    return [line[at : at + width] for at in range(0, len(line), max(1, width))] or [""]
