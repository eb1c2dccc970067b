"""The keys, what they do, and how that is told."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.cli.screen.ink import Ink, Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key, or several that do the same.

    Attributes:
        names: As Textual calls them, with commas between.
        shown: As a person does.
        action: What the screen's method is called that it runs.
        word: What it does, in one word; empty for one that the foot does not show.
        told: What it does, for the page of help.
    """

    names: str
    shown: str
    action: str
    word: str = ""
    told: str


KEYS = (
    Key(names="up,k", shown="Up", action="step(-1)", told="to the source above"),
    Key(names="down,j", shown="Down", action="step(1)", told="to the source below"),
    Key(names="pageup", shown="PgUp", action="page(-1)", told="a screenful up"),
    Key(names="pagedown", shown="PgDn", action="page(1)", told="a screenful down"),
    Key(names="home", shown="Home", action="end(-1)", told="to the first"),
    Key(names="end", shown="End", action="end(1)", told="to the last"),
    Key(names="tab", shown="Tab", action="pane", told="to the bans in force, and back"),
    Key(
        names="s",
        shown="s",
        action="order",
        word="sort",
        told="sort by sockets, by the distance to a limit, by address",
    ),
    Key(names="t", shown="t", action="states", word="state", told="only sockets in some states"),
    Key(names="v", shown="v", action="service", word="service", told="only those of one service"),
    Key(names="slash", shown="/", action="prefix", word="prefix", told="only sources in a prefix"),
    Key(names="c", shown="c", action="clear", word="clear", told="show all again"),
    Key(names="space", shown="Space", action="freeze", word="freeze", told="stand still, or go on"),
    Key(names="enter,e", shown="e", action="explain", word="explain", told="why banned or not"),
    Key(names="b", shown="b", action="ban", word="ban", told="keep it out for a time"),
    Key(names="u", shown="u", action="unban", word="unban", told="lift its bans"),
    Key(names="a", shown="a", action="allow", word="allow", told="let it pass for a time"),
    Key(names="plus,equals_sign", shown="+", action="pace(1)", told="look more often"),
    Key(names="minus", shown="-", action="pace(-1)", told="look less often"),
    Key(names="question_mark,h", shown="?", action="help", word="help", told="this page"),
    Key(names="q", shown="q", action="leave", word="quit", told="quit; so does Ctrl-C"),
)


def foot() -> Iterator[list[Piece]]:
    """Give the words at the foot of the screen."""
    for key in KEYS:
        if key.word:
            yield [(key.shown, Ink.STRONG), (f" {key.word}", Ink.PLAIN)]


def help_lines() -> Iterator[str]:
    """Give the page of help."""
    for key in KEYS:
        yield f"  {key.shown:<7} {key.told}"
    yield from (
        "",
        "In front of a source:",
        "  >  chosen: what keys are about, wherever it goes in the list",
        "  !  above a limit that gets it banned once that has lasted",
        "  x  banned; for how long still is told under BANNED",
        "",
        "LIMIT is the share of the limit that a source is nearest to; it is banned above",
        "100%. ~ or `watched` says that the rule only observes, `spared` that no ban may",
        "reach the source. An IPv6 source is a /64, one customer's line.",
        "",
        "Bans, pardons and their limits are those of abuse-agent ban, unban and allow.",
    )
