"""The promises, over generated policies and inputs."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agent.decide import Memory, allow_set, step
from agent.model.address import Prefix, covers, grouper, is_line, overlaps, unpack
from agent.model.ban import Ban, Installed
from agent.model.inputs import Inputs
from agent.model.plan import Decision
from agent.model.policy import AllowEntry, Answer, Policy, Scope
from agent.model.sample import SOCKETS
from tests.builders import NO_BREAKER, NOW, SSH
from tests.decide.worlds import CALM, SETTINGS, entries, judge, moments, policies


def reaches(ban: Ban, prefix: Prefix, port: int) -> bool:
    """Whether a ban drops packets of some address of `prefix` to a port."""
    if ban.scope is Scope.HOST:  # which leaves ssh open unless it is about ssh
        in_scope = ban.target[1] == "ssh" or port not in SSH.ports
    else:
        in_scope = ban.service is not None and port in ban.service.ports
    return in_scope and overlaps(ban.source.prefix, prefix)


def spared(by: Policy, moment: Inputs) -> list[tuple[Prefix, int]]:
    """Everybody whose packets to a port must never be dropped."""
    ports = {one.name: one.ports for one in by.services}
    guarded = [
        (guard.prefix, port)
        for guard in moment.surroundings.guards
        for name, each in ports.items()
        for port in each
        if not guard.only_ssh or port in SSH.ports
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
@given(policies(CALM), moments(), st.integers(0, 3), st.integers(1, 10))
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
@given(policies(CALM), moments(), entries("another"))
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
    """Give the same moment, its rows in another order."""
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


@SETTINGS
@given(policies(), moments())
def test_an_open_breaker_never_adds_a_ban(by: Policy, moment: Inputs) -> None:
    open_to_all = replace(by.safety, known_clients_share=NO_BREAKER.known_clients_share)
    roomy = replace(open_to_all, max_bans=100_000, new_bans_per_cycle=1000)
    safety = replace(roomy, known_clients_share=by.safety.known_clients_share)

    calm = judge(moment, replace(by, safety=roomy))
    assert_no_more(judge(moment, replace(by, safety=safety)), calm)
