"""Banning, unbanning and allowing by hand: what the commands and the live screen do alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from agent.cli.output import say, sentences, tell
from agent.decide.by_hand import Order
from agent.desk import by_hand
from agent.desk.by_hand import GRACE, Pardon
from agent.desk.site import Site, open_site
from agent.desk.where import Where
from agent.errors import FirewallError
from agent.model.address import Source
from agent.model.policy import Scope, Service
from agent.record.events import Event
from agent.record.phrases import duration

NOBODY_ENDS_IT = "no agent is running: in the firewall this ends when one starts, or with a command"
"""A ban has its timer in the kernel; that somebody passes has not."""

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A ban as it was asked for.

    Attributes:
        source: Whom to ban.
        scope: What of its traffic.
        names: Of the services, under scope service; none for all.
        lasts: For how long; positive.
        reason: One line; may be empty.
    """

    source: Source
    scope: Scope
    names: tuple[str, ...] = ()
    lasts: timedelta
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What came of it.

    Attributes:
        now: The moment of what happened.
        news: What happened, in the order it did.
        words: What a person is told besides.
        failure: Why it is not done after all; empty when it is.
    """

    now: datetime
    news: tuple[Event, ...]
    words: tuple[str, ...]
    failure: str = ""

    @property
    def lines(self) -> Iterator[str]:
        """All that a person is told of what was done, a sentence each."""
        yield from sentences(self.news, now=self.now)
        yield from self.words

    def print(self, *, is_json: bool = False) -> None:
        """Print what was done.

        Raises:
            FirewallError: It is not done after all.
        """
        tell(self.news, now=self.now, is_json=is_json)
        for word in () if is_json else self.words:
            say(word)
        if self.failure:
            raise FirewallError(self.failure)


def reason_of(text: str) -> str:
    """Give a reason as one line."""
    return " ".join(text.split())


def ban(where: Where, wish: Wish) -> Deed:
    """Ban somebody; what can't be done raises as `open_site` and `by_hand.ban` say.

    Raises:
        click.UsageError: No service is called so.
    """
    source = wish.source
    with open_site(where) as site:
        order = Order(
            source=source,
            scope=wish.scope,
            services=_services(site, wish.names),
            lasts=wish.lasts,
            reason=wish.reason,
        )
        ended = by_hand.ban(site, order)
    has_failed = any(event.name == "ban.failed" for event in site.news)
    return Deed(
        now=site.now,
        news=tuple(site.news),
        words=tuple(f"{source} had been {permit.why}: that is over" for permit in ended),
        failure=f"{source} is not banned" if has_failed else "",
    )


def unban(where: Where, source: Source) -> tuple[Deed, Pardon]:
    """Lift somebody's bans; what can't be done raises as `open_site` and `by_hand.unban` say."""
    with open_site(where) as site:
        pardon = by_hand.unban(site, source)
    return _pardoned(site, f"{source} stays free for {duration(GRACE.total_seconds())}"), pardon


def allow(where: Where, source: Source, lasts: timedelta) -> tuple[Deed, Pardon]:
    """Let somebody pass; what can't be done raises as `open_site` and `by_hand.allow` say."""
    with open_site(where) as site:
        pardon = by_hand.allow(site, source, lasts)
    return _pardoned(site, f"{source} passes for {duration(lasts.total_seconds())}"), pardon


def _pardoned(site: Site, word: str) -> Deed:
    words = (word,) if site.agent else (word, NOBODY_ENDS_IT)
    return Deed(now=site.now, news=tuple(site.news), words=words)


def _services(site: Site, names: tuple[str, ...]) -> tuple[Service, ...]:
    known = {one.name: one for one in site.policy.services}
    for name in names:
        if name not in known:
            raise click.UsageError(f"no service is called {name!r}; there are {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names or known))
