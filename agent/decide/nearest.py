"""Which limit each of many sources is nearest to: every rule, and whoever is near none too.

Nothing is judged here. The rules are told to look at every count above none, and `case` does
the rest, once for each width: where a wide source has fewer hosts than a rule asks for, that
rule has no limit for it. An upper bound that costs one pass tells first who may be near: only
those are worth that.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from agent.decide.case import Case, Docket
from agent.decide.grants import Grants, grants_of
from agent.model.address import HOST, Width, grouper, widened
from agent.model.inputs import Inputs, Spared
from agent.model.policy import Policy, Rule
from agent.model.sample import Sample, Tally

Counted: TypeAlias = tuple[tuple[int, int, int, bytes], int]
"""One item of a tally."""

Crowd: TypeAlias = Mapping[bytes, Sequence[Counted]]
"""The items of a tally by the key, of width `HOST`, of whoever has them."""

_EVERY = Fraction(0)

_MILLION = 1_000_000 * (1 + 1e-9)
"""A little more, so that no sum is rounded below what it bounds."""


def crowd_of(tally: Tally) -> Crowd:
    """Put together what each source has."""
    key_of = grouper(HOST)
    crowd: dict[bytes, list[Counted]] = {}
    for item in tally.items():
        (family, _, _, packed), _ = item
        key = key_of(family, packed)
        if key in crowd:
            crowd[key].append(item)
        else:
            crowd[key] = [item]
    return crowd


@dataclass(frozen=True, slots=True)
class Gauge:
    """What tells how near sources are to the limits of one policy.

    Attributes:
        grants: Who is spared, and how far.
        loose: By tally and width the policy with the rules that count by these.
    """

    grants: Grants
    loose: Mapping[tuple[str, Width], Policy]

    def bounds(self, crowds: Mapping[str, Crowd]) -> dict[bytes, int]:
        """Give what no share of a limit is above, in millionths (`Case.share`), by source.

        Args:
            crowds: By the name of their tally.

        Returns:
            Of every source that a rule counts anything of; whatever it is granted.
        """
        bounds: dict[bytes, int] = {}
        for (tally, width), policy in self.loose.items():
            sums = _sums(crowds.get(tally, {}), _weights(policy.rules))
            for keys in _neighbours(sums, width):
                share = int(sum([sums[key] for key in keys]) * _MILLION)
                for key in keys:
                    if share >= bounds.get(key, 0):
                        bounds[key] = share
        return bounds

    def nearest(
        self, crowds: Mapping[str, Crowd], keys: Collection[bytes], now: datetime
    ) -> dict[bytes, Case]:
        """Give the case that is nearest to its limit, or farthest above it, for each source.

        Args:
            crowds: By the name of their tally.
            keys: Whom, of width `HOST`.
            now: Entries of the allowlist that have ended do not count.

        Returns:
            Whoever is not in it has nothing that a rule counts, or is exempt where one does.
        """
        key_of = grouper(HOST)
        found: dict[bytes, Case] = {}
        for case in self._cases(crowds, keys, now):
            if case.grant.is_exemption:
                continue
            for key in {key_of(row.family, row.packed) for row in case.rows}:
                if key in keys and (key not in found or case.share > found[key].share):
                    found[key] = case
        return found

    def _cases(
        self, crowds: Mapping[str, Crowd], keys: Collection[bytes], now: datetime
    ) -> Iterator[Case]:
        for (name, width), policy in self.loose.items():
            crowd = crowds.get(name, {})
            tally = dict(
                item
                for group in _neighbours(crowd, width, keys)
                for key in group
                for item in crowd[key]
            )
            sample = Sample(
                taken_at=now, sockets=0, states={}, listening=frozenset(), tallies={name: tally}
            )
            inputs = Inputs(sample=sample)
            yield from Docket(inputs, policy, self.grants, now, lambda _: False).cases()


def gauge_of(policy: Policy, spared: Spared) -> Gauge:
    """Make what gauges by a policy; worth keeping while both stay the same.

    Nobody is to be asked about for it: who may turn out to be somebody is nobody yet.
    """
    by_width: dict[tuple[str, Width], list[Rule]] = {}
    for rule in _lowest(policy.rules):
        loose = replace(rule, warn=_EVERY)
        by_width.setdefault((rule.measure.tally, rule.per), []).append(loose)
    return Gauge(
        grants=replace(grants_of(policy, spared), asking=()),
        loose={key: replace(policy, rules=tuple(rules)) for key, rules in by_width.items()},
    )


def _lowest(rules: Iterable[Rule]) -> Iterable[Rule]:
    """Leave out rules that count the same as one with a lower limit: that is always nearer."""
    lowest: dict[tuple[object, ...], Rule] = {}
    for rule in sorted(rules, key=lambda one: (one.limit, one.name)):
        what = (rule.service.name, rule.measure.name, rule.states, rule.per, rule.members)
        lowest.setdefault(what, rule)
    return lowest.values()


def _weights(rules: Iterable[Rule]) -> Mapping[tuple[int, int], float]:
    """Give by state and port the most that one socket can add to a share of a limit."""
    weights: dict[tuple[int, int], float] = {}
    for rule in rules:
        for place in product(map(int, rule.states), rule.service.ports):
            weights[place] = max(1 / rule.limit, weights.get(place, 0.0))
    return weights


def _sums(crowd: Crowd, weights: Mapping[tuple[int, int], float]) -> dict[bytes, float]:
    """Add up what each source's sockets can add to a share; of those that can add anything."""
    sums: dict[bytes, float] = {}
    for key, items in crowd.items():
        total = 0.0
        for (_, state, port, _), number in items:
            total += weights.get((state, port), 0.0) * number
        if total:
            sums[key] = total
    return sums


def _neighbours(
    crowd: Collection[bytes], width: Width, wanted: Collection[bytes] | None = None
) -> Iterable[Sequence[bytes]]:
    """Give the sources that are counted together by rules of a width; of all, or near these."""
    if width.ipv4 >= HOST.ipv4 and width.ipv6 >= HOST.ipv6:
        return zip(crowd) if wanted is None else [(key,) for key in wanted if key in crowd]
    widen = widened(width)
    near = None if wanted is None else frozenset(map(widen, wanted))
    groups: dict[bytes, list[bytes]] = {}
    for key in crowd:
        wide = widen(key)
        if near is None or wide in near:
            groups.setdefault(wide, []).append(key)
    return groups.values()
