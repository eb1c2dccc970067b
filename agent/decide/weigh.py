"""One source weighed by every rule, also where it is near no limit: for whoever explains.

Nothing is judged here: the rules are told to look at every count above none, and the
judgement itself does the rest. Rules of each width are given the rows of that width's
neighbourhood alone, so that it costs little, whoever else is there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

from agent.decide.bans.escalate import length_of
from agent.decide.case import Case, Docket
from agent.decide.grants import Grant, Grants, grants_of
from agent.decide.memory import Memory, Track
from agent.decide.step import step
from agent.model.address import (
    Prefix,
    Source,
    Width,
    grouper,
    holder,
    is_line,
    overlaps,
    pack,
    source_of,
)
from agent.model.inputs import Inputs
from agent.model.policy import Policy, Rule
from agent.model.sample import Sample, Tally
from agent.model.verdict import Finding

_EVERY, _ALL = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What one rule makes of one source.

    Attributes:
        rule: The policy's.
        source: Who is judged: an address or its line, a member apart, or the wider prefix.
        count: What the rule counts.
        limit: The rule's, times the patience granted.
        hosts: How many different hosts the count comes from.
        grant: What the source is granted.
        finding: What follows if it stays so for as long as the rule asks; None where too few
            hosts make a wide source.
        lasts: How long a ban or throttle would be, by the history.
        above: In how many of the rule's last samples it was above the limit.
        is_proven: Whether it was ESTABLISHED within the hour, as far as that is known. What
            proves nothing is then no ground to act.
    """

    rule: Rule
    source: Source
    count: int
    limit: int
    hosts: int
    grant: Grant
    finding: Finding | None
    lasts: timedelta
    above: int = 0
    is_proven: bool = False

    @property
    def is_above(self) -> bool:
        """Whether the limit is passed."""
        return self.count > self.limit


def scales_for(prefix: Prefix, policy: Policy, memory: Memory) -> tuple["Scales", ...]:
    """Give what weighs a prefix: one for the rules of each width.

    Args:
        prefix: Whom. Somebody in a prefix that is wider than a line is told of only where he
            is near a limit: there may be very many.
        policy: By which.
        memory: To begin with.
    """
    widths = dict.fromkeys(rule.per for rule in policy.rules)
    return tuple(Scales(prefix, width, policy, memory) for width in widths)


def widest_of(scales: Iterable["Scales"]) -> Prefix:
    """Give the prefix that holds everybody who matters to them."""
    return min((one.wide for one in scales), key=lambda wide: wide.prefixlen)


def neighbourhood(prefix: Prefix, width: Width) -> Prefix:
    """Give what a prefix is judged as by rules of that width; itself where it is wider."""
    judged = source_of(grouper(width)(*pack(prefix.network_address)), width).prefix
    return min(prefix, judged, key=lambda one: one.prefixlen)


def narrowed(inputs: Inputs, wide: Prefix) -> Inputs:
    """Give the inputs with the rows of one neighbourhood alone; the others are told as sums."""
    return replace(inputs, sample=_narrowed(inputs.sample, wide))


@dataclass(slots=True)
class Scales:
    """What weighs a prefix by the rules of one width, moment after moment.

    Attributes:
        prefix: Whom.
        width: Of the rules.
        policy: In force.
        memory: What is remembered of the moments before.
    """

    prefix: Prefix
    width: Width
    policy: Policy
    memory: Memory
    wide: Prefix = field(init=False)
    _watching: Policy = field(init=False)
    _loose: Policy = field(init=False)
    _grants: Grants | None = None

    def __post_init__(self) -> None:
        """Have its rules look closely."""
        self.wide = neighbourhood(self.prefix, self.width)
        own = tuple(rule for rule in self.policy.rules if rule.per == self.width)
        if is_line(self.prefix):
            own = tuple(replace(rule, warn=_EVERY) for rule in own)
        # The breaker is about all sources.
        safety = replace(self.policy.safety, known_clients_share=_ALL)
        self._watching = replace(self.policy, rules=own, safety=safety)
        self._loose = _by_anybody(self._watching)

    def remember(self, inputs: Inputs, at: datetime) -> None:
        """Judge a moment, to have it remembered."""
        near = narrowed(inputs, self.wide)
        self.memory, _ = step(self.memory, near, self._watching, at)

    def cases(self, inputs: Inputs, now: datetime) -> list[Case]:
        """Give a case for all that a rule counts of the prefix, heaviest first.

        A wide source is in it from however few hosts.
        """
        if self._grants is None or self._grants.spared != inputs.spared:
            self._grants = grants_of(self._loose, inputs.spared)
        near = narrowed(inputs, self.wide)
        if not any(near.sample.tallies.values()):
            return []
        cases = Docket(near, self._loose, self._grants, now, lambda _: False).cases()
        return [one for one in cases if overlaps(one.source.prefix, self.prefix)]

    def above(self, inputs: Inputs, now: datetime) -> Iterator[Case]:
        """Give the cases that are above a limit, from as many hosts as the rule asks for."""
        members = {rule.name: rule.members for rule in self.policy.rules}
        for case in self.cases(inputs, now):
            if case.is_above and case.hosts >= members[case.rule.name]:
                yield case

    def weigh(self, inputs: Inputs, now: datetime) -> Iterator[Weight]:
        """Weigh a moment by every rule that counts anything, heaviest first.

        Args:
            inputs: The moment, whole.
            now: When; aware, UTC.
        """
        at_once = self._watching.as_if_sustained()
        after, decision = step(self.memory, narrowed(inputs, self.wide), at_once, now)
        findings = {(one.rule.name, one.source): one.finding for one in decision.verdicts}
        tracks = {rule.name: found for rule, found in self.memory.tracks.items()}
        rules = {rule.name: rule for rule in self.policy.rules}
        is_proven = after.proven.holder(self.width)
        for case in self.cases(inputs, now):
            rule = rules[case.rule.name]
            past = inputs.history.get(case.source, ())
            yield Weight(
                rule=rule,
                source=case.source,
                count=case.count,
                limit=case.limit,
                hosts=case.hosts,
                grant=case.grant,
                finding=findings.get((rule.name, case.source)),
                lasts=length_of(rule.lasts, rule.escalation, past, now),
                above=_above(tracks.get(rule.name, {}).get(case.key)),
                is_proven=is_proven(case.group),
            )


def _above(track: Track | None) -> int:
    return track.samples.bit_count() if track else 0


def _by_anybody(policy: Policy) -> Policy:
    return replace(policy, rules=tuple(replace(rule, members=1) for rule in policy.rules))


def _narrowed(sample: Sample, wide: Prefix) -> Sample:
    others = dict(sample.others)
    tallies: dict[str, Tally] = {}
    holds = holder(wide)
    for name, tally in sample.tallies.items():
        kept: dict[tuple[int, int, int, bytes], int] = {}
        for key, count in tally.items():
            if holds(key[0], key[3]):
                kept[key] = count
            else:
                others[key[1], key[2]] = others.get((key[1], key[2]), 0) + count
        tallies[name] = kept
    return replace(sample, tallies=tallies, others=others)
