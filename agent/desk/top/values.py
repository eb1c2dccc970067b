"""What a screen shows of one moment, and what it was asked to show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from agent.model.address import Prefix, Source
from agent.model.ban import Ban
from agent.model.sample import State
from agent.record.locks import Agent


class Order(StrEnum):
    """What the sources are sorted by, most first; ties, shares to a millionth, by address."""

    SOCKETS = "sockets"
    LIMIT = "limit"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is asked for.

    Attributes:
        order: What comes first.
        states: Only sockets in these count; empty for all.
        service: Only those of this service, or ``port 8443`` for one of no service; empty for all.
        prefix: Only sources in it; None for all.
        most: How many sources are told at most.
    """

    order: Order = Order.SOCKETS
    states: frozenset[State] = frozenset()
    service: str = ""
    prefix: Prefix | None = None
    most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """How near a source is to the limit of the rule that it is nearest to.

    Attributes:
        rule: Its name.
        judged: Who is counted for it: the source, or the wider prefix that it is in.
        count: What the rule counts.
        limit: The rule's, times the patience granted; the count has to be above it.
        is_watched_only: Whether the rule only observes.
    """

    rule: str
    judged: Source
    count: int
    limit: int
    is_watched_only: bool = False

    @property
    def share(self) -> float:
        """The count as a share of the limit; above 1 for a source that is above it."""
        return self.count / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One source.

    Attributes:
        source: An IPv4 address or an IPv6 /64, as rules about hosts judge it.
        sockets: How many it has of those that the view asks for.
        states: These by state.
        services: These by service; a port of no service is ``port 8443``.
        who: Who it is, as far as that is known without asking: its guard, its entry of the
            allowlist, its confirmed name, its CDN; empty for nobody.
        is_spared: Whether no ban may reach it.
        nearest: The limit it is nearest to, whatever the view asks for; None where no rule
            counts anything of it, or it is exempt.
        ban: The ban that keeps it out, the one that lasts longest; None without.
    """

    source: Source
    sockets: int
    states: Mapping[State, int]
    services: Mapping[str, int]
    who: str = ""
    is_spared: bool = False
    nearest: Nearness | None = None
    ban: Ban | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One moment, as a view has it.

    Attributes:
        now: Aware, UTC.
        sockets: All TCP sockets of this network namespace.
        states: These by state.
        sources: How many sources are on listening ports.
        matching: How many of them the view asks for.
        rows: Of these the first, in the view's order.
        bans: In force, the longest to go first; None where this user may not look.
        agent: The running one, of which a user who may not look is told the pid alone; None when
            none is, or that can't be told.
        services: Names to filter by: the policy's in its order, then ports of none that are in use.
        unread: Why something could not be had, by what: ``state``, ``sockets``, ``policy``.
    """

    now: datetime
    sockets: int
    states: Mapping[State, int]
    sources: int
    matching: int
    rows: tuple[Row, ...]
    bans: tuple[Ban, ...] | None
    agent: Agent | None
    services: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
