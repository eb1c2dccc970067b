"""The screen as far as it does something: explain, ban, unban, allow, as the commands do."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta

import click

from agent.act.privilege import demand
from agent.cli import deeds
from agent.cli.deeds import Deed, Wish
from agent.cli.explain import words_about
from agent.cli.screen.ask.confirm import Confirm
from agent.cli.screen.ask.forms import AllowForm, BanForm
from agent.cli.screen.ask.page import Page
from agent.cli.screen.beside import beside
from agent.cli.screen.watching import Look, Watching
from agent.desk.by_hand import GRACE
from agent.desk.top.values import View
from agent.desk.where import Where
from agent.errors import AgentError
from agent.model.address import Source
from agent.model.policy import Scope
from agent.record.phrases import duration
from agent.service import clock

_PORT = "port "
"""So begin the services that are none of the policy's."""


class ByHand(Watching):
    """Does what somebody asks for, to the source that is chosen."""

    def __init__(self, look: Look, view: View, where: Where, every_s: float) -> None:
        super().__init__(look, view, every_s)
        self._where = where
        self._under_way: Future[Deed] | None = None

    def action_explain(self) -> None:
        """Tell all that is known of the chosen one."""
        source = self.showing.chosen
        if source is None:
            return
        page = Page(f"abuse-agent explain {source}", ["looking ..."])
        self.push_screen(page)
        self.run_worker(self._explain(source, page))

    async def _explain(self, source: Source, page: Page) -> None:
        def read() -> list[str]:
            return list(words_about(self._here(), source))

        try:
            lines = await asyncio.wrap_future(beside(read))
        except (AgentError, OSError) as error:
            lines = str(error).split("\n")
        page.write(lines)

    def action_ban(self) -> None:
        """Ask for how long, from what and why, then ban."""
        if (source := self._whom()) is None:
            return
        named = self.showing.picture.services if self.showing.picture else ()
        services = tuple(name for name in named if not name.startswith(_PORT))

        def take(wish: Wish | None) -> None:
            if wish is not None:
                self._confirm(f"Ban {source}", _told(wish), lambda: deeds.ban(self._here(), wish))

        self.push_screen(BanForm(source, services), take)

    def action_unban(self) -> None:
        """Ask, then unban."""
        if (source := self._whom()) is None:
            return
        told = (
            f"Its bans are lifted, and {source} stays free for "
            f"{duration(GRACE.total_seconds())}, whatever it does."
        )
        self._confirm(f"Unban {source}", told, lambda: deeds.unban(self._here(), source)[0])

    def action_allow(self) -> None:
        """Ask for how long, then allow."""
        if (source := self._whom()) is None:
            return

        def take(lasts: timedelta | None) -> None:
            if lasts is not None:
                told = (
                    f"{source} passes for {duration(lasts.total_seconds())}, whatever it does; "
                    "its bans are lifted."
                )
                allow = lambda: deeds.allow(self._here(), source, lasts)[0]  # noqa: E731
                self._confirm(f"Allow {source}", told, allow)

        self.push_screen(AllowForm(source), take)

    def action_leave(self) -> None:
        """Leave."""
        self.exit()

    def last_words(self) -> Iterator[str]:
        """Wait for what is still under way, and tell what came of it."""
        if self._under_way is not None:
            try:
                yield from _outcome(self._under_way.result())
            except (AgentError, click.ClickException, OSError) as error:
                yield _in_a_line(error)

    def _whom(self) -> Source | None:
        """Give whom something is to be done to; None, told why, where nothing can be."""
        source = self.showing.chosen
        if source is None:
            self.say("nobody is chosen", is_bad=True)
        elif self._under_way is not None:
            self.say("one thing at a time: the last one is still under way", is_bad=True)
        else:
            try:
                demand("CAP_NET_ADMIN")
            except AgentError as error:
                self.say(str(error), is_bad=True)
            else:
                return source
        return None

    def _confirm(self, title: str, told: str, deed: Callable[[], Deed]) -> None:
        def take(agreed: bool | None) -> None:  # noqa: FBT001 - the answer
            if agreed:
                self.run_worker(self._do(title, deed))
            else:
                self.say("nothing was changed")

        self.push_screen(Confirm(title, told), take)

    async def _do(self, title: str, deed: Callable[[], Deed]) -> None:
        self._under_way = beside(deed, has_to_end=True)
        self.say(f"{title} ...")
        try:
            done = await asyncio.wrap_future(self._under_way)
        except (AgentError, click.ClickException, OSError) as error:
            self.say(_in_a_line(error), is_bad=True)
        else:
            self.say("; ".join(_outcome(done)), is_bad=bool(done.failure))
        self._under_way = None
        self.look_now()

    def _here(self) -> Where:
        return replace(self._where, now=clock.now())


def _told(wish: Wish) -> str:
    """Say what a ban will do."""
    lasts = duration(wish.lasts.total_seconds())
    is_host = wish.scope is Scope.HOST
    from_what = "the whole host (ssh stays open)" if is_host else ", ".join(wish.names)
    why = f"\nReason: {wish.reason}" if wish.reason else ""
    return (
        f"{wish.source} is kept from {from_what} for {lasts}, and its connections there are "
        f"closed.{why}"
    )


def _outcome(done: Deed) -> Iterable[str]:
    return [*done.lines, *([done.failure] if done.failure else [])]


def _in_a_line(error: Exception) -> str:
    text = error.message if isinstance(error, click.ClickException) else str(error)
    return "; ".join(text.split("\n"))
