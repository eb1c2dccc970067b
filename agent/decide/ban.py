"""From verdicts to bans: held ones left out, overlapping ones merged, the rest capped."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2s

from agent.decide.case import Case
from agent.decide.escalate import length_of
from agent.decide.grants import Grants
from agent.decide.prefixes import PrefixTable, prefix_table
from agent.model.address import Prefix, Source, is_line
from agent.model.ban import Ban, Held, Installed, Target
from agent.model.inputs import History
from agent.model.plan import Lift
from agent.model.policy import Answer, Policy, Rule, Scope
from agent.model.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A ban that one verdict asks for.

    Attributes:
        verdict: Its index, heaviest first.
        ban: The ban.
    """

    verdict: int
    ban: Ban


@dataclass(frozen=True, slots=True, kw_only=True)
class Bans:
    """What the verdicts lead to.

    Attributes:
        add: Heaviest first, disjoint within a target.
        findings: Verdicts, by index, that turned out held or deferred.
    """

    add: tuple[Ban, ...]
    findings: dict[int, Finding]


@dataclass(frozen=True, slots=True)
class Court:
    """What turns verdicts into bans."""

    policy: Policy
    grants: Grants
    installed: Installed
    held: PrefixTable[Held]
    allowed: PrefixTable[Prefix]
    history: History
    now: datetime

    def holds(self, case: Case) -> bool:
        """Whether a source is banned already, for whatever the rule would do to it."""
        target = target_of(case.rule, Scope.SERVICE)
        return _is_held(self.held, case.source, target)

    def bans(self, wishes: Sequence[tuple[int, Verdict, Case]]) -> Bans:
        """Give the bans to add for verdicts that ask for one.

        Args:
            wishes: Index, verdict and case of each, heaviest first.
        """
        merged = merge(ask for wish in wishes for ask in self._asks(*wish))
        room = self.policy.safety.max_bans - len(self.installed.bans)
        room = max(0, min(room, self.policy.safety.new_bans_per_cycle))
        findings = {index: Finding.HELD for index, _, _ in wishes}
        for position, (_, indices) in enumerate(merged):
            for index in indices:
                if position < room:
                    findings.pop(index, None)
                elif index in findings:
                    findings[index] = Finding.DEFERRED
        return Bans(add=tuple(ban for ban, _ in merged[:room]), findings=findings)

    def lifts(self, add: Iterable[Ban]) -> Iterator[Lift]:
        """Give the installed bans that a new, wider one of the same target replaces.

        A host's ban that ends later stays: a short ban of its neighbourhood is no
        way out of a long one.
        """
        for ban in add:
            for _, held in self.held.inside(ban.source.prefix):
                if held.target == ban.target and not self._outlasts(held, ban):
                    yield Lift(held=held, reason=f"covered by {ban.source}")

    def trespassers(self) -> Iterator[Lift]:
        """Give the installed bans that reach an address which is exempt or guarded by now."""
        for held in self.installed.bans:
            if not self._may_reach(held.source, held.target):
                yield Lift(held=held, reason="exempt")

    def _asks(self, index: int, verdict: Verdict, case: Case) -> Iterator[Ask]:
        """Ban a source as one where that reaches nobody spared, else by its members.

        A ban of the whole host that would reach into a service for which the
        source is spared shrinks to the rule's service.
        """
        hosts = (Source.of(member) for member in case.members)
        for source in (case.source,) if self._scope(case.source, case.rule) else hosts:
            scope = self._scope(source, case.rule)
            if scope and not _is_held(self.held, source, target_of(case.rule, scope)):
                yield Ask(verdict=index, ban=self._ban(verdict, source, scope))

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

    def _ban(self, verdict: Verdict, source: Source, scope: Scope) -> Ban:
        rule = verdict.rule
        past = self.history.get(source, ())
        return Ban(
            ban_id=_ban_id(self.now, source, target_of(rule, scope)),
            source=source,
            answer=rule.answer,
            rate=rule.rate,
            scope=scope,
            service=rule.service,
            rule=rule.name,
            measure=rule.measure.name,
            count=verdict.count,
            limit=verdict.limit,
            begins=self.now,
            lasts=length_of(rule.lasts, rule.escalation, past, self.now),
            reasons=(_reason(verdict, source),),
            policy_sha256=self.policy.sha256,
        )

    def _outlasts(self, held: Held, ban: Ban) -> bool:
        return is_line(held.source.prefix) and held.left is not None and held.left > ban.lasts


def merge(asks: Iterable[Ask]) -> list[tuple[Ban, tuple[int, ...]]]:
    """Make one ban of those that overlap within a target.

    The widest prefix is banned, for as long as is asked for that prefix: nobody
    is kept out longer for a neighbour's sake. Every reason is kept.

    Returns:
        Bans with the indices of the verdicts that asked, in the order of the
        heaviest of them.
    """
    by_target: dict[Target, list[Ask]] = {}
    for ask in asks:
        by_target.setdefault(ask.ban.target, []).append(ask)
    merged = [one for group in by_target.values() for one in _merge_target(group)]
    return sorted(merged, key=lambda one: (one[1][0], one[0].source.order, one[0].target))


def target_of(rule: Rule, scope: Scope) -> Target:
    """Give what a ban by this rule covers, in that scope."""
    return (scope, rule.service.name if scope is Scope.SERVICE else "", rule.answer)


def _merge_target(asks: list[Ask]) -> Iterator[tuple[Ban, tuple[int, ...]]]:
    groups: dict[Source, list[Ask]] = {}
    table = prefix_table((ask.ban.source.prefix, ask.ban.source) for ask in asks)
    for ask in asks:
        widest = next(table.covering(ask.ban.source.prefix))
        groups.setdefault(widest, []).append(ask)
    for source, group in groups.items():
        own = [ask.ban for ask in group if ask.ban.source.prefix == source.prefix]
        ban = max(own, key=lambda one: one.lasts)
        reasons = dict.fromkeys(reason for ask in group for reason in ask.ban.reasons)
        yield (
            replace(ban, reasons=tuple(reasons)),
            tuple(sorted({ask.verdict for ask in group})),
        )


def _is_held(table: PrefixTable[Held], source: Source, target: Target) -> bool:
    """Whether an installed ban of the same or a wider prefix and target is there already."""
    scope, service, answer = target
    return any(
        held.target[0] in {Scope.HOST, scope}
        and held.target[1] in {"", service}
        and held.target[2] in {Answer.DROP, answer}
        for held in table.covering(source.prefix)
    )


def _ban_id(now: datetime, source: Source, target: Target) -> str:
    text = f"{now.isoformat()} {source} {' '.join(target)}"
    return blake2s(text.encode(), digest_size=8).hexdigest()


def _reason(verdict: Verdict, source: Source) -> str:
    rule = verdict.rule
    member = "" if source == verdict.source else f", as a member of {verdict.source}"
    entry = verdict.entry
    patience = f" ({entry.patience}x by {entry.name}, {entry.declared_at})" if entry else ""
    return (
        f"{rule.name}: {verdict.count} {rule.measure.unit}, limit {verdict.limit}{patience}, "
        f"above in {verdict.above} of the last {rule.sustained.of} samples{member}"
    )
