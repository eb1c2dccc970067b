"""What was found about one source by one rule."""

from dataclasses import dataclass
from enum import StrEnum

from agent.model.address import Source
from agent.model.policy import AllowEntry, Rule


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
class Verdict:
    """One source above one rule's limit, or near it.

    Attributes:
        finding: What follows.
        source: Who.
        rule: Which rule.
        count: What the rule counted.
        limit: The rule's, times the patience granted to this source.
        above: In how many of the rule's last samples it was above the limit.
        entry: The allowlist entry behind it: it exempts the source, gives the limit
            its patience, or is what a pending source may turn out to belong to.
        guard: What the agent found the source to be; None unless it is guarded.
    """

    finding: Finding
    source: Source
    rule: Rule
    count: int
    limit: int
    above: int
    entry: AllowEntry | None = None
    guard: str | None = None
