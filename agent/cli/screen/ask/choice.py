"""One or several things out of a list."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from agent.cli.screen.ask.panel import Panel
from agent.cli.screen.canvas import Canvas
from agent.cli.screen.cursor import Cursor
from agent.cli.screen.ink import Ink, strip_of


class Choice(Panel[frozenset[int]]):
    """A list to choose from; answers with the numbers of what was chosen."""

    DEFAULT_CSS = "Choice Canvas { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", priority=True),
        Binding("down,j", "step(1)", priority=True),
        Binding("space", "mark", priority=True),
        Binding("enter", "take", priority=True),
    ]

    def __init__(
        self, title: str, options: Sequence[str], chosen: Iterable[int] = (), *, is_many: bool
    ) -> None:
        keys = "Up Down: go   Enter: take   Esc: leave as it is"
        super().__init__(title, f"Space: more than one   {keys}" if is_many else keys)
        self._options = options
        self._chosen = set(chosen)
        self._is_many = is_many
        self._numbers = range(len(options))
        self._cursor: Cursor[int] = Cursor(key=min(self._chosen, default=0))
        self._cursor.follow(self._numbers)
        self._canvas = Canvas(self._draw)

    def parts(self) -> Iterable[Widget]:
        """Give the list."""
        self._canvas.styles.height = min(len(self._options), 12)
        yield self._canvas

    def _draw(self, width: int, height: int) -> list[Strip]:
        lines = []
        for number in self._numbers[self._cursor.show(height, self._numbers)]:
            is_here = number == self._cursor.key
            mark = ">" if is_here else " "
            box = ("[x] " if number in self._chosen else "[ ] ") if self._is_many else ""
            line = [(f"{mark} {box}{self._options[number]}", Ink.PLAIN)]
            lines.append(strip_of(line, width, Ink.CHOSEN if is_here else Ink.PLAIN))
        return lines + [strip_of((), width)] * (height - len(lines))

    def action_step(self, by: int) -> None:
        """Go up or down."""
        self._cursor.go(self._cursor.index + by, self._numbers)
        self._canvas.redraw()

    def action_mark(self) -> None:
        """Choose one more, or one less."""
        if self._is_many:
            self._chosen ^= {self._cursor.index}
            self._canvas.redraw()

    def action_take(self) -> None:
        """Answer: with what was chosen, else with where somebody is."""
        is_several = self._is_many and self._chosen
        self.dismiss(frozenset(self._chosen if is_several else {self._cursor.index}))
