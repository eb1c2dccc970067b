"""From verdicts to bans: held ones left out, overlapping ones merged, the rest capped.

Until the cap has cut, a ban is only a wish: a crowd of a hundred thousand must not
cost a hundred thousand bans of which a thousand are used.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s
from itertools import islice

from agent.decide.case import Case
from agent.decide.escalate import length_of
from agent.decide.grants import Grants
from agent.decide.prefixes import PrefixTable, prefix_table
from agent.model.address import Prefix, Source, is_line
from agent.model.ban import Ban, Held, Installed, Target
from agent.model.inputs import History
from agent.model.plan import Lift
from agent.model.policy import SSH, Answer, Policy, Rule, Scope
from agent.model.verdict import Finding, Verdict

REASONS_AT_MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A ban that verdicts ask for.

    Attributes:
        verdicts: Their indices, ascending; the heaviest is first.
        source: Whom to ban: the verdict's source, or a member of it.
        scope: What of its traffic.
        target: The same, with service and answer.
        lasts: For how long.
        lead: Index of the verdict whose rule gives `lasts`.
    """

    verdicts: tuple[int, ...]
    source: Source
    scope: Scope
    target: Target
    lasts: timedelta
    lead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bans:
    """What the verdicts lead to.

    Attributes:
        add: Heaviest first, disjoint within a target as `Plan.add` says.
        findings: Verdicts, by index, that turned out held or deferred.
    """

    add: tuple[Ban, ...]
    findings: dict[int, Finding]


@dataclass(frozen=True, slots=True)
class Court:
    """What turns verdicts into bans.

    Attributes:
        policy: In force.
        grants: Whom it spares.
        installed: What the firewall holds.
        held: Its bans, to be looked up.
        allowed: Its allow set, to be looked up.
        history: Earlier bans.
        now: The moment.
    """

    policy: Policy
    grants: Grants
    installed: Installed
    held: PrefixTable[Held]
    allowed: PrefixTable[Prefix]
    history: History
    now: datetime

    def holds(self, case: Case) -> bool:
        """Whether a source is banned already, for whatever the rule would do to it."""
        rule = case.rule
        return _is_held(self.held, case.source, rule, target_of(rule, Scope.SERVICE))

    def bans(self, asking: Sequence[tuple[int, Verdict, Case]]) -> Bans:
        """Give the bans to add for verdicts that ask for one.

        Args:
            asking: Index, verdict and case of each, heaviest first.
        """
        merged = merge(wish for index, _, case in asking for wish in self._wishes(index, case))
        room = self.policy.safety.max_bans - len(self.installed.bans)
        room = max(0, min(room, self.policy.safety.new_bans_per_cycle))
        findings = {index: Finding.HELD for index, _, _ in asking}
        for wish in merged[room:]:
            findings |= dict.fromkeys(wish.verdicts, Finding.DEFERRED)
        for wish in merged[:room]:
            for index in wish.verdicts:
                findings.pop(index, None)
        verdicts = {index: verdict for index, verdict, _ in asking}
        return Bans(
            add=tuple(self._ban(wish, verdicts) for wish in merged[:room]), findings=findings
        )

    def lifts(self, add: Iterable[Ban]) -> Iterator[Lift]:
        """Give the installed bans that a new, wider one of the same target replaces.

        The longer ban of an address or a /64 stays: a short ban of its neighbourhood
        is no way out of it.
        """
        for ban in add:
            for _, held in self.held.inside(ban.source.prefix):
                stays = held.left is not None and outlasts(held.source, held.left, ban.lasts)
                if held.target == ban.target and not stays:
                    yield Lift(held=held, reason=f"covered by {ban.source}")

    def trespassers(self) -> Iterator[Lift]:
        """Give the installed bans that reach an address which is exempt or guarded by now."""
        for held in self.installed.bans:
            if not self._may_reach(held.source, held.target):
                yield Lift(held=held, reason="exempt")

    def _wishes(self, index: int, case: Case) -> Iterator[Wish]:
        """Ban a source as one where that reaches nobody spared, else by its members.

        A ban of the whole host that would reach into a service for which the source
        is spared shrinks to the rule's service.
        """
        whole = None if case.asked else self._scope(case.source, case.rule)
        if whole:
            yield from self._wish(index, case.rule, case.source, whole)
            return
        asked = frozenset(case.asked)
        for source in (Source.of(member) for member in case.members if member not in asked):
            scope = self._scope(source, case.rule)
            if scope:
                yield from self._wish(index, case.rule, source, scope)

    def _wish(self, index: int, rule: Rule, source: Source, scope: Scope) -> Iterator[Wish]:
        """Wish for a ban, unless there is one already."""
        target = target_of(rule, scope)
        if not _is_held(self.held, source, rule, target):
            past = self.history.get(source, ())
            yield Wish(
                verdicts=(index,),
                source=source,
                scope=scope,
                target=target,
                lasts=length_of(rule.lasts, rule.escalation, past, self.now),
                lead=index,
            )

    def _scope(self, source: Source, rule: Rule) -> Scope | None:
        """Give the widest scope in which a ban of `source` reaches nobody who is spared."""
        for scope in dict.fromkeys((rule.scope, Scope.SERVICE)):
            if self._may_reach(source, target_of(rule, scope)):
                return scope
        return None

    def _may_reach(self, source: Source, target: Target) -> bool:
        """Whether a ban reaches nobody spared, or only members that the allow set lets through."""
        return all(
            prefix != source.prefix and any(True for _ in self.allowed.covering(prefix))
            for prefix in self.grants.untouchable(source.prefix, target, self.now)
        )

    def _ban(self, wish: Wish, verdicts: dict[int, Verdict]) -> Ban:
        verdict = verdicts[wish.lead]
        rule = verdict.rule
        return Ban(
            ban_id=_ban_id(self.now, wish.source, wish.target),
            source=wish.source,
            answer=rule.answer,
            rate=rule.rate,
            scope=wish.scope,
            service=rule.service,
            rule=rule.name,
            measure=rule.measure.name,
            count=verdict.count,
            limit=verdict.limit,
            begins=self.now,
            lasts=wish.lasts,
            reasons=_reasons(wish, verdicts),
            policy_sha256=self.policy.sha256,
        )


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
    merged = [one for group in by_target.values() for one in _merge_target(group)]
    return sorted(merged, key=lambda one: (one.verdicts[0], one.source.order, one.target))


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
        yield Wish(
            verdicts=tuple(sorted(askers[source])),
            source=source,
            scope=wish.scope,
            target=wish.target,
            lasts=wish.lasts,
            lead=wish.lead,
        )


def _is_held(table: PrefixTable[Held], source: Source, rule: Rule, target: Target) -> bool:
    """Whether an installed ban of the same or a wider prefix does all that is asked for."""
    return any(_does(held.target, rule, target) for held in table.covering(source.prefix))


def _does(held: Target, rule: Rule, target: Target) -> bool:
    """Whether what is held covers the wanted target of a rule.

    A ban of the host that leaves ssh open does not keep anybody from ssh.
    """
    if held[2] not in {Answer.DROP, target[2]}:
        return False
    if held[0] is Scope.HOST:
        return held[1] == SSH or not rule.service.is_ssh
    return held[:2] == target[:2]


def _ban_id(now: datetime, source: Source, target: Target) -> str:
    text = f"{now.isoformat()} {source} {' '.join(target)}"
    return blake2s(text.encode(), digest_size=8).hexdigest()


def _reasons(wish: Wish, verdicts: dict[int, Verdict]) -> tuple[str, ...]:
    """Say why, a sentence for each verdict that asks; of very many the heaviest."""
    told = [
        _reason(verdicts[index], wish.source) for index in islice(wish.verdicts, REASONS_AT_MOST)
    ]
    more = len(wish.verdicts) - len(told)
    return (*told, f"and {more} more") if more else tuple(told)


def _reason(verdict: Verdict, source: Source) -> str:
    rule, entry = verdict.rule, verdict.entry
    own = verdict.source
    other = "" if own == source else f" of {own}"
    patience = f" ({entry.patience}x by {entry.name}, {entry.declared_at})" if entry else ""
    counted = f"{verdict.count} {rule.measure.unit}{other}"
    return (
        f"{rule.name}: {counted}, limit {verdict.limit}{patience}, "
        f"above in {verdict.above} of the last {rule.sustained.of} samples"
    )
