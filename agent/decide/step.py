"""The whole judgement of one moment."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from agent.decide.ask import Awaited
from agent.decide.bans.breaker import Fuse
from agent.decide.bans.caps import Caps
from agent.decide.bans.clients import LOOK_EVERY, clients_after
from agent.decide.bans.court import Bans, Court
from agent.decide.case import Case, Docket
from agent.decide.grants import Grants, grants_of
from agent.decide.judge import Doubt, doubt_of, find
from agent.decide.machine.watch import watched
from agent.decide.memory import Memory, Tables, Track
from agent.decide.prefixes import prefix_table
from agent.decide.proof import Proven
from agent.decide.standing import as_told
from agent.decide.sustain import Named, Tracks, ended, is_news, samples_after, tracks_after
from agent.model.address import HOST, Address, grouper
from agent.model.ban import Installed
from agent.model.inputs import Inputs
from agent.model.learned import Clients
from agent.model.plan import Decision, Lift, Plan
from agent.model.policy import Policy
from agent.model.sample import SOCKETS, Tally
from agent.model.verdict import Finding, Verdict


def step(memory: Memory, inputs: Inputs, policy: Policy, now: datetime) -> tuple[Memory, Decision]:
    """Judge one moment.

    Args:
        memory: What the last step gave; `Memory()` at first.
        inputs: All that may be looked at.
        policy: By which to judge; it may differ from the last step's.
        now: Aware, UTC.

    Returns:
        What the next step is to be given, and the decision. The same arguments
        give the same result, to the byte.
    """
    memory = as_told(memory, inputs.standing, now)
    grants = _grants(memory.grants, policy, inputs)
    is_worn = partial(memory.asked.is_worn, cycle=memory.cycle, every=policy.every)
    looked = Docket(inputs, policy, grants, now, is_worn).cases()
    cases = [case for case in looked if case.is_near]
    proven = _proven(memory.proven, policy, inputs, now)
    watch, alarms = watched(memory.watch, inputs, policy, cases, now)
    doubt = doubt_of(cases, proven, watch.pressed)
    # By name: hashing a whole rule for each of its cases would cost more than the judgement.
    tracked = {rule.name: memory.tracks.get(rule, {}) for rule in policy.rules}
    judged = [_judge(case, tracked[case.rule.name].get(case.key), doubt) for case in cases]
    ground = (inputs.installed.allowed, grants.ended(now))
    swept = memory.grants is grants and not inputs.is_strange and memory.swept == ground
    tables = _tables(memory.tables, inputs.installed, cases, swept=swept)
    court = _court(tables, grants, inputs, now)
    caps = Caps(court, memory.fuse, memory.clients, inputs)
    granted = caps.granted(*_asking(judged, cases))
    verdicts = _settled(judged, cases, granted.bans, court)
    trespassers = () if swept else tuple(court.trespassers())
    tracks = tracks_after(tracked, _outcomes(cases, judged, verdicts), policy.rules)
    after = Memory(
        tracks=tracks,
        proven=proven,
        grants=grants,
        swept=None if trespassers else ground,
        tables=tables,
        cycle=memory.cycle + 1,
        asked=memory.asked.after(_awaited(looked), memory.cycle),
        clients=_clients(memory, inputs, cases, granted.fuse, now),
        fuse=granted.fuse,
        watch=watch,
    )
    return after, Decision(
        verdicts=verdicts,
        began=_news(cases, verdicts, tracked),
        ended=_ended(memory, tracks, inputs),
        plan=_plan(granted.bans, court, trespassers),
        questions=_questions(looked),
        alarms=(*granted.alarms, *alarms),
    )


def _grants(last: Grants | None, policy: Policy, inputs: Inputs) -> Grants:
    """Use the last cycle's tables again while nothing changed: thousands of prefixes may be in."""
    if last and last.policy is policy and last.spared == inputs.spared:
        return last
    return grants_of(policy, inputs.spared)


def _tables(
    last: Tables | None, installed: Installed, cases: Sequence[Case], *, swept: bool
) -> Tables | None:
    """Make the look-up tables of what is installed only when they will be looked into.

    The last ones do while the very same is installed.
    """
    is_needed = not swept or any(case.is_above for case in cases)
    if not is_needed or (last and last.installed is installed):
        return last
    return Tables(
        installed=installed,
        held=prefix_table((one.source.prefix, one) for one in installed.bans),
        allowed=prefix_table((prefix, prefix) for prefix in installed.allowed),
    )


def _court(tables: Tables | None, grants: Grants, inputs: Inputs, now: datetime) -> Court:
    """Give what decides on bans; nothing is looked up where no tables are needed."""
    return Court(
        policy=grants.policy,
        grants=grants,
        installed=inputs.installed,
        held=tables.held if tables else prefix_table(()),
        allowed=tables.allowed if tables else prefix_table(()),
        history=inputs.history,
        now=now,
    )


def _proven(last: Proven, policy: Policy, inputs: Inputs, now: datetime) -> Proven:
    """Remember who is there, for as long as some rule counts what proves nothing."""
    if all(rule.measure.proves for rule in policy.rules):
        return Proven()
    return last.after(_sockets(inputs), now)


def _judge(case: Case, track: Track | None, doubt: Doubt) -> tuple[int, Verdict]:
    """Give a source's last samples under a rule, and the verdict before any ban is looked at."""
    rule = case.rule
    # Samples while it was exempt don't count: a guard that is lost for one look, or an entry
    # that ends, must not be followed by a ban at once.
    samples = samples_after(track, rule, above=case.is_above and not case.grant.is_exemption)
    finding = find(case, samples.bit_count(), doubt)
    verdict = Verdict(
        finding=finding,
        source=case.source,
        rule=rule,
        count=case.count,
        limit=case.limit,
        above=samples.bit_count(),
        entry=case.may_be if finding is Finding.PENDING else case.grant.entry,
        guard=case.grant.guard,
    )
    return samples, verdict


def _asking(
    judged: Sequence[tuple[int, Verdict]], cases: Sequence[Case]
) -> tuple[dict[int, Case], dict[int, Verdict]]:
    """Give the cases and the verdicts of those that ask for a ban, by their index."""
    wanted = {Finding.BAN, Finding.THROTTLE}
    verdicts = {
        index: verdict for index, (_, verdict) in enumerate(judged) if verdict.finding in wanted
    }
    return {index: cases[index] for index in verdicts}, verdicts


def _settled(
    judged: Sequence[tuple[int, Verdict]], cases: Sequence[Case], bans: Bans, court: Court
) -> tuple[Verdict, ...]:
    """Give the verdicts with what is held already, or has to wait, told as such."""
    findings = dict(bans.findings)
    for index, ((_, verdict), case) in enumerate(zip(judged, cases, strict=True)):
        if verdict.finding is Finding.SUSTAINING and court.holds(case):
            findings[index] = Finding.HELD
    return tuple(
        replace(verdict, finding=findings.get(index, verdict.finding))
        for index, (_, verdict) in enumerate(judged)
    )


def _outcomes(
    cases: Sequence[Case], judged: Sequence[tuple[int, Verdict]], verdicts: Sequence[Verdict]
) -> Iterator[tuple[bytes, int, Verdict]]:
    for case, (samples, _), verdict in zip(cases, judged, verdicts, strict=True):
        yield case.key, samples, verdict


def _news(cases: Sequence[Case], verdicts: Sequence[Verdict], tracks: Named) -> tuple[Verdict, ...]:
    return tuple(
        verdict
        for case, verdict in zip(cases, verdicts, strict=True)
        if is_news(tracks[case.rule.name].get(case.key), verdict.finding)
    )


def _plan(bans: Bans, court: Court, trespassers: Sequence[Lift]) -> Plan:
    """Give the plan, its lifts by source; of two for one ban the first reason stays."""
    lifts = (*reversed(tuple(court.lifts(bans.add))), *reversed(trespassers))
    first = {(lift.held.source, lift.held.target): lift for lift in lifts}
    in_order = sorted(first.values(), key=lambda lift: (lift.held.source.order, lift.held.target))
    return Plan(add=bans.add, lift=tuple(in_order))


def _questions(cases: Sequence[Case]) -> tuple[Address, ...]:
    """Give whom to ask about, the heaviest first."""
    return tuple(dict.fromkeys(address for case in cases for address in case.asked))


def _awaited(cases: Sequence[Case]) -> Iterator[Awaited]:
    """Give whom an answer is waited for, the heaviest first."""
    return (one for case in cases for one in case.awaited)


def _sockets(inputs: Inputs) -> Tally:
    return inputs.sample.tallies.get(SOCKETS, {})


def _clients(
    memory: Memory, inputs: Inputs, cases: Sequence[Case], fuse: Fuse, now: datetime
) -> Clients:
    """Look who is here, every few cycles; those above a limit do not become known by it."""
    if memory.cycle % LOOK_EVERY:
        return memory.clients
    key_of = grouper(HOST)
    above = frozenset(
        key_of(row.family, row.packed)
        for case in cases
        if case.is_above and case.rule.measure.proves and not case.grant.is_exemption
        for row in case.rows
    )
    return clients_after(memory.clients, _sockets(inputs), now, above=above, banned=fuse.struck)


def _ended(memory: Memory, tracks: Tracks, inputs: Inputs) -> tuple[Verdict, ...]:
    return tuple(
        sorted(
            ended(memory.tracks, tracks, inputs.sample.tallies),
            key=lambda verdict: (verdict.rule.name, verdict.source.order),
        )
    )
