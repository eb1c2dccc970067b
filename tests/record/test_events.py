import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from agent.model.inputs import Guard, Surroundings
from agent.model.plan import Decision, Lift
from agent.model.policy import Scope
from agent.record import ban_events, events
from agent.record.events import Level
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
    sources_changed,
)

CONTRACT = {
    "ban_id",
    "answer",
    "source",
    "rule",
    "measure",
    "count",
    "limit",
    "service",
    "scope",
    "for_s",
    "until",
    "firewall",
    "policy_sha256",
    "reasons",
}


def told(decision: Decision) -> list[events.Event]:
    return list(sources_changed(decision))


def test_a_ban_carries_the_fields_of_the_contract() -> None:
    event = ban_events.ban_event("ban.would_apply", ban(), "dry-run")

    assert set(event.fields) == CONTRACT
    assert event.fields["for_s"] == 600
    assert event.fields["until"] == "2026-11-20T03:10:00.000000Z"


def test_a_failed_ban_says_why() -> None:
    event = ban_events.ban_event("ban.failed", ban(), "nftables", "set is full")

    assert (event.fields["error"], event.level) == ("set is full", Level.ERROR)


def test_a_ban_that_only_the_firewall_knows_carries_the_same_fields() -> None:
    lift = Lift(held=held(ban(), mark=None, left=None), reason="foreign")
    event = ban_events.ban_lifted(lift, None, "dry-run", NOW)

    assert set(event.fields) == CONTRACT
    assert (event.fields["reasons"], event.fields["until"]) == (["foreign"], None)


def test_a_lifted_ban_keeps_its_evidence_and_says_why_it_ended() -> None:
    event = ban_events.ban_lifted(Lift(held=held(ban()), reason="exempt"), ban(), "dry-run", NOW)

    assert (event.fields["count"], event.fields["reasons"]) == (101, ["exempt"])


def test_a_ban_of_a_host_still_tells_the_service_of_its_evidence() -> None:
    fields = ban_events.ban_event("ban.applied", ban(scope=Scope.HOST), "nftables").fields

    assert (fields["scope"], fields["service"]) == ("host", "web")


def test_an_exempt_source_names_the_entry_and_where_it_stands() -> None:
    by = policy(allowlist=(entry("monitoring", "192.0.2.0/24"),))
    (event,) = told(decide(inputs({"192.0.2.1": 101}), by))

    assert event.name == "source.exempt"
    assert event.fields["allowlist"] == "monitoring"
    assert event.fields["declared_at"] == "policy.yaml:9"
    assert event.fields["verdict"] == "exempt"


def test_a_guarded_source_names_the_guard() -> None:
    given = inputs({"192.0.2.1": 101}, surroundings=guards("192.0.2.1/32"))
    (event,) = told(decide(given, policy()))

    assert event.fields["guard"] == "resolver (/etc/resolv.conf)"
    assert "allowlist" not in event.fields


def test_a_source_over_the_limit_carries_count_and_limit() -> None:
    (event,) = told(decide(inputs({"192.0.2.1": 101}), policy()))

    assert event.fields == {
        "source": "192.0.2.1",
        "rule": "web-connections",
        "measure": "connections",
        "count": 101,
        "limit": 100,
        "service": "web",
        "verdict": "ban",
    }


@pytest.mark.parametrize(
    ("sources", "lines"),
    [pytest.param(100, 100, id="a-hundred"), pytest.param(101, 1, id="one-more")],
)
def test_above_a_hundred_sources_a_summary_replaces_the_lines(sources: int, lines: int) -> None:
    counts = {f"192.0.2.{host}": 101 for host in range(sources)}

    assert len(told(decide(inputs(counts), policy()))) == lines


def test_the_summary_counts_by_verdict() -> None:
    counts = {f"192.0.2.{host}": 101 - host % 2 for host in range(200)}
    (event,) = told(decide(inputs(counts), policy(safety=NO_BREAKER)))

    assert event.name == "sources.summary"
    assert event.fields["verdicts"] == {"ban": 100, "warned": 100}


def test_guards_are_told_when_they_change_and_not_otherwise() -> None:
    old, new = guards("192.0.2.1/32", "192.0.2.2/32"), guards("192.0.2.2/32", "2001:db8::/64")
    session = Guard(prefix=prefix("198.51.100.1"), why="session", only_ssh=True)
    new = replace(new, guards=(*new.guards, session))
    (event,) = events.guard_changed(old, new)

    assert json.loads(json.dumps(event.fields)) == {
        "added": [
            {"prefix": "2001:db8::/64", "why": "resolver (/etc/resolv.conf)", "services": None},
            {"prefix": "198.51.100.1", "why": "session", "services": ["ssh"]},
        ],
        "removed": [
            {"prefix": "192.0.2.1", "why": "resolver (/etc/resolv.conf)", "services": None}
        ],
    }
    assert list(events.guard_changed(old, old)) == []
    assert list(events.guard_changed(Surroundings(), Surroundings())) == []


def test_moments_are_written_in_utc() -> None:
    moment = datetime(2026, 11, 20, 4, 0, tzinfo=timezone(timedelta(hours=1)))

    assert events.rfc3339(moment) == "2026-11-20T03:00:00.000000Z"
