"""The screen with its keys: where somebody goes, and what is asked for."""

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Key

from agent.cli.screen.ask.choice import Choice
from agent.cli.screen.ask.forms import PrefixForm, Within
from agent.cli.screen.ask.page import Page
from agent.cli.screen.by_hand import ByHand
from agent.cli.screen.keys import KEYS, help_lines
from agent.cli.screen.showing import Pane
from agent.cli.top import WITHOUT_PEER
from agent.desk.top.values import Order, View
from agent.model.sample import State
from agent.record.phrases import duration

_PACES = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
_ALL = "all"


class Board(ByHand):
    """The whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding(key.names, key.action) for key in KEYS]

    def on_key(self, _event: Key) -> None:
        """Take back what was said before."""
        self.showing.say("")

    def action_step(self, by: int) -> None:
        """Go some lines up or down."""
        showing = self.showing
        if showing.pane is Pane.SOURCES:
            showing.sources.go(showing.sources.index + by, showing.source_keys)
        else:
            showing.bans.go(showing.bans.index + by, showing.ban_keys)
        self.redraw()

    def action_page(self, by: int) -> None:
        """Go some screenfuls up or down."""
        showing = self.showing
        cursor = showing.sources if showing.pane is Pane.SOURCES else showing.bans
        self.action_step(by * cursor.height)

    def action_end(self, by: int) -> None:
        """Go to the first or the last."""
        self.action_step(by * max(len(self.showing.rows), len(self.showing.in_force)))

    def action_pane(self) -> None:
        """Go to the other list, where there is anything in it."""
        showing = self.showing
        is_there = showing.pane is Pane.SOURCES and showing.in_force
        showing.pane = Pane.BANS if is_there else Pane.SOURCES
        self.redraw()

    def action_order(self) -> None:
        """Sort by what comes next."""
        orders = list(Order)
        view = self.showing.view
        order = orders[(orders.index(view.order) + 1) % len(orders)]
        self._ask(replace(view, order=order))
        self.say(f"sorted by {order.value}")

    def action_states(self) -> None:
        """Ask for states."""
        picture, view = self.showing.picture, self.showing.view
        states = [state for state in State if state not in WITHOUT_PEER]
        counts = picture.states if picture else {}
        options = [f"{state.name:<12} {counts.get(state, 0)}" for state in states]
        chosen = [number for number, state in enumerate(states, 1) if state in view.states]

        def take(numbers: frozenset[int] | None) -> None:
            if numbers is not None:
                # Whoever takes all, or all of them, asks for everybody.
                wanted = frozenset(states[number - 1] for number in numbers if number)
                self._ask(replace(view, states=wanted))

        title = "Only sockets in these states"
        self.push_screen(Choice(title, [_ALL, *options], chosen, is_many=True), take)

    def action_service(self) -> None:
        """Ask for a service."""
        picture, view = self.showing.picture, self.showing.view
        if picture is None:
            self.say("the first look is not over: which services there are is not known yet")
            return
        services = ("", *picture.services)
        chosen = [services.index(view.service)] if view.service in services else []

        def take(numbers: frozenset[int] | None) -> None:
            if numbers is not None:
                self._ask(replace(view, service=services[min(numbers)]))

        options = [name or _ALL for name in services]
        self.push_screen(Choice("Only sockets of a service", options, chosen, is_many=False), take)

    def action_prefix(self) -> None:
        """Ask for a prefix."""
        view = self.showing.view

        def take(within: Within | None) -> None:
            if within is not None:
                self._ask(replace(view, prefix=within.prefix))

        self.push_screen(PrefixForm(view.prefix), take)

    def action_clear(self) -> None:
        """Ask for everybody again."""
        view = self.showing.view
        self._ask(replace(view, states=frozenset(), service="", prefix=None))

    def action_freeze(self) -> None:
        """Stand still, or go on."""
        self.showing.is_frozen = not self.showing.is_frozen
        if not self.showing.is_frozen:
            self.look_now()
        self.redraw()

    def action_pace(self, by: int) -> None:
        """Look more often, or less."""
        every_s = self.showing.every_s
        others = [one for one in _PACES if (one < every_s if by > 0 else one > every_s)]
        if others:
            self.showing.every_s = others[-1] if by > 0 else others[0]
            self.look_now()
        self.say(f"looks every {duration(self.showing.every_s)}")

    def action_help(self) -> None:
        """Tell what the keys do."""
        self.push_screen(Page("abuse-agent top: keys", help_lines()))

    def _ask(self, view: View) -> None:
        self.showing.ask(view)
        self.look_now()
        self.redraw()
