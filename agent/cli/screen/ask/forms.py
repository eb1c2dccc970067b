"""What has to be typed: for how long, from what, why, and which prefix."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import click
from textual.widget import Widget
from textual.widgets import Input

from agent.cli.deeds import LONGEST_REASON, Wish, reason_of
from agent.cli.options import LengthType, SourceType
from agent.cli.screen.ask.panel import Field, Panel, said
from agent.model.address import Prefix, Source
from agent.model.policy import Scope

T = TypeVar("T")

_BAN_FOR, _ALLOW_FOR = "10m", "2h"
_HOST = Scope.HOST.value
_KEYS = "Enter: go on   Tab: next line   Esc: leave it"


class Form(Panel[T], Generic[T]):
    """Lines to type into; what is wrong is said in place."""

    def take(self) -> T:
        """Give what was typed.

        Raises:
            click.UsageError: It can't be taken; the text says why.
        """
        raise click.UsageError("")

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Answer with what was typed, or say what is wrong with it."""
        try:
            taken = self.take()
        except click.UsageError as wrong:
            self.complain(wrong.message)
            return
        self.dismiss(taken)

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Take back what was said of an earlier text."""
        self.complain("")


class BanForm(Form[Wish]):
    """For how long, from what and why somebody is to be banned."""

    def __init__(self, source: Source, services: tuple[str, ...]) -> None:
        super().__init__(f"Ban {source}", _KEYS)
        self._source = source
        self._services = services
        self._for = Field("for", _BAN_FOR)
        self._from = Field("from", _HOST)
        self._reason = Field("reason", "", LONGEST_REASON)

    def parts(self) -> Iterable[Widget]:
        """Give the lines."""
        yield self._for
        yield self._from
        yield self._reason
        named = f", or services: {' '.join(self._services)}" if self._services else ""
        yield said(f"from: {_HOST} (ssh stays open){named}")

    def take(self) -> Wish:
        """Give the ban that is asked for."""
        names = tuple(dict.fromkeys(self._from.value.replace(",", " ").split()))
        unknown = [name for name in names if name not in {_HOST, *self._services}]
        if unknown or not names:
            known = " ".join((_HOST, *self._services))
            raise click.UsageError(
                f"no service is called {unknown[0]!r}: {known}" if unknown else known
            )
        is_host = _HOST in names
        if is_host and len(names) > 1:
            raise click.UsageError(f"{_HOST} is all of it: leave out the services, or {_HOST}")
        return Wish(
            source=self._source,
            scope=Scope.HOST if is_host else Scope.SERVICE,
            names=() if is_host else names,
            lasts=lasting(self._for.value),
            reason=reason_of(self._reason.value),
        )


class AllowForm(Form[timedelta]):
    """For how long somebody is to be let pass."""

    def __init__(self, source: Source) -> None:
        super().__init__(f"Allow {source}", _KEYS)
        self._for = Field("for", _ALLOW_FOR)

    def parts(self) -> Iterable[Widget]:
        """Give the line."""
        yield self._for

    def take(self) -> timedelta:
        """Give for how long."""
        return lasting(self._for.value)


@dataclass(frozen=True, slots=True)
class Within:
    """Where sources are to be shown from.

    Attributes:
        prefix: That; None for everywhere.
    """

    prefix: Prefix | None


class PrefixForm(Form[Within]):
    """Which sources are to be shown."""

    def __init__(self, prefix: Prefix | None) -> None:
        super().__init__("Only sources in an address or a prefix; empty for all", _KEYS)
        self._prefix = Field("prefix", str(prefix or ""))

    def parts(self) -> Iterable[Widget]:
        """Give the line."""
        yield self._prefix

    def take(self) -> Within:
        """Give the prefix."""
        text = self._prefix.value
        if not text:
            return Within(None)
        return Within(SourceType(is_any_width=True).convert(text, None, None).prefix)


def lasting(text: str) -> timedelta:
    """Read for how long.

    Raises:
        click.UsageError: It is no duration.
    """
    return LengthType().convert(text, None, None)
