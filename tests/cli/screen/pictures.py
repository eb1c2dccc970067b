"""Pictures with boring defaults, and a screen that is shown them."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from textual.pilot import Pilot

from agent.cli.screen.board import Board
from agent.desk.top.values import Nearness, Picture, Row, View
from agent.desk.where import Where
from agent.model.ban import Ban
from agent.model.sample import State
from tests.builders import NOW, ban, source

Drive = Callable[["Seat"], Coroutine[Any, Any, None]]


def row(text: str = "198.51.100.7", sockets: int = 10, **changes: Any) -> Row:
    usual = Row(
        source=source(text),
        sockets=sockets,
        states={State.ESTABLISHED: sockets},
        services={"web": sockets},
    )
    return replace(usual, **changes)


def near(text: str, count: int, limit: int, **changes: Any) -> Nearness:
    usual = Nearness(rule="web-connections", judged=source(text), count=count, limit=limit)
    return replace(usual, **changes)


def picture(*rows: Row, bans: tuple[Ban, ...] | None = (), **changes: Any) -> Picture:
    usual = Picture(
        now=NOW,
        sockets=sum(one.sockets for one in rows),
        states={State.ESTABLISHED: sum(one.sockets for one in rows)},
        sources=len(rows),
        matching=len(rows),
        rows=rows,
        bans=bans,
        agent=None,
        services=("web", "ssh"),
    )
    return replace(usual, **changes)


def many(count: int, most: int = 100) -> Picture:
    """So many sources, the busiest first, of which some are told."""
    rows = [row(f"198.18.{one // 250}.{one % 250 + 1}", count - one) for one in range(most)]
    return picture(*rows, sources=count, matching=count)


def kept_out(text: str, **changes: Any) -> Ban:
    return ban(source(text).prefix.with_prefixlen, ban_id=text, **changes)


class Seat:
    """Somebody before the screen.

    Attributes:
        board: The screen.
        picture: What is seen at the next look; an error that looking ends with.
        asked: The views that were asked for.
        is_over: Cleared, it keeps looks from ending.
    """

    def __init__(self, shown: Picture | Exception, folder: Path) -> None:
        self.picture = shown
        self.asked: list[View] = []
        self.is_over = Event()
        self.is_over.set()
        where = Where(
            folder=folder, paths=(), firewall=None, now=NOW, stopwatch=lambda: 0.0, boot_id="b"
        )
        # So slow that only keys and `look` have it look.
        self.board = Board(self._look, View(), where, every_s=3600.0)
        self._pilot: Pilot[None] | None = None

    def _look(self, view: View, _now: datetime) -> Picture:
        self.asked.append(view)
        if isinstance(self.picture, Exception):
            raise self.picture
        self.is_over.wait(10.0)
        return self.picture

    async def press(self, *keys: str) -> None:
        assert self._pilot
        await self._pilot.press(*keys)
        await self._pilot.pause()

    async def pause(self, delay_s: float) -> None:
        assert self._pilot
        await self._pilot.pause(delay_s)

    async def look(self, shown: Picture | Exception | None = None) -> None:
        """See something new."""
        assert self._pilot
        self.picture = self.picture if shown is None else shown
        before = len(self.asked)
        self.board.look_now()
        while len(self.asked) == before:
            await self._pilot.pause()
        await self._pilot.pause(0.05)

    async def resize(self, columns: int, lines: int) -> None:
        assert self._pilot
        await self._pilot.resize_terminal(columns, lines)
        await self._pilot.pause()

    @property
    def lines(self) -> list[str]:
        strips = self.board.screen._compositor.render_strips()  # noqa: SLF001 - what is seen
        return [strip.text.rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def line(self, word: str) -> str:
        return next((one for one in self.lines if word in one), "")

    @property
    def chosen(self) -> str:
        """The source in the line that is marked as chosen."""
        return self.line("> ").removeprefix("> ").partition(" ")[0]

    async def sit(self, drive: Drive, size: tuple[int, int]) -> None:
        async with self.board.run_test(size=size) as self._pilot:
            while not self.asked:
                await self._pilot.pause()
            await self._pilot.pause(0.05)
            await drive(self)


def sit(
    shown: Picture | Exception,
    drive: Drive,
    folder: Path = Path("/nonexistent"),
    size: tuple[int, int] = (80, 24),
) -> Board:
    """Have somebody sit before the screen until they are done; give the screen as they left it."""
    seat = Seat(shown, folder)
    asyncio.run(seat.sit(drive, size))
    return seat.board


LATER = NOW + timedelta(seconds=2)
FIRST, SECOND, THIRD = "198.51.100.7", "198.51.100.8", "198.51.100.9"
THREE = picture(row(FIRST, 30), row(SECOND, 20), row(THIRD, 10))
