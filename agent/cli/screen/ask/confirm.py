"""A last question before something is done."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from agent.cli.screen.ask.panel import Panel, said


class Confirm(Panel[bool]):
    """Says what will happen; only ``y`` has it happen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "agree"),
        Binding("n", "give_up"),
    ]

    def __init__(self, title: str, told: str) -> None:
        super().__init__(title, "y: do it   n or Esc: leave it")
        self._told = told

    def parts(self) -> Iterable[Widget]:
        """Give what will happen."""
        yield said(self._told)

    def action_agree(self) -> None:
        """Have it happen."""
        self.dismiss(True)  # noqa: FBT003 - the answer
