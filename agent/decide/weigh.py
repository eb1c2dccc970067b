"""One source weighed by every rule, also where it is near no limit: for whoever explains.

Nothing is judged here: the rules are told to look at every count above none, and the
judgement itself does the rest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from agent.decide.bans.escalate import length_of
from agent.decide.case import Case, Docket
from agent.decide.grants import Grant, Grants, grants_of
from agent.decide.memory import Memory, Track
from agent.decide.step import step
from agent.model.address import Prefix, Source, Width, grouper, holder, pack, source_of
from agent.model.frame import Frame
from agent.model.inputs import Inputs, PastBan
from agent.model.policy import Policy, Rule, Sustained
from agent.model.sample import Sample, Tally
from agent.model.verdict import Finding

_EVERY, _ALL = Fraction(0), Fraction(1)
_FIRST = Sustained(times=1, of=1)


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

    @property
    def is_above(self) -> bool:
        """Whether the limit is passed."""
        return self.count > self.limit


def neighbourhood(prefix: Prefix, policy: Policy) -> Prefix:
    """Give the widest prefix that `prefix` is judged with by some rule; at least itself."""
    width = Width(
        ipv4=min(rule.per.ipv4 for rule in policy.rules),
        ipv6=min(rule.per.ipv6 for rule in policy.rules),
    )
    widest = source_of(grouper(width)(*pack(prefix.network_address)), width).prefix
    return min(prefix, widest, key=lambda one: one.prefixlen)


def narrowed(inputs: Inputs, wide: Prefix) -> Inputs:
    """Give the inputs with the rows of one neighbourhood alone; the others are told as sums."""
    return replace(inputs, sample=_narrowed(inputs.sample, wide))


def remembering(frames: Iterable[Frame], wide: Prefix, policy: Policy, memory: Memory) -> Memory:
    """Judge moments one after the other, and give what is remembered of a neighbourhood.

    Args:
        frames: Oldest first.
        wide: The neighbourhood.
        policy: By which to judge, whatever was in force.
        memory: To begin with.
    """
    every = _watching(policy)
    for frame in frames:
        memory, _ = step(memory, narrowed(frame.inputs, wide), every, frame.at)
    return memory


def weigh(memory: Memory, inputs: Inputs, policy: Policy, now: datetime) -> tuple[Weight, ...]:
    """Weigh every source of narrowed inputs by every rule that counts anything of it.

    Args:
        memory: Of `remembering`, or of what an earlier run has learned.
        inputs: Of a neighbourhood alone.
        policy: In force.
        now: The moment; aware, UTC.

    Returns:
        By the order of the rules, then the heaviest first.
    """
    _, decision = step(memory, inputs, _at_once(_watching(policy)), now)
    findings = {(one.rule.name, one.source): one.finding for one in decision.verdicts}
    tracks = {rule.name: found for rule, found in memory.tracks.items()}
    cases: dict[str, list[Case]] = {rule.name: [] for rule in policy.rules}
    for case in Scales(policy).cases(inputs, now):
        cases[case.rule.name].append(case)
    return tuple(
        Weight(
            rule=rule,
            source=case.source,
            count=case.count,
            limit=case.limit,
            hosts=case.hosts,
            grant=case.grant,
            finding=findings.get((rule.name, case.source)),
            lasts=_length(rule, inputs.history.get(case.source, ()), now),
            above=_above(tracks.get(rule.name, {}).get(case.key)),
        )
        for rule in policy.rules
        for case in cases[rule.name]
    )


@dataclass(slots=True)
class Scales:
    """What counts everything of somebody, moment after moment.

    Attributes:
        policy: By which.
    """

    policy: Policy
    _grants: Grants | None = None

    def cases(self, inputs: Inputs, now: datetime) -> list[Case]:
        """Give a case for all that any rule counts, however little, heaviest first."""
        if self._grants is None or self._grants.spared != inputs.spared:
            self._grants = grants_of(self.policy, inputs.spared)
        loose = _by_anybody(_watching(self.policy))
        return Docket(inputs, loose, self._grants, now, lambda _: False).cases()


def _length(rule: Rule, past: Iterable[PastBan], now: datetime) -> timedelta:
    return length_of(rule.lasts, rule.escalation, past, now)


def _above(track: Track | None) -> int:
    return track.samples.bit_count() if track else 0


def _watching(policy: Policy) -> Policy:
    """Look at every count above none; the breaker, which is about all sources, is left out."""
    rules = tuple(replace(rule, warn=_EVERY) for rule in policy.rules)
    return replace(policy, rules=rules, safety=replace(policy.safety, known_clients_share=_ALL))


def _at_once(policy: Policy) -> Policy:
    rules = tuple(replace(rule, sustained=_FIRST) for rule in policy.rules)
    return replace(policy, rules=rules)


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
