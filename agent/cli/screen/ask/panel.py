"""A panel at the foot of the screen, which goes on above it; what all panels share."""

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from agent.cli.screen.ink import clean

T = TypeVar("T")


class Panel(ModalScreen[T | None], Generic[T]):
    """Something that is asked; Esc leaves it without an answer."""

    DEFAULT_CSS = """
    Panel { align: left bottom; background: transparent; }
    Panel > Vertical {
        height: auto; max-height: 80%; width: 100%; background: ansi_default; padding: 0 1;
        border-top: ascii ansi_default;
    }
    Panel Static { width: 100%; height: auto; background: ansi_default; }
    Panel .wrong { text-style: bold; color: ansi_red; }
    Panel .title { text-style: bold; }
    Panel .field { layout: horizontal; height: 1; background: ansi_default; }
    Panel .field Static { width: 10; }
    Panel Input, Panel Input:focus {
        width: 1fr; height: 1; border: none; padding: 0; background: ansi_default;
        text-style: underline;
    }
    Panel Input > .input--cursor {
        background: ansi_default; color: ansi_default; text-style: reverse;
    }
    Panel Input > .input--selection {
        background: ansi_default; color: ansi_default; text-style: reverse;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", priority=True),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, keys: str) -> None:
        super().__init__()
        self._title = title
        self._keys = keys
        self._wrong = said("", "wrong")

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield said(self._title, "title")
            yield from self.parts()
            yield self._wrong
            yield said(self._keys)

    def parts(self) -> Iterable[Widget]:
        """Give what stands between the title and the keys."""
        return ()

    def complain(self, text: str) -> None:
        """Say what is wrong, in place."""
        self._wrong.update(Text(clean(text)))

    def action_give_up(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)


class Field(Widget):
    """A line to type into, with its name."""

    def __init__(self, name: str, value: str, longest: int = 100) -> None:
        super().__init__(classes="field")
        self._called = name
        self.input = Input(value, max_length=longest, select_on_focus=False)
        self.input.cursor_blink = False

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield said(self._called)
        yield self.input

    @property
    def value(self) -> str:
        """What was typed."""
        return self.input.value.strip()


def said(text: str, classes: str = "") -> Static:
    """Give a text that is no markup, and can't play with the terminal."""
    lines = "\n".join(map(clean, text.split("\n")))
    return Static(Text(lines), markup=False, classes=classes)
