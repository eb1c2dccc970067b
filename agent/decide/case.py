"""Cases: a source under a rule, counted without those it must not be judged by."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import nsmallest

from agent.decide.ask import ASKED_AT_ONCE, Awaited
from agent.decide.count import Row, counted, near
from agent.decide.grants import Grant, Grants
from agent.model.address import (
    HOST,
    Address,
    Source,
    Width,
    grouper,
    is_host,
    member_key,
    source_of,
    unpack,
)
from agent.model.inputs import Inputs
from agent.model.policy import AllowEntry, Policy, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One source near or above one rule's limit, or above half of it where its name matters.

    Attributes:
        rule: The rule.
        key: The source's own.
        group: The key that the rule's width gives to it; `key` but for a member
            that is judged apart from its prefix.
        source: Who.
        count: What the rule counts, without spared members of a wide source.
        limit: The rule's, times the patience granted.
        grant: What the source as a whole is granted.
        rows: What was counted.
        is_near: Whether it is near the limit, and so judged.
        asked: Those of its members that nobody has identified yet, where it matters, the
            heaviest first, and no more than are asked about at once.
        unknown: Those of all of them that an answer is still waited for.
        may_be: The allowlist entry that could still spare the source; None otherwise.
    """

    rule: Rule
    key: bytes
    group: bytes
    source: Source
    count: int
    limit: int
    grant: Grant
    rows: Sequence[Row]
    is_near: bool
    asked: tuple[Address, ...] = ()
    unknown: tuple[Address, ...] = ()
    may_be: AllowEntry | None = None

    @property
    def members(self) -> tuple[Address, ...]:
        """The addresses counted, each once, in order."""
        return _members(self.rows)

    @property
    def hosts(self) -> int:
        """How many different lines were counted: one IPv6 /64 is one."""
        return _hosts(self.rows)

    @property
    def awaited(self) -> tuple[Awaited, ...]:
        """Who is asked about; a wide source too, once an answer could matter to it."""
        is_wide = self.unknown and self.is_above and not is_host(self.source.prefix)
        return (*((self.source.prefix,) if is_wide else ()), *self.asked)

    @property
    def is_above(self) -> bool:
        """Whether the limit is passed."""
        return self.count > self.limit

    @property
    def share(self) -> int:
        """The count as a share of the limit, in whole millionths."""
        return self.count * 1_000_000 // self.limit

    @property
    def order(self) -> tuple[int, str, tuple[int, int, int, int]]:
        """Heaviest first, then by rule and source."""
        return (-self.share, self.rule.name, self.source.order)


@dataclass(frozen=True, slots=True)
class Docket:
    """What makes cases out of inputs."""

    inputs: Inputs
    policy: Policy
    grants: Grants
    now: datetime
    is_worn: Callable[[Awaited], bool]
    """Whether answers were waited for long enough."""
    _asking: dict[str, bool] = field(default_factory=dict)
    _floors: dict[str, int] = field(default_factory=dict)

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
        floor = min(map(self._floor, rules))
        for key, rows in near(counts, width, rules, floor).items():
            source = source_of(key, width)
            for rule in rules:
                yield from self._of_source(rule, key, source, counted(rows, rule))

    def _of_source(
        self, rule: Rule, key: bytes, source: Source, rows: Sequence[Row]
    ) -> Iterator[Case]:
        """Count one source under one rule, and apart from it those of its members with a grant.

        Else one patient address in a crowded prefix would spare the crowd, and the
        crowd's ban would hit the patient one.
        """
        if sum(row.number for row in rows) <= self._floor(rule):
            return
        grant = self._grant(rule, source)
        if is_host(source.prefix) or grant.is_exemption:
            granted: Mapping[Address, Grant] = {}
        else:
            granted = self._granted(rule, source, rows)
        if not granted:
            for case in self._case(rule, (key, key), source, rows, grant):
                yield self._with_questions(case, {}) if grant.may_be else case
            return
        alike: list[Row] = []
        apart: dict[Address, list[Row]] = {}
        for row in rows:
            member = unpack(row.family, row.packed)
            same = granted.get(member, grant).key == grant.key
            (alike if same else apart.setdefault(member, [])).append(row)
        for member, own in apart.items():
            keys = (member_key(own[0].family, own[0].packed), key)
            yield from self._case(rule, keys, Source.of(member), own, granted[member])
        for case in self._case(rule, (key, key), source, alike, grant):
            yield self._with_questions(case, granted)

    def _case(
        self,
        rule: Rule,
        keys: tuple[bytes, bytes],
        source: Source,
        rows: Sequence[Row],
        grant: Grant,
    ) -> Iterator[Case]:
        """Give the case, if the source is near the limit, or is to be asked about."""
        count, limit = sum(row.number for row in rows), rule.limit * grant.patience
        is_near = count * rule.warn.denominator > limit * rule.warn.numerator
        is_early = self._asks(rule) and count * 2 > limit
        if (is_near or is_early) and (rule.members == 1 or _hosts(rows) >= rule.members):
            yield Case(
                rule=rule,
                key=keys[0],
                group=keys[1],
                source=source,
                count=count,
                limit=limit,
                grant=grant,
                rows=rows,
                is_near=is_near,
            )

    def _grant(self, rule: Rule, source: Source) -> Grant:
        known = self.inputs.identities
        return self.grants.of(source.prefix, rule.service.name, self.now, known)

    def _granted(self, rule: Rule, source: Source, rows: Sequence[Row]) -> Mapping[Address, Grant]:
        """Give what each member is granted; nothing where nothing is listed or to be asked."""
        is_listed = self.grants.inside(source.prefix, rule.service.name, self.now)
        if not is_listed and not self._asks(rule):
            return {}
        if is_listed:
            return {one: self._grant(rule, Source.of(one)) for one in _members(rows)}
        # All alike but for whether they are answered for: of a line there may be very many.
        answered = self.inputs.identities.answered
        kinds: dict[bool, Grant] = {}
        granted: dict[Address, Grant] = {}
        for one in _members(rows):
            kind = one in answered
            if kind not in kinds:
                kinds[kind] = self._grant(rule, Source.of(one))
            granted[one] = kinds[kind]
        return granted

    def _asks(self, rule: Rule) -> bool:
        """Whether the names of a rule's sources matter.

        Never of those that may be forged: one packet each would keep the DNS busy. A crawler
        that is there has been ESTABLISHED, and such a rule leaves it alone anyway.
        """
        asks = self._asking.get(rule.name)
        if asks is None:
            service = rule.service.name
            asks = rule.measure.proves and any(
                self.grants.holds(entry, service, self.now) for entry in self.grants.asking
            )
            self._asking[rule.name] = asks
        return asks

    def _floor(self, rule: Rule) -> int:
        """Give the count above which a source is looked at by a rule."""
        floor = self._floors.get(rule.name)
        if floor is None:
            half = rule.limit // 2 if self._asks(rule) else rule.limit
            floor = self._floors[rule.name] = min(rule.warns_above, half)
        return floor

    def _with_questions(self, case: Case, granted: Mapping[Address, Grant]) -> Case:
        """Note which members nobody has identified yet, and whether that could spare the source.

        It could when those that count would not be enough without them: one newcomer
        without weight decides nothing.
        """
        if not self._asks(case.rule):
            return case
        counts: Counter[Address] = Counter()
        for row in case.rows:
            counts[unpack(row.family, row.packed)] += row.number
        asked = {
            one: entry
            for one, count in counts.items()
            if (entry := granted.get(one, case.grant).undecided(count, case.rule.limit))
        }
        is_over = not is_host(case.source.prefix) and self.is_worn(case.source.prefix)
        unknown = {} if is_over else {one: asked[one] for one in asked if not self.is_worn(one)}
        known = case.count - sum(counts[one] for one in unknown)
        return replace(
            case,
            asked=tuple(nsmallest(ASKED_AT_ONCE, asked, lambda one: (-counts[one], int(one)))),
            unknown=tuple(unknown),
            may_be=next(iter(unknown.values()), None) if known <= case.limit else None,
        )


def _members(rows: Sequence[Row]) -> tuple[Address, ...]:
    distinct = {(row.family, row.packed) for row in rows}
    return tuple(unpack(family, packed) for family, packed in sorted(distinct))


def _hosts(rows: Sequence[Row]) -> int:
    """Count the different lines that the rows come from: one IPv6 /64 is one."""
    key_of = grouper(HOST)
    return len({key_of(row.family, row.packed) for row in rows})


def _by_width(rules: Sequence[Rule]) -> dict[tuple[str, Width], list[Rule]]:
    grouped: dict[tuple[str, Width], list[Rule]] = {}
    for rule in rules:
        grouped.setdefault((rule.measure.tally, rule.per), []).append(rule)
    return grouped
