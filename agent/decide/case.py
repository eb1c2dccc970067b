"""Cases: a source under a rule, counted without those it must not be judged by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.decide.count import Row, counted, near
from agent.decide.grants import Grant, Grants
from agent.model.address import Address, Source, Width, source_of, unpack
from agent.model.inputs import Inputs
from agent.model.policy import Policy, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One source near or above one rule's limit.

    Attributes:
        rule: The rule.
        key: The source's.
        source: Who.
        count: What the rule counts, without spared members of a wide source.
        limit: The rule's, times the patience granted.
        grant: What the source as a whole is granted.
        members: The addresses counted, each once, by order of address.
        asked: Those of them whose identity matters and is not known yet.
    """

    rule: Rule
    key: bytes
    source: Source
    count: int
    limit: int
    grant: Grant
    members: tuple[Address, ...]
    asked: tuple[Address, ...]

    @property
    def is_above(self) -> bool:
        """Whether the limit is passed."""
        return self.count > self.limit

    @property
    def order(self) -> tuple[int, str, tuple[int, int, int, int]]:
        """Heaviest first (count over limit, to a millionth), then by rule and source."""
        return (-(self.count * 1_000_000 // self.limit), self.rule.name, self.source.order)


@dataclass(frozen=True, slots=True)
class Docket:
    """What makes cases out of inputs."""

    inputs: Inputs
    policy: Policy
    grants: Grants
    now: datetime

    def cases(self) -> list[Case]:
        """Give every case of this moment, heaviest first; the order is total."""
        found = [
            case
            for (tally, width), rules in _by_width(self.policy.rules).items()
            for case in self._of_width(tally, width, rules)
        ]
        return sorted(found, key=lambda case: case.order)

    def _of_width(self, tally: str, width: Width, rules: Sequence[Rule]) -> Iterator[Case]:
        counts = self.inputs.sample.tallies.get(tally, {})
        for key, rows in near(counts, width, rules).items():
            source = source_of(key, width)
            for rule in rules:
                case = self._case(rule, key, source, counted(rows, rule))
                if case is not None:
                    yield case

    def _case(self, rule: Rule, key: bytes, source: Source, rows: Sequence[Row]) -> Case | None:
        """Count one source under one rule; None when it is not near the limit."""
        if sum(row.number for row in rows) <= rule.warns_above:
            return None
        service, known = rule.service.name, self.inputs.identities
        grant = self.grants.of(source.prefix, service, self.now, known)
        asked: tuple[Address, ...] = ()
        if source.prefix.prefixlen < source.prefix.max_prefixlen and grant.is_plain:
            rows, asked = self._without_spared(rule, source, rows)
        members = _members(rows)
        count, limit = sum(row.number for row in rows), rule.limit * grant.patience
        if count <= limit * rule.warn or len(members) < rule.members:
            return None
        if grant.is_undecided(count, limit):
            asked = members
        return Case(
            rule=rule,
            key=key,
            source=source,
            count=count,
            limit=limit,
            grant=grant,
            members=members,
            asked=asked,
        )

    def _without_spared(
        self, rule: Rule, source: Source, rows: Sequence[Row]
    ) -> tuple[Sequence[Row], tuple[Address, ...]]:
        """Leave out members of a wide source that are exempt or have patience of their own.

        Returns:
            The rows that count, and the members of which nobody knows yet whether
            they do.
        """
        service, known = rule.service.name, self.inputs.identities
        asking = any(entry.holds(service, self.now) for entry in self.grants.asking)
        if not asking and not self.grants.inside(source.prefix, service, self.now):
            return rows, ()
        granted = {
            member: self.grants.of(Source.of(member).prefix, service, self.now, known)
            for member in _members(rows)
        }
        kept = [row for row in rows if granted[unpack(row.family, row.packed)].is_plain]
        asked = tuple(member for member in _members(kept) if granted[member].may_be)
        return kept, asked


def _members(rows: Sequence[Row]) -> tuple[Address, ...]:
    distinct = {(row.family, row.packed) for row in rows}
    return tuple(unpack(family, packed) for family, packed in sorted(distinct))


def _by_width(rules: Sequence[Rule]) -> dict[tuple[str, Width], list[Rule]]:
    grouped: dict[tuple[str, Width], list[Rule]] = {}
    for rule in rules:
        grouped.setdefault((rule.measure.tally, rule.per), []).append(rule)
    return grouped
