import io
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from agent.errors import Fault
from agent.model.inputs import Guard, Surroundings
from agent.model.plan import Decision, Lift
from agent.model.policy import Answer, Scope
from agent.model.verdict import Finding
from agent.record import ban_events, events
from agent.record.audit import Audit, Format
from agent.record.events import Event
from agent.record.phrases import counted, duration, printable, until
from tests.builders import (
    NO_BREAKER,
    NOW,
    ban,
    decide,
    entry,
    guards,
    held,
    inputs,
    policy,
    prefix,
    sample,
    sources_changed,
    tally,
)

SESSION = Guard(prefix=prefix("192.0.2.1"), why="session (utmp)", only_ssh=True)


def sentence(event: Event) -> str:
    stream = io.StringIO()
    Audit(stream, "dry-run", form=Format.TEXT, level=events.Level.DEBUG).write(event, NOW, 1)
    return stream.getvalue().rstrip("\n").split("  ", 1)[1]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.2, "200ms"),
        (5, "5s"),
        (600, "10m"),
        (5400, "1h30m"),
        (86400 * 7, "7d"),
        (90061, "1d1h"),
        (0, "0s"),
    ],
)
def test_a_duration_reads_as_in_a_policy(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_a_moment_reads_alike_wherever_the_reader_is() -> None:
    moment = datetime(2026, 11, 21, 16, 2, 1, 956973, tzinfo=timezone(timedelta(hours=1)))

    assert until(moment) == "until 2026-11-21 15:02:01 UTC"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (counted(0, "ban"), "0 bans"),
        (counted(1, "ban"), "1 ban"),
        (counted(2, "entry", "entries"), "2 entries"),
    ],
)
def test_one_is_not_many(found: str, expected: str) -> None:
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("caf\u00e9 \\ 100%", "caf\u00e9 \\ 100%", id="plain"),
        pytest.param("\x1b[2Ja\x07", "\\x1b[2Ja\\x07", id="terminal"),
        pytest.param("a\u202eb", "a\\u202eb", id="turned-around"),
        pytest.param("a\nb\x85\u2028", "a\\nb\\x85\\u2028", id="lines"),
        pytest.param("\U000e0041\udc80", "\\U000e0041\\udc80", id="wide-and-broken"),
    ],
)
def test_nothing_reaches_a_terminal_that_it_would_obey(text: str, expected: str) -> None:
    assert printable(text) == expected


SENTENCES = [
    pytest.param(
        events.agent_started("0.1.0", policy(), "dry-run"),
        "agent.started      abuse-agent 0.1.0, dry-run: nothing will be banned; rules: 1, "
        "every 5s, firewall dry-run",
        id="started",
    ),
    pytest.param(
        ban_events.ban_event("ban.would_apply", ban(), "dry-run"),
        "ban.would_apply    192.0.2.10 would be banned from web for 10m: web-connections: too many",
        id="ban",
    ),
    pytest.param(
        ban_events.ban_event("ban.failed", ban(), "dry-run", "set is full"),
        "ban.failed         192.0.2.10 could NOT be banned from web for 10m: "
        "web-connections: too many: set is full",
        id="failed",
    ),
    pytest.param(
        next(sources_changed(decide(inputs({"192.0.2.1": 90}), policy()))),
        "source.over_limit  192.0.2.1: 90 connections to web, limit 100 (web-connections): "
        "near the limit",
        id="warned",
    ),
    pytest.param(
        next(
            sources_changed(
                decide(inputs({"192.0.2.1": 101}, surroundings=guards("192.0.2.1/32")), policy())
            )
        ),
        "source.exempt      192.0.2.1: 101 connections to web, limit 100 (web-connections): "
        "spared: resolver (/etc/resolv.conf)",
        id="guarded",
    ),
    pytest.param(
        next(
            sources_changed(
                decide(
                    inputs({"192.0.2.1": 101}),
                    policy(allowlist=(entry("office", "192.0.2.1/32"),)),
                )
            )
        ),
        "source.exempt      192.0.2.1: 101 connections to web, limit 100 (web-connections): "
        "spared: on the allowlist as office, policy.yaml:9",
        id="allowlisted",
    ),
    pytest.param(
        events.cycle_completed(
            sample(tally({"192.0.2.1": 2})), 1, {"sample_ms": 1.0, "cycle_ms": 2.4}, 0
        ),
        "cycle.completed    2 sockets (ESTABLISHED 2), 1 source, 0 bans taken as in force, 2 ms",
        id="cycle",
    ),
    pytest.param(
        events.cycle_failed("observe", "no answer"),
        "cycle.failed       in observe: no answer; the next one comes",
        id="failed-cycle",
    ),
    pytest.param(
        events.agent_stopped("0.1.0", policy(), "dry-run", "SIGTERM"),
        "agent.stopped      SIGTERM",
        id="stopped",
    ),
    pytest.param(
        events.policy_loaded(policy()),
        "policy.loaded      policy 000000000000 from policy.yaml",
        id="loaded",
    ),
    pytest.param(
        events.policy_rejected(
            ["p.yaml"],
            policy(),
            [Fault(file="p.yaml", line=3, column=7, path="every", problem="a unit is missing")],
        ),
        "policy.rejected    the old policy stays in force: p.yaml:3:7: every: a unit is missing",
        id="rejected",
    ),
    pytest.param(
        events.cycle_missed(7.25),
        "cycle.missed       this cycle began 7s250ms late",
        id="missed",
    ),
    pytest.param(
        next(events.guard_changed(guards("192.0.2.1/32"), guards("2001:db8::/64"))),
        "guard.changed      will never ban 2001:db8::/64; no longer guards 192.0.2.1",
        id="guards",
    ),
    pytest.param(
        next(events.guard_changed(Surroundings(), Surroundings(guards=(SESSION,)))),
        "guard.changed      will never ban 192.0.2.1 from ssh",
        id="guards-for-ssh",
    ),
    pytest.param(
        next(
            sources_changed(
                decide(
                    inputs({f"192.0.2.{host}": 101 for host in range(150)}),
                    policy(safety=NO_BREAKER),
                )
            )
        ),
        "sources.summary    near or over a limit: 150 more, 0 no longer; "
        "all that are, by verdict: ban 150",
        id="summary",
    ),
    pytest.param(
        events.cycle_completed(sample(), 0, {"sample_ms": 1.0, "cycle_ms": 2.4}, 1),
        "cycle.completed    0 sockets, 0 sources, 1 ban taken as in force, 2 ms",
        id="cycle-that-saw-nothing",
    ),
    pytest.param(
        ban_events.ban_event("ban.adopted", ban(), "dry-run"),
        "ban.adopted        192.0.2.10 is banned from web already (read from the firewall)",
        id="of-a-live-agent-beside",
    ),
    pytest.param(
        ban_events.sockets_cut(1, 0, 0, None),
        "sockets.cut        1 connection of banned sources closed",
        id="cut",
    ),
    pytest.param(
        ban_events.sockets_cut(20, 3, 1, "sockets are left: no"),
        "sockets.cut        20 connections of banned sources closed, 3 tracked flows removed; "
        "1 is still open: sockets are left: no",
        id="cut-but-not-all",
    ),
    pytest.param(
        ban_events.sockets_cut(2, 0, 0, "flows are left: no"),
        "sockets.cut        2 connections of banned sources closed; not all done: "
        "flows are left: no",
        id="cut-but-not-the-flows",
    ),
    pytest.param(
        events.firewall_moved("nftables", ("iptables: aa4-host", "iptables: aa6-host")),
        "firewall.moved     bans are kept in nftables now; what an earlier run had left "
        "elsewhere is removed: iptables: aa4-host, iptables: aa6-host",
        id="moved",
    ),
    pytest.param(
        Event("identify.troubled", {"reason": "no name server answers (192.0.2.53)"}),
        "identify.troubled  not everybody can be identified: no name server answers (192.0.2.53)",
        id="troubled",
    ),
    pytest.param(
        Event("identify.recovered", {}),
        "identify.recovered everybody can be identified again",
        id="untroubled",
    ),
    pytest.param(
        Event("tape.written", {"service": "web"}),
        "tape.written       service web",
        id="without-a-sentence-of-its-own",
    ),
]


@pytest.mark.parametrize(("event", "expected"), SENTENCES)
def test_an_event_reads_as_a_sentence(event: Event, expected: str) -> None:
    assert sentence(event) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(
            ban_events.ban_event("ban.applied", ban(answer=Answer.THROTTLE), "nftables"),
            "192.0.2.10 would be slowed down at web for 10m: web-connections: too many",
            id="throttled",
        ),
        pytest.param(
            ban_events.ban_event("ban.applied", ban(scope=Scope.HOST), "nftables"),
            "192.0.2.10 would be banned from this host for 10m: web-connections: too many",
            id="from-the-host",
        ),
        pytest.param(
            ban_events.ban_event("ban.expired", ban(), "nftables"),
            "192.0.2.10 would no longer be banned from web: its time is over; it was for "
            "web-connections: too many",
            id="expired",
        ),
        pytest.param(
            ban_events.ban_lifted(Lift(held=held(ban()), reason="exempt"), ban(), "nftables", NOW),
            "192.0.2.10 would no longer be banned from web: exempt",
            id="lifted",
        ),
    ],
)
def test_a_ban_says_what_of_whom(event: Event, expected: str) -> None:
    assert sentence(event).split(maxsplit=1)[1] == expected


def test_every_verdict_has_words() -> None:
    verdict = decide(inputs({"192.0.2.1": 101}), policy()).verdicts[0]
    verdict = replace(verdict, entry=entry("office"))
    for finding in set(Finding) - {Finding.EXEMPT}:
        told = Decision(began=(replace(verdict, finding=finding),))
        (event,) = sources_changed(told)

        assert finding.value not in {"ban", "throttle"} or "long enough" in sentence(event)
        assert len(sentence(event).rpartition(": ")[2]) > len("held")


def test_a_live_ban_is_told_as_what_it_is() -> None:
    stream = io.StringIO()
    event = ban_events.ban_event("ban.applied", ban(), "nftables")
    Audit(stream, "live", form=Format.TEXT).write(event, NOW, 1)

    assert "192.0.2.10 is banned from web for 10m" in stream.getvalue()


def test_patience_is_explained() -> None:
    by = policy(allowlist=(entry("office", "192.0.2.1/32", patience=10),))
    (event,) = sources_changed(decide(inputs({"192.0.2.1": 1001}), by))

    assert "limit 1000 (web-connections, 10x by office, policy.yaml:9)" in sentence(event)


def test_a_pending_source_names_what_it_may_be() -> None:
    by = policy(allowlist=(entry("googlebot", names=("googlebot.com",)),))
    (event,) = sources_changed(decide(inputs({"192.0.2.1": 1001}), by))

    assert "it may be googlebot, policy.yaml:9, and that is not known" in sentence(event)


def test_what_a_source_may_be_gives_it_no_patience_yet() -> None:
    by = policy(allowlist=(entry("googlebot", names=("googlebot.com",)),))
    (event,) = sources_changed(decide(inputs({"192.0.2.1": 90}), by))

    assert "limit 100 (web-connections): near the limit" in sentence(event)
    assert "allowlist" not in event.fields
