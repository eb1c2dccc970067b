"""A real terminal with a program in it: tmux, on a socket of its own."""

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.live.agents import ROOT
from tests.range import in_namespace

WAIT_S = 30.0
_POLL_S = 0.05
_numbers = count()


class Terminal:
    """A screen of a size, with a shell that runs a program and says how it ended."""

    def __init__(self, server: str) -> None:
        self._server = server

    def tmux(self, *words: str) -> str:
        """Have tmux do something, and give what it prints."""
        done = subprocess.run(
            ["tmux", "-L", self._server, *words], capture_output=True, text=True, check=False
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys, by their names in tmux."""
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self.tmux("send-keys", "-l", text)

    def resize(self, columns: int, lines: int) -> None:
        """Make it another size."""
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self.tmux("capture-pane", "-p")

    @property
    def coloured(self) -> str:
        """The same with its colours, as escape sequences, and with the spaces at the ends."""
        return self.tmux("capture-pane", "-p", "-e", "-N")

    @property
    def lines(self) -> list[str]:
        """What is on the screen, line by line."""
        return self.text.split("\n")

    def line(self, *words: str) -> str:
        """Give the first line that has all of these words; empty when none has."""
        return next((one for one in self.lines if all(word in one for word in words)), "")

    def wait(self, is_so: Callable[[], object], why: str) -> None:
        """Wait until something is so on the screen.

        Raises:
            AssertionError: It is not in time; with the screen as it is.
        """
        until = time.monotonic() + WAIT_S
        while not is_so():
            assert time.monotonic() < until, f"{why}:\n{self.text}"
            time.sleep(_POLL_S)

    def see(self, *words: str) -> str:
        """Wait for a line with all of these words, and give it."""
        self.wait(lambda: self.line(*words), f"no line with {words}")
        return self.line(*words)

    def miss(self, *words: str) -> None:
        """Wait until no line has all of these words."""
        self.wait(lambda: not self.line(*words), f"still a line with {words}")


@contextmanager
def terminal(
    namespace: str,
    command: list[str],
    size: tuple[int, int] = (80, 24),
) -> Iterator[Terminal]:
    """Run a command in a terminal inside a namespace; all of it is gone afterwards.

    Args:
        namespace: Where.
        command: What runs; its exit status is shown as ``ended 0`` when it has ended.
        size: Columns and lines.
    """
    server = f"aa{os.getpid():x}t{next(_numbers)}"
    line = f"{shlex.join(command)}; echo ended $?; exec sh"
    columns, lines = map(str, size)
    given = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/", "PS1": "ready> "}
    made = Terminal(server)
    with in_namespace(namespace):
        subprocess.run(
            [
                *("tmux", "-L", server, "-f", "/dev/null", "new-session", "-d"),
                *("-x", columns, "-y", lines, "-c", str(ROOT), line),
            ],
            env=given,
            check=True,
        )
    try:
        yield made
    finally:
        made.tmux("kill-server")
        Path(f"/tmp/tmux-{os.getuid()}/{server}").unlink(missing_ok=True)  # noqa: S108 - tmux's own
