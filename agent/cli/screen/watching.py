"""The screen as far as it watches: looks again and again, and draws what was seen."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, TypeAlias

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.worker import WorkerFailed

from agent.cli.screen.beside import beside
from agent.cli.screen.canvas import Canvas
from agent.cli.screen.draw import draw
from agent.cli.screen.driver import PlainDriver
from agent.cli.screen.marks import marks_for
from agent.cli.screen.showing import Showing
from agent.desk.top.values import Picture, View
from agent.errors import AgentError
from agent.service import clock

Look: TypeAlias = Callable[[View, datetime], Picture]
"""Gives a moment as a view has it; for one thread at a time."""

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TERMINAL_S = 1.0
"""Whether the terminal is still there is looked at after so long."""


class Desk(Canvas):
    """What is watched; Tab is its own here, and moves no focus."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab,shift+tab", "app.pane")]


class Watching(App[None]):
    """Looks, and draws.

    Attributes:
        showing: What is shown.
        failure: What went wrong and ended it; None when nothing did.
        signal: The signal that ended it; None when none did.
    """

    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "leave", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(self, look: Look, view: View, every_s: float) -> None:
        super().__init__(driver_class=PlainDriver, ansi_color=True)
        self.theme = "ansi-dark"
        self.showing = Showing(machine=os.uname().nodename, view=view, every_s=every_s)
        self.failure: Exception | None = None
        self.signal: signal.Signals | None = None
        self._read = look
        self._nudge = asyncio.Event()
        self._canvas = Desk(self._draw)
        encoding = sys.__stdout__.encoding if sys.__stdout__ else ""
        self._marks = marks_for(os.environ.get("TERM", ""), encoding)

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield self._canvas

    def on_mount(self) -> None:
        """Begin to look."""
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, partial(self._end, number))
        self.set_interval(_TERMINAL_S, self._check_terminal)
        self._canvas.focus()
        self.run_worker(self._keep_looking())

    def redraw(self) -> None:
        """Draw whatever changed."""
        self._canvas.redraw()

    def look_now(self) -> None:
        """Look without waiting for the time."""
        self._nudge.set()

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Tell whoever sits there something."""
        self.showing.say(text, is_bad=is_bad)
        self.redraw()

    def _draw(self, width: int, height: int) -> list[Strip]:
        return draw(self.showing, width, height, self._marks)

    async def _keep_looking(self) -> None:
        """Look, wait, and look again: never twice at once."""
        while True:
            began = clock.stopwatch()
            self._nudge.clear()
            await self._look()
            self.redraw()
            left_s = max(0.0, self.showing.every_s - (clock.stopwatch() - began))
            with suppress(TimeoutError):
                wait_s = None if self.showing.is_frozen else left_s
                await asyncio.wait_for(self._nudge.wait(), wait_s)

    async def _look(self) -> None:
        view, was_frozen = self.showing.view, self.showing.is_frozen
        look = partial(self._read, view, clock.now())
        try:
            picture = await asyncio.wrap_future(beside(look))
        except (AgentError, OSError) as error:
            self.showing.trouble = str(error)
            return
        # Who has it stand still meanwhile means what was on the screen then.
        is_late = self.showing.is_frozen and not was_frozen and self.showing.picture is not None
        if view == self.showing.view and not is_late:
            self.showing.see(picture)

    def _check_terminal(self) -> None:
        """Leave once nobody is there any more: reading keys would give nothing, for ever."""
        if isinstance(self._driver, PlainDriver) and self._driver.is_gone:
            self.exit()

    def _end(self, number: signal.Signals) -> None:
        self.signal = number
        self.exit()

    def _handle_exception(self, error: Exception) -> None:
        """Leave the terminal as it was; whoever ran this tells the error as every other."""
        found: Any = error.error if isinstance(error, WorkerFailed) else error
        self.failure = self.failure or found
        self._return_code = 1
        self._close_messages_no_wait()
