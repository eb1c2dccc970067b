"""How Textual speaks to the terminal here: plainly, and to its end when the terminal goes.

Nothing is asked of the terminal: its answers would come late over a slow line, and land in
the shell. No mouse is taken, so that the terminal's own selection works.
"""

import os
import sys
from typing import Any, TextIO

from textual.drivers.linux_driver import LinuxDriver


class Outlet:
    """The terminal, to be written to; once it is gone, nothing is written and nothing fails."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, where that is still possible."""
        try:
            self._stream.write(text)
        except (OSError, ValueError):
            return

    def flush(self) -> None:
        """Have it written."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return

    def fileno(self) -> int:
        """Give its descriptor."""
        return self._stream.fileno()


class PlainDriver(LinuxDriver):
    """Draws on standard output, as every command does, and reads keys."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as Textual has them
        super().__init__(*arguments, **options)
        if sys.__stdout__ is not None:
            self._file: Any = Outlet(sys.__stdout__)

    def _request_terminal_sync_mode_support(self) -> None:
        """Ask nothing."""

    def _query_in_band_window_resize(self) -> None:
        """Ask nothing: SIGWINCH tells of another size."""

    def run_input_thread(self) -> None:
        """Read keys until the end; a terminal that is gone ends the screen."""
        try:
            super().run_input_thread()
        except OSError:
            self._app.call_from_thread(self._app.exit)

    @property
    def is_gone(self) -> bool:
        """Whether there is no terminal any more."""
        return not os.isatty(self.fileno)
