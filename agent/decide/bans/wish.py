"""Bans as they are asked for: until the caps have cut, each is only a wish.

A crowd of a hundred thousand must not cost a hundred thousand bans of which a thousand
are used.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from agent.decide.prefixes import prefix_table
from agent.model.address import Source, is_line
from agent.model.ban import Target
from agent.model.policy import SSH, Rule, Scope

HEAVY = 3
"""Times its limit: a source above that is banned while others have to stand back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A ban that verdicts ask for.

    Attributes:
        verdicts: Their indices, ascending; the heaviest is first. None where only bans
            that are held already are joined.
        source: Whom to ban: the verdict's source, a member of it, or what joins several.
        target: What of its traffic, and how.
        lasts: For how long.
        rule: The rule that gives `lasts`.
        count: What that rule counted; None where only held bans are joined.
        limit: What it was above; None likewise.
        joined: How many bans, asked for and held, it takes the place of; 0 for none.
    """

    verdicts: tuple[int, ...]
    source: Source
    target: Target
    lasts: timedelta
    rule: Rule
    count: int | None
    limit: int | None
    joined: int = 0

    @property
    def is_heavy(self) -> bool:
        """Whether what was counted is far above the limit."""
        return self.count is not None and self.limit is not None and self.count > HEAVY * self.limit


def merge(wishes: Iterable[Wish]) -> list[Wish]:
    """Make one ban of those that overlap within a target.

    The widest prefix is banned, for as long as is asked for that prefix: nobody is
    kept out longer for a neighbour's sake. Who is to be banned for longer than the
    neighbourhood keeps a ban of his own. Every reason is kept.

    Returns:
        In the order of the heaviest verdict that asks for each.
    """
    by_target: dict[Target, list[Wish]] = {}
    for wish in wishes:
        by_target.setdefault(wish.target, []).append(wish)
    return in_order(one for group in by_target.values() for one in _merge_target(group))


def in_order(wishes: Iterable[Wish]) -> list[Wish]:
    """Give the heaviest first; what only joins held bans comes last. The order is total."""
    return sorted(
        wishes, key=lambda one: (not one.verdicts, one.verdicts[:1], one.source.order, one.target)
    )


def target_of(rule: Rule, scope: Scope) -> Target:
    """Give what a ban by this rule covers, in that scope."""
    if scope is Scope.SERVICE:
        return (scope, rule.service.name, rule.answer)
    return (scope, SSH if rule.service.is_ssh else "", rule.answer)


def outlasts(source: Source, left: timedelta, neighbourhood: timedelta) -> bool:
    """Whether a ban stays beside a wider one: it ends later, and is of one line only."""
    return is_line(source.prefix) and left > neighbourhood


def _merge_target(wishes: list[Wish]) -> Iterator[Wish]:
    longest: dict[Source, Wish] = {}
    askers: dict[Source, set[int]] = {}
    for wish in wishes:
        held = longest.get(wish.source)
        if held is None or wish.lasts > held.lasts:
            longest[wish.source] = wish
        askers.setdefault(wish.source, set()).update(wish.verdicts)
    table = prefix_table((source.prefix, wish) for source, wish in longest.items())
    stays: dict[Source, Wish] = {}
    for source, wish in longest.items():
        widest = next(table.covering(source.prefix))
        if widest.source != source:
            askers[widest.source] |= askers[source]
        if widest.source == source or outlasts(source, wish.lasts, widest.lasts):
            stays[source] = wish
    for source, wish in stays.items():
        yield replace(wish, verdicts=tuple(sorted(askers[source])))
