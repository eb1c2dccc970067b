"""From verdicts to bans: held ones left out, overlapping ones merged, the rest capped."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2s
from itertools import islice

from agent.decide.bans.escalate import length_of
from agent.decide.bans.joining import NEARLY_FULL, Neighbours, join
from agent.decide.bans.wish import Wish, merge, outlasts, target_of
from agent.decide.case import Case
from agent.decide.grants import Grants
from agent.decide.prefixes import PrefixTable
from agent.model.address import Prefix, Source
from agent.model.ban import Ban, Held, Installed, Target
from agent.model.inputs import History
from agent.model.plan import Lift
from agent.model.policy import SSH, Answer, Policy, Rule, Scope
from agent.model.verdict import Finding, Verdict

REASONS_AT_MOST = 10

RESERVED = 10
"""A part of the policy's max_bans: that many are left to sources far above their limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bans:
    """What the verdicts lead to.

    Attributes:
        add: Heaviest first, disjoint within a target as `Plan.add` says.
        granted: The wishes that they come from, in the same order.
        findings: Verdicts, by index, that turned out held, deferred or spared.
    """

    add: tuple[Ban, ...]
    granted: Sequence[Wish]
    findings: Mapping[int, Finding]


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

    def wishes(self, asking: Mapping[int, Case]) -> list[Wish]:
        """Give the bans that verdicts ask for, heaviest first, and are not held yet.

        Args:
            asking: The case of each, by the index of the verdict, heaviest first.
        """
        return merge(wish for index, case in asking.items() for wish in self._wishes(index, case))

    def roomy(self, wishes: Sequence[Wish], others: Collection[bytes]) -> list[Wish]:
        """Give the wishes with those of neighbours joined where the bans are nearly too many.

        Args:
            wishes: As they are left.
            others: Keys of those who are here or known, and asked to be banned by nobody.
        """
        neighbours = Neighbours(
            held=self.installed.bans,
            others=others,
            may_reach=self._may_reach,
            rules={rule.name: rule for rule in self.policy.rules},
        )
        # Those that make room come first: nothing else may be left that fits.
        return sorted(join(wishes, neighbours), key=self._freed, reverse=True)

    def is_nearly_full(self, wishes: Sequence[Wish]) -> bool:
        """Whether the bans in force, with those asked for, come near what the policy allows."""
        bans = len(self.installed.bans) + len(wishes)
        return bool(wishes) and bans > NEARLY_FULL * self.policy.safety.max_bans

    def bans(
        self, wishes: Sequence[Wish], verdicts: Mapping[int, Verdict], spared: Iterable[Wish] = ()
    ) -> Bans:
        """Give the bans to add, the first wishes up to the caps.

        Args:
            wishes: In the order in which they are granted.
            verdicts: Those that ask, by index.
            spared: Wishes that an open breaker keeps from being granted.
        """
        granted, deferred = self._fitting(wishes)
        findings = dict.fromkeys(verdicts, Finding.HELD)
        for finding, some in ((Finding.DEFERRED, deferred), (Finding.SPARED, spared)):
            for wish in some:
                findings |= dict.fromkeys(wish.verdicts, finding)
        for wish in granted:
            for index in wish.verdicts:
                findings.pop(index, None)
        return Bans(
            add=tuple(map(partial(self._ban, verdicts), granted)),
            granted=granted,
            findings=findings,
        )

    def lifts(self, add: Iterable[Ban]) -> Iterator[Lift]:
        """Give the installed bans that a new, wider one of the same target replaces.

        The longer ban of an address or a /64 stays: a short ban of its neighbourhood
        is no way out of it.
        """
        for ban in add:
            for held in self._replaced(ban):
                yield Lift(held=held, reason=f"covered by {ban.source}")

    def trespassers(self) -> Iterator[Lift]:
        """Give the installed bans that reach an address which is exempt or guarded by now."""
        for held in self.installed.bans:
            if not self._may_reach(held.source, held.target):
                yield Lift(held=held, reason="exempt")

    def _fitting(self, wishes: Sequence[Wish]) -> tuple[list[Wish], list[Wish]]:
        """Give the wishes that the caps have room for, and those that have to wait.

        What joins bans makes room itself. The last of it is for the heavy: light sources, who
        come at little cost, can't fill the sets against them.
        """
        safety = self.policy.safety
        room, reserve = safety.max_bans - len(self.installed.bans), safety.max_bans // RESERVED
        granted: list[Wish] = []
        deferred: list[Wish] = []
        for wish in wishes:
            left = room + self._freed(wish) - 1
            is_fitting = left >= (0 if wish.is_heavy or wish.joined else reserve)
            if is_fitting and len(granted) < safety.new_bans_per_cycle:
                room = left
                granted.append(wish)
            else:
                deferred.append(wish)
        return granted, deferred

    def _freed(self, wish: Wish) -> int:
        """Count the installed bans that a joined one takes the place of."""
        return sum(1 for _ in self._replaced(wish)) if wish.joined else 0

    def _replaced(self, by: Wish | Ban) -> Iterator[Held]:
        """Give the installed bans that do not stay beside a new, wider one."""
        for _, held in self.held.inside(by.source.prefix):
            stays = held.left is not None and outlasts(held.source, held.left, by.lasts)
            if held.target == by.target and not stays:
                yield held

    def _wishes(self, index: int, case: Case) -> Iterator[Wish]:
        """Ban a source as one where that reaches nobody spared, else by its members.

        A ban of the whole host that would reach into a service for which the source
        is spared shrinks to the rule's service.
        """
        whole = None if case.unknown else self._target(case.source, case.rule)
        if whole:
            yield from self._wish(index, case, case.source, whole)
            return
        unknown = frozenset(case.unknown)
        for source in (Source.of(member) for member in case.members if member not in unknown):
            target = self._target(source, case.rule)
            if target:
                yield from self._wish(index, case, source, target)

    def _wish(self, index: int, case: Case, source: Source, target: Target) -> Iterator[Wish]:
        """Wish for a ban, unless there is one already."""
        rule = case.rule
        if not _is_held(self.held, source, rule, target):
            past = self.history.get(source, ())
            yield Wish(
                verdicts=(index,),
                source=source,
                target=target,
                lasts=length_of(rule.lasts, rule.escalation, past, self.now),
                rule=rule,
                count=case.count,
                limit=case.limit,
            )

    def _target(self, source: Source, rule: Rule) -> Target | None:
        """Give the widest target of a rule in which a ban of `source` reaches nobody spared."""
        for scope in dict.fromkeys((rule.scope, Scope.SERVICE)):
            target = target_of(rule, scope)
            if self._may_reach(source, target):
                return target
        return None

    def _may_reach(self, source: Source, target: Target) -> bool:
        """Whether a ban reaches nobody spared, or only members that the allow set lets through."""
        return all(
            prefix != source.prefix and any(True for _ in self.allowed.covering(prefix))
            for prefix in self.grants.untouchable(source.prefix, target, self.now)
        )

    def _ban(self, verdicts: Mapping[int, Verdict], wish: Wish) -> Ban:
        rule = wish.rule
        return Ban(
            ban_id=_ban_id(self.now, wish.source, wish.target),
            source=wish.source,
            answer=rule.answer,
            rate=rule.rate,
            scope=wish.target[0],
            service=rule.service,
            rule=rule.name,
            measure=rule.measure.name,
            count=wish.count,
            limit=wish.limit,
            begins=self.now,
            lasts=wish.lasts,
            reasons=_reasons(wish, verdicts),
            policy_sha256=self.policy.sha256,
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


def _reasons(wish: Wish, verdicts: Mapping[int, Verdict]) -> tuple[str, ...]:
    """Say why, a sentence for each verdict that asks; of very many the heaviest."""
    told = [
        _reason(verdicts[index], wish.source) for index in islice(wish.verdicts, REASONS_AT_MOST)
    ]
    if wish.joined:
        joins = f"{wish.rule.name}: joins {wish.joined} bans of its addresses"
        told = [f"{joins}, because max_bans is nearly reached", *told]
    more = len(wish.verdicts) - min(len(wish.verdicts), REASONS_AT_MOST)
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
