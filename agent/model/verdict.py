"""What was found about one source by one rule."""

from dataclasses import dataclass
from enum import StrEnum

from agent.model.address import Source
from agent.model.policy import Rule


class Finding(StrEnum):
    """The kinds of verdict, by the names that events carry."""

    BAN = "ban"
    THROTTLE = "throttle"
    EXEMPT = "exempt"
    UNPROVEN = "unproven"
    SUSTAINING = "sustaining"
    HELD = "held"
    DEFERRED = "deferred"
    SPARED = "spared"
    PENDING = "pending"
    OBSERVED = "observed"
    WARNED = "warned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Why a source above a limit is not banned.

    Attributes:
        allowlist: The entry's name; None for a guard.
        declared_at: The entry's ``file:line``; None for a guard.
        guard: What the agent found it to be; None for an entry.
    """

    allowlist: str | None = None
    declared_at: str | None = None
    guard: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One source above one rule's limit, or near it.

    Attributes:
        finding: What follows.
        source: Who.
        rule: Which rule.
        count: What the rule counted.
        limit: The rule's, times the patience granted to this source.
        above: In how many of the rule's last samples it was above the limit.
        members: Different sources in it that were counted.
        exemption: Why it is exempt; None unless it is.
        entry: The allowlist entry whose patience the limit has; None without.
    """

    finding: Finding
    source: Source
    rule: Rule
    count: int
    limit: int
    above: int
    members: int
    exemption: Exemption | None = None
    entry: str | None = None
