"""What differs between two policies over the same moments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from agent.desk.replay.journal import Outcome, Served, Sighting
from agent.model.address import Source
from agent.model.ban import Target
from agent.model.verdict import Finding

Spared: TypeAlias = tuple[str, frozenset[Finding]]
"""A rule's name, and what was found of a source above its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treated:
    """What one policy did with one source.

    Attributes:
        bans: Of it, in their order.
        sightings: Above a limit, by rule.
    """

    bans: tuple[Served, ...] = ()
    sightings: tuple[Sighting, ...] = ()

    @property
    def spans(self) -> tuple[tuple[Target, datetime, timedelta, str], ...]:
        """Its bans, by what makes them differ."""
        return tuple(
            (one.ban.target, one.ban.begins, one.ended - one.ban.begins, one.ban.rule)
            for one in self.bans
        )

    @property
    def spared(self) -> frozenset[Spared]:
        """What was found of it beside bans."""
        return frozenset(
            (one.rule.name, frozenset(one.findings) - _ABOUT_BANS) for one in self.sightings
        )


_ABOUT_BANS = frozenset({Finding.BAN, Finding.THROTTLE, Finding.HELD, Finding.SUSTAINING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A source that two policies treat differently.

    Attributes:
        source: Who.
        new: By the policy that is tried.
        old: By the one it is held against.
    """

    source: Source
    new: Treated
    old: Treated


def differences(new: Outcome, old: Outcome) -> tuple[Difference, ...]:
    """Give the sources that are treated differently, in order.

    They are where a ban is there under one policy only, begins or ends at another moment or
    comes from another rule; and where something else follows from being above a limit.
    """
    return tuple(_differences(_treated(new), _treated(old)))


def _differences(
    new: Mapping[Source, Treated], old: Mapping[Source, Treated]
) -> Iterator[Difference]:
    for source in sorted(new.keys() | old.keys(), key=lambda one: one.order):
        left, right = new.get(source, Treated()), old.get(source, Treated())
        if left.spans != right.spans or left.spared != right.spared:
            yield Difference(source=source, new=left, old=right)


def _treated(outcome: Outcome) -> dict[Source, Treated]:
    bans: dict[Source, list[Served]] = {}
    sightings: dict[Source, list[Sighting]] = {}
    for served in outcome.bans:
        bans.setdefault(served.ban.source, []).append(served)
    for sighting in outcome.sightings:
        sightings.setdefault(sighting.source, []).append(sighting)
    return {
        source: Treated(
            bans=tuple(bans.get(source, ())), sightings=tuple(sightings.get(source, ()))
        )
        for source in bans.keys() | sightings.keys()
    }
