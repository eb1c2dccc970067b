"""Bans: what was decided, and what a firewall holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from agent.model.address import Prefix, Source
from agent.model.measure import MEASURES
from agent.model.policy import SSH, Answer, Rate, Scope, Service

Target: TypeAlias = tuple[Scope, str, Answer]
"""What of a source is covered, and how: scope, service name, answer.

Under scope host the name is empty, and ssh stays open; it is ``ssh`` for a ban that
covers ssh as well, because its rule is about ssh.
"""


Place: TypeAlias = tuple[Source, Target]
"""Where a firewall holds a ban: it holds one there at most, and knows no zones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """A decision to keep a source out for a while.

    Attributes:
        ban_id: Unique; letters, digits and hyphens only.
        source: Who.
        answer: How.
        rate: Of a throttle; None for a drop.
        scope: What of its traffic.
        service: Whose ports under scope service; the evidence's under scope host.
        rule: The rule's name, or ``manual``.
        measure: What was counted; None for a manual ban.
        count: The count that decided; None for a manual ban.
        limit: The limit it was above; None for a manual ban.
        begins: When it was decided; aware, UTC.
        lasts: For how long; positive.
        reasons: One sentence for each rule that asked for it.
        policy_sha256: The policy that decided.
    """

    ban_id: str
    source: Source
    answer: Answer
    rate: Rate | None
    scope: Scope
    service: Service | None
    rule: str
    measure: str | None
    count: int | None
    limit: int | None
    begins: datetime
    lasts: timedelta
    reasons: tuple[str, ...]
    policy_sha256: str

    @property
    def until(self) -> datetime:
        """The moment it ends by itself."""
        return self.begins + self.lasts

    def rest(self, now: datetime) -> timedelta:
        """How long it still has to hold: never less than none, never more than was asked.

        The upper bound is for a clock that was set back: no jump makes a ban longer.
        """
        return max(timedelta(0), min(self.until - now, self.lasts))

    @property
    def target(self) -> Target:
        """What it covers; two bans of one source and one target are one ban."""
        return (self.scope, _service_of(self.scope, self.service), self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What stands beside a ban in the firewall, to know it again without any ledger.

    Attributes:
        ban_id: The ban's.
        rule: The ban's.
        begins: The ban's, in whole seconds.
        lasts: The ban's, rounded up to whole seconds.
    """

    ban_id: str
    rule: str
    begins: datetime
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A ban as read back from a firewall: all that the firewall itself can tell.

    Attributes:
        source: Who; never with a zone.
        target: What of its traffic, and how.
        left: Until it ends by itself; None when it never will.
        mark: What was written beside it; None when that is not ours.
        rate: Of a throttle; None for a drop.
    """

    source: Source
    target: Target
    left: timedelta | None
    mark: Mark | None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A firewall read back.

    Attributes:
        bans: In any order, each (source, target) once.
        allowed: The allow set, which stands ahead of every ban.
    """

    bans: tuple[Held, ...] = ()
    allowed: frozenset[Prefix] = frozenset()


def is_proof(answer: Answer, measure: str | None) -> bool:
    """Whether a ban tells against its source when the next one is measured.

    A drop does: no rule may drop on what proves nothing. A throttle may have been aimed at
    an innocent by forged packets.

    Args:
        answer: The ban's.
        measure: The ban's; one that is not known here, of another version, proves nothing.
    """
    return answer is Answer.DROP or (
        measure is not None and measure in MEASURES and MEASURES[measure].proves
    )


def place_of(ban: Ban) -> Place:
    """Give where a firewall holds this ban."""
    return (Source(ban.source.prefix) if ban.source.zone else ban.source, ban.target)


def _service_of(scope: Scope, service: Service | None) -> str:
    if service is None:
        return ""
    if scope is Scope.SERVICE:
        return service.name
    return SSH if service.is_ssh else ""
