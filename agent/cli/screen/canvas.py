"""A widget of lines, of which only those are drawn again that changed."""

from collections.abc import Callable
from typing import TypeAlias

from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Drawing: TypeAlias = Callable[[int, int], list[Strip]]
"""Gives the lines for a width and a height: just so many, each just so wide."""


class Canvas(Widget, can_focus=True):
    """Lines that fill what room there is."""

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; background: ansi_default; }"

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self._drawing = drawing
        self._lines: list[Strip] = []

    def redraw(self) -> None:
        """Draw anew whatever changed."""
        before = self._lines
        if not self.size.area:
            return
        self._lines = self._drawing(self.size.width, self.size.height)
        if len(before) != len(self._lines):
            self.refresh()
            return
        pairs = enumerate(zip(before, self._lines, strict=True))
        changed = [number for number, (old, new) in pairs if old != new]
        if changed:
            self.refresh(*(Region(0, number, self.size.width, 1) for number in changed))

    def on_resize(self, _event: Resize) -> None:
        """Draw for another size."""
        self._lines = []
        self.redraw()

    def render_line(self, y: int) -> Strip:
        """Give a line to Textual."""
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)
