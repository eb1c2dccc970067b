"""All that the screen shows: what was seen last, what was asked for, where somebody is."""

from dataclasses import dataclass, field
from enum import Enum, auto

from agent.cli.screen.cursor import Cursor
from agent.cli.screen.room import Needs, needs_of
from agent.desk.top.history import History
from agent.desk.top.values import Picture, Row, View
from agent.model.address import Source
from agent.model.ban import Ban


class Pane(Enum):
    """The lists that somebody can be in."""

    SOURCES = auto()
    BANS = auto()


@dataclass(slots=True, kw_only=True)
class Showing:
    """What is shown.

    Attributes:
        machine: Its name.
        view: What is asked for.
        every_s: From one look to the next.
        picture: What was seen last; None before the first look.
        history: The totals so far.
        needs: How wide columns would have to be; never less than before in one view.
        is_frozen: Whether nothing new is looked at.
        trouble: Why the last look gave no sockets; empty when it did.
        said: What was last said to whoever sits there.
        is_bad: Whether that is about something that went wrong.
        pane: The list that keys move in.
        sources: The place among the sources.
        bans: The place among the bans, by their ids.
    """

    machine: str
    view: View
    every_s: float
    picture: Picture | None = None
    history: History = field(default_factory=History)
    needs: Needs = field(default_factory=Needs)
    is_frozen: bool = False
    trouble: str = ""
    said: str = ""
    is_bad: bool = False
    pane: Pane = Pane.SOURCES
    sources: Cursor[Source] = field(default_factory=Cursor)
    bans: Cursor[str] = field(default_factory=Cursor)
    _is_new: bool = False

    def see(self, picture: Picture) -> None:
        """Show a new picture; one without sockets leaves those that were seen before it."""
        self.trouble = picture.unread.get("sockets", "")
        self.history = self.history.then(picture)
        if self.trouble and self.picture is not None:
            return
        self.picture = picture
        self.needs = self.needs.or_more(needs_of(picture.rows))
        if self._is_new and self.sources.key not in self.source_keys:
            self.sources = Cursor(height=self.sources.height)
        self._is_new = False
        self.sources.follow(self.source_keys)
        self.bans.follow(self.ban_keys)
        if not self.in_force:
            self.pane = Pane.SOURCES

    def ask(self, view: View) -> None:
        """Ask for something else; who is chosen but not in that is so no longer."""
        self.view, self._is_new = view, True
        self.needs = Needs()

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Tell whoever sits there something, until the next key."""
        self.said, self.is_bad = text, is_bad

    @property
    def rows(self) -> tuple[Row, ...]:
        """The sources that are there to be shown."""
        return self.picture.rows if self.picture else ()

    @property
    def in_force(self) -> tuple[Ban, ...]:
        """The bans that are there to be shown."""
        return (self.picture.bans or ()) if self.picture else ()

    @property
    def source_keys(self) -> list[Source]:
        """What a place among the sources goes by."""
        return [row.source for row in self.rows]

    @property
    def ban_keys(self) -> list[str]:
        """What a place among the bans goes by."""
        return [ban.ban_id for ban in self.in_force]

    @property
    def chosen(self) -> Source | None:
        """Whom keys are about; None while nobody is there."""
        if self.pane is Pane.SOURCES:
            return self.sources.key
        ban = self.chosen_ban
        return ban.source if ban else None

    @property
    def chosen_row(self) -> Row | None:
        """The chosen source, where it is among those that are shown."""
        return next((row for row in self.rows if row.source == self.chosen), None)

    @property
    def chosen_ban(self) -> Ban | None:
        """The chosen ban, where it is still in force."""
        return next((ban for ban in self.in_force if ban.ban_id == self.bans.key), None)
