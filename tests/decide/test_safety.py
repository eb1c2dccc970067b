"""The promises, over generated policies and inputs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_address

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.decide import Memory, allow_set, step
from agent.model.address import HOST, Prefix, covers, grouper, is_line, overlaps, unpack
from agent.model.ban import Ban, Installed
from agent.model.inputs import Guard, Inputs, Surroundings
from agent.model.plan import Decision
from agent.model.policy import AllowEntry, Answer, Policy, Rule, Scope, Service, Sustained
from agent.model.sample import SOCKETS, State
from tests.builders import (
    NET24,
    NOW,
    SSH,
    WEB,
    entry,
    half_open,
    inputs,
    policy,
    rule,
    sample,
    tally,
)

BOTH = Service(name="both", ports=frozenset({22, 8080}))
"""A service that has a port in common with ssh."""

ALL_THREE = (WEB, SSH, BOTH)

SETTINGS = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

# A small world, so that everything meets everything.
hosts = st.one_of(
    st.integers(0, 31).map(lambda host: f"192.0.2.{host}"),
    st.integers(0, 7).map(lambda host: f"198.51.100.{host}"),
    st.tuples(st.integers(0, 2), st.integers(0, 3)).map(
        lambda at: f"2001:db8:0:{at[0]}::{at[1]:x}"
    ),
    st.integers(0, 3).map(lambda host: f"64:ff9b::c000:20{host}"),
)
counts = st.dictionaries(hosts, st.integers(1, 12), max_size=24)
prefixes: st.SearchStrategy[Prefix] = st.one_of(
    st.tuples(st.integers(0, 31), st.integers(24, 32)).map(
        lambda at: IPv4Network((int(ip_address(f"192.0.2.{at[0]}")), at[1]), strict=False)
    ),
    st.tuples(hosts.filter(lambda host: ":" in host), st.integers(48, 128)).map(
        lambda at: IPv6Network((int(ip_address(at[0])), at[1]), strict=False)
    ),
)


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    wide = draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        return half_open(name, limit=draw(st.integers(1, 20)), per=NET24 if wide else HOST)
    throttled = draw(st.booleans())
    return rule(
        name,
        service=draw(st.sampled_from([WEB, SSH, BOTH])),
        limit=draw(st.integers(1, 20)),
        per=NET24 if wide else HOST,
        members=draw(st.integers(1, 3)) if wide else 1,
        answer=Answer.THROTTLE if throttled else Answer.DROP,
        scope=Scope.SERVICE if throttled else draw(st.sampled_from(Scope)),
        lasts=timedelta(minutes=draw(st.integers(1, 60))),
        sustained=draw(st.sampled_from([Sustained(times=1, of=1), Sustained(times=2, of=3)])),
        warn=draw(st.sampled_from([Fraction(1, 2), Fraction(1)])),
    )


@st.composite
def entries(draw: st.DrawFn, name: str) -> AllowEntry:
    asks = draw(st.integers(0, 5)) == 0
    return replace(
        entry(name),
        prefixes=tuple(draw(st.lists(prefixes, max_size=2))),
        names=("crawler.example",) if asks else (),
        services=draw(st.sampled_from([frozenset[str](), frozenset({"web"}), frozenset({"ssh"})])),
        patience=draw(st.sampled_from([None, 2, 10])),
        until=draw(st.sampled_from([None, NOW, NOW + timedelta(days=1)])),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    return policy(
        *[draw(rules(f"rule-{index}")) for index in range(draw(st.integers(1, 4)))],
        services=ALL_THREE,
        allowlist=tuple(
            draw(entries(f"entry-{index}")) for index in range(draw(st.integers(0, 3)))
        ),
    )


@st.composite
def moments(draw: st.DrawFn) -> Inputs:
    seen = sample(
        tally(draw(counts)),
        tally(draw(counts), port=22),
        tally(draw(counts), state=State.SYN_RECV),
    )
    guarded = tuple(
        Guard(prefix=prefix, why="found") for prefix in draw(st.lists(prefixes, max_size=2))
    )
    return inputs(
        seen,
        counters={"SyncookiesSent": draw(st.integers(0, 3))},
        surroundings=Surroundings(guards=guarded),
    )


def judge(moment: Inputs, by: Policy, memory: Memory | None = None) -> Decision:
    """Judge after a calm moment, so that pressure and guards' allow set are possible."""
    calm, _ = step(Memory(), inputs({}, counters={"SyncookiesSent": 0}), by, NOW)
    return step(memory or calm, moment, by, NOW)[1]


def reaches(ban: Ban, prefix: Prefix, port: int) -> bool:
    """Whether a ban drops packets of some address of `prefix` to a port."""
    in_scope = ban.scope is Scope.HOST or (ban.service is not None and port in ban.service.ports)
    return in_scope and overlaps(ban.source.prefix, prefix)


def spared(by: Policy, moment: Inputs) -> list[tuple[Prefix, int]]:
    """Everybody whose packets to a port must never be dropped."""
    ports = {one.name: one.ports for one in by.services}
    guarded = [
        (guard.prefix, port)
        for guard in moment.surroundings.guards
        for each in ports.values()
        for port in each
    ]
    return guarded + [
        (prefix, port)
        for one in by.allowlist
        if one.patience is None and (one.until is None or one.until > NOW)
        for name in one.services or ports
        for port in ports[name]
        for prefix in one.prefixes
    ]


@SETTINGS
@given(policies(), moments(), st.booleans())
def test_no_ban_ever_reaches_an_exempt_or_guarded_address(
    by: Policy, moment: Inputs, allow_set_is_there: bool
) -> None:
    allowed = allow_set(by, moment.spared, NOW) if allow_set_is_there else frozenset()
    moment = replace(moment, installed=Installed(allowed=allowed))

    added = judge(moment, by).plan.add

    for prefix, port in spared(by, moment):
        if not any(covers(listed, prefix) for listed in allowed):
            assert not any(reaches(ban, prefix, port) for ban in added)


@SETTINGS
@given(policies(), moments())
def test_no_exempt_or_guarded_source_gets_a_verdict_that_bans(by: Policy, moment: Inputs) -> None:
    listed = spared(by, moment)
    for verdict in judge(moment, by).verdicts:
        ports = verdict.rule.service.ports
        if any(covers(prefix, verdict.source.prefix) and port in ports for prefix, port in listed):
            assert verdict.finding.value in {"exempt", "warned"}


@SETTINGS
@given(policies(), moments())
def test_nobody_is_banned_below_the_limit_times_his_patience(by: Policy, moment: Inputs) -> None:
    counts = moment.sample.tallies[SOCKETS]
    for ban in judge(moment, by).plan.add:
        rule_ = next(one for one in by.rules if one.name == ban.rule)
        key_of = grouper(rule_.per)
        group = {
            key_of(family, packed)
            for family, _, _, packed in counts
            if unpack(family, packed) in ban.source.prefix
        }
        total = sum(
            count
            for (family, state, port, packed), count in counts.items()
            if key_of(family, packed) in group
            and state in rule_.states
            and port in rule_.service.ports
        )
        patience = max(
            (
                one.patience
                for one in by.allowlist
                if one.patience and (one.until is None or one.until > NOW)
                if not one.services or rule_.service.name in one.services
                if any(covers(listed, ban.source.prefix) for listed in one.prefixes)
            ),
            default=1,
        )
        assert total > rule_.limit * patience


def reached(decision: Decision) -> set[tuple[Prefix, str, str]]:
    """What is banned, service by service."""
    return {
        (ban.source.prefix, service, ban.answer.value)
        for ban in decision.plan.add
        for service in ("web", "ssh", "both")
        if ban.scope is Scope.HOST or (ban.service is not None and ban.service.name == service)
    }


def assert_no_more(after: Decision, before: Decision) -> None:
    old = reached(before)
    for prefix, service, answer in reached(after):
        assert any(covers(wide, prefix) and (service, answer) == (at, how) for wide, at, how in old)


@SETTINGS
@given(policies(), moments(), st.integers(0, 3), st.integers(1, 10))
def test_raising_a_limit_never_adds_a_ban(
    by: Policy, moment: Inputs, which: int, more: int
) -> None:
    index = which % len(by.rules)
    raised = tuple(
        replace(one, limit=one.limit + more) if at == index else one
        for at, one in enumerate(by.rules)
    )

    assert_no_more(judge(moment, replace(by, rules=raised)), judge(moment, by))


@SETTINGS
@given(policies(), moments(), entries("another"))
def test_adding_an_allowlist_entry_never_adds_a_ban(
    by: Policy, moment: Inputs, another: AllowEntry
) -> None:
    longer = replace(by, allowlist=(*by.allowlist, another))

    assert_no_more(judge(moment, longer), judge(moment, by))


@SETTINGS
@given(policies(), st.lists(moments(), min_size=1, max_size=4))
def test_two_runs_agree_byte_for_byte(by: Policy, series: list[Inputs]) -> None:
    def run(reverse: bool) -> str:
        memory, told = Memory(), []
        for moment in series:
            memory, decision = step(memory, _shuffled(moment) if reverse else moment, by, NOW)
            told.append(repr(decision))
        return "\n".join(told)

    assert run(reverse=False) == run(reverse=True)


def _shuffled(moment: Inputs) -> Inputs:
    """The same moment, its rows in another order."""
    seen = moment.sample
    tallies: Mapping[str, Mapping[tuple[int, int, int, bytes], int]] = {
        name: dict(reversed(list(rows.items()))) for name, rows in seen.tallies.items()
    }
    return replace(moment, sample=replace(seen, tallies=tallies))


@SETTINGS
@given(policies(), moments())
def test_a_plan_is_disjoint_within_a_target(by: Policy, moment: Inputs) -> None:
    added = judge(moment, by).plan.add
    for index, one in enumerate(added):
        for other in added[:index]:
            wide, narrow = sorted((one, other), key=lambda ban: ban.source.prefix.prefixlen)
            assert (
                one.target != other.target
                or not overlaps(one.source.prefix, other.source.prefix)
                or (is_line(narrow.source.prefix) and narrow.lasts > wide.lasts)
            )


@SETTINGS
@given(policies(), moments(), st.integers(0, 5))
def test_no_cycle_bans_more_than_its_cap(by: Policy, moment: Inputs, cap: int) -> None:
    capped = replace(by, safety=replace(by.safety, new_bans_per_cycle=cap))

    assert len(judge(moment, capped).plan.add) <= cap


@SETTINGS
@given(policies(), moments())
def test_what_proves_nothing_never_drops(by: Policy, moment: Inputs) -> None:
    proving = {one.name: one.measure.proves for one in by.rules}

    for ban in judge(moment, by).plan.add:
        assert proving[ban.rule] or ban.answer is Answer.THROTTLE
