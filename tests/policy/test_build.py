"""What an operator leaves out is filled in, and nothing else is changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from ipaddress import ip_network

import pytest

from agent.errors import PolicyError
from agent.model.address import HOST, Width
from agent.model.policy import (
    AllowEntry,
    Answer,
    Escalation,
    Mode,
    Policy,
    Rate,
    Recording,
    Rule,
    Safety,
    Scope,
    Sustained,
)
from agent.model.sample import State
from agent.policy import PolicyText, parse_policy

HEAD = "version: 1\nservices: {web: {ports: [80, 8000-8002, 443]}}\n"
RULE = "rules: [{name: a, service: web, count: connections, above: 10}]\n"


def parse(content: str, file: str = "p.yaml") -> Policy:
    return parse_policy((PolicyText(file=file, folder="/etc/x", raw=content.encode()),))


def rule(extra: str = "", defaults: str = "") -> Rule:
    extra = f"count: connections, {extra}" if "count:" not in extra else extra
    head = HEAD + (f"defaults: {{{defaults}}}\n" if defaults else "")
    return parse(head + f"rules: [{{name: a, service: web, above: 10, {extra}}}]\n").rules[0]


def entry(text: str) -> AllowEntry:
    line = f"allowlist: [{{name: x, kind: nat, grants: 5x, {text}}}]\n"
    return parse(HEAD + RULE + line).allowlist[0]


def test_a_bare_rule_gets_the_built_in_defaults() -> None:
    bare = rule()

    assert bare.service.ports == {80, 443, 8000, 8001, 8002}
    assert bare.states == {State.ESTABLISHED}
    assert (bare.limit, bare.per, bare.members) == (10, HOST, 1)
    assert (bare.mode, bare.answer, bare.rate) == (Mode.ENFORCE, Answer.DROP, None)
    assert (bare.lasts, bare.scope) == (timedelta(minutes=10), Scope.SERVICE)
    assert bare.sustained == Sustained(times=3, of=5)
    assert bare.escalation == Escalation(
        times=2, up_to=timedelta(hours=24), within=timedelta(days=7)
    )
    assert (bare.warn, bare.declared_at) == (Fraction(4, 5), "p.yaml:3")


def test_a_bare_policy_gets_the_built_in_safety() -> None:
    policy = parse(HEAD + RULE)

    assert policy.every == timedelta(seconds=5)
    assert policy.safety == Safety()


def test_safety_may_leave_keys_out() -> None:
    policy = parse(HEAD + RULE + "safety: {max_bans: 7}\nevery: 1s\n")

    assert policy.safety == replace(Safety(), max_bans=7)
    assert policy.every == timedelta(seconds=1)


def test_the_operators_defaults_stand_between_rule_and_built_in() -> None:
    ours = "ban: 5m, scope: host, warn: none, escalate: {times: 3}"

    between = rule(defaults=ours)
    assert (between.lasts, between.scope) == (timedelta(minutes=5), Scope.HOST)
    assert between.warn == 1
    assert between.escalation.times == 3
    assert between.escalation.up_to == timedelta(hours=24)

    own = rule("ban: 1m, scope: service, warn: 50%, escalate: {within: 1d}", defaults=ours)
    assert (own.lasts, own.scope, own.warn) == (
        timedelta(minutes=1),
        Scope.SERVICE,
        Fraction(1, 2),
    )
    assert own.escalation == Escalation(
        times=3, up_to=timedelta(hours=24), within=timedelta(days=1)
    )


def test_escalate_none_keeps_the_length_however_long() -> None:
    kept = rule("ban: 3d, escalate: none")

    assert kept.escalation.times == 1
    assert kept.escalation.up_to == kept.lasts == timedelta(days=3)


def test_a_throttle_lasts_for_its_own_time_or_the_defaults_ban() -> None:
    assert rule("throttle: 2/m, for: 3m").lasts == timedelta(minutes=3)
    assert rule("throttle: 2/m", defaults="ban: 4m").lasts == timedelta(minutes=4)
    assert rule("throttle: 2/m").rate == Rate(count=2, per=timedelta(minutes=1))
    assert rule("throttle: 2/m").answer is Answer.THROTTLE


def test_a_throttle_is_of_scope_service_whatever_the_defaults_say() -> None:
    assert rule("throttle: 1/s", defaults="scope: host").scope is Scope.SERVICE


def test_half_open_counts_its_only_state() -> None:
    assert rule("count: half_open, throttle: 1/s").states == {State.SYN_RECV}


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("host", HOST),
        ("{ipv4: 24, ipv6: 48}", Width(ipv4=24, ipv6=48)),
        ("{ipv4: 24}", Width(ipv4=24, ipv6=64)),
        ("{ipv6: 128}", Width(ipv4=32, ipv6=128)),
    ],
)
def test_a_family_that_per_leaves_out_is_a_hosts(per: str, expected: Width) -> None:
    assert rule(f"per: {per}").per == expected


def test_an_entry_keeps_what_it_says() -> None:
    whole = entry(
        "prefixes: [192.0.2.0/24, '::ffff:198.51.100.1'], names: [A.Example.net.], "
        "hosts: [vpn], services: [web], until: 2027-01-31"
    )

    assert whole.prefixes == (ip_network("192.0.2.0/24"), ip_network("198.51.100.1/32"))
    assert (whole.names, whole.hosts) == (("a.example.net",), ("vpn",))
    assert whole.services == {"web"}
    assert whole.patience == 5
    assert whole.until == datetime(2027, 2, 1, tzinfo=UTC)


def test_ranges_are_beside_the_file_that_names_them() -> None:
    assert entry("ranges: [r/a.json, /srv/b.json, ../c.json]").ranges == (
        "/etc/x/r/a.json",
        "/srv/b.json",
        "/etc/x/../c.json",
    )


def test_the_hash_is_over_names_and_bytes_that_can_not_shift() -> None:
    def digest(*files: tuple[str, str]) -> str:
        texts = [PolicyText(file=name, folder="/", raw=raw.encode()) for name, raw in files]
        return parse_policy(texts).sha256

    good, more = HEAD + RULE, "version: 1\n"
    assert digest(("a", good)) == digest(("a", good))
    different = {
        digest(("a", good)),
        digest(("b", good)),
        digest(("a", good + "#")),
        digest(("a", good), ("b", more)),
        digest(("b", more), ("a", good)),
    }
    assert len(different) == 5


def test_of_very_many_faults_the_first_are_told() -> None:
    text = "version: 1\nrules: [" + "x, " * 5000 + "]\n"
    with pytest.raises(PolicyError) as wrong:
        parse_policy([PolicyText(file="p.yaml", folder="/", raw=text.encode())])

    assert len(wrong.value.faults) == 201
    assert wrong.value.faults[-1].problem == "... and 4800 more faults after this"


def test_services_are_limited_in_number() -> None:
    many = "".join(f"  s{number}: {{ports: 1-65535}}\n" for number in range(101))
    rule_ = "rules: [{name: a, service: s1, count: connections, above: 10}]\n"
    with pytest.raises(PolicyError) as wrong:
        parse_policy(
            [PolicyText(file="p", folder="/", raw=f"version: 1\nservices:\n{many}{rule_}".encode())]
        )

    assert [fault.line for fault in wrong.value.faults] == [103]


def test_the_hash_does_not_depend_on_the_folder() -> None:
    head = b"version: 1\nservices: {w: {ports: 80}}\n"
    text = head + b"rules: [{name: a, service: w, count: connections, above: 9}]\n"
    hashes = {
        parse_policy([PolicyText(file=file, folder="/", raw=text)]).sha256
        for file in ("p.yaml", "/etc/p.yaml", "q.yaml")
    }

    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param("", Recording(), id="left out"),
        pytest.param("tape:\n", Recording(), id="blank"),
        pytest.param("tape: none\n", Recording(size_bytes=0), id="none"),
        pytest.param("tape: {size: none}\n", Recording(size_bytes=0), id="of no size"),
        pytest.param(
            "tape: {floor: 0, prefix_floor: 7, size: 3GB, age: 1d12h}\n",
            Recording(floor=0, prefix_floor=7, size_bytes=3 * 10**9, age=timedelta(hours=36)),
            id="all of it",
        ),
    ],
)
def test_what_is_recorded_may_be_said(block: str, expected: Recording) -> None:
    assert parse(HEAD + block + RULE).tape == expected
