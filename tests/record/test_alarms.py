"""Alarms as events, and as sentences."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.model.alarm import Alarm, BehindProxy, Breaker, Flood, Slow
from agent.record.alarm_events import alarm_event
from agent.record.audit import Audit, Format
from agent.record.events import Level
from tests.builders import NOW

FLOOD = Flood(
    service="web",
    half_open=129,
    sources=120,
    networks=30,
    heaviest=2,
    counters={"SyncookiesSent": 2871},
    lasted=timedelta(seconds=15),
    advice=("forged", "sysctl"),
)
SLOW = Slow(
    service="web",
    waiting=129,
    backlog=128,
    counters={"ListenOverflows": 7},
    lasted=timedelta(seconds=15),
    advice=("no flood",),
)
BREAKER = Breaker(is_open=True, reason="too many would go", candidates=30, known_clients=100)
PROXY = BehindProxy(
    vendor="cloudflare", connections=90, total=100, sources=12, advice=("trust it",)
)


def sentence(alarm: Alarm) -> str:
    stream = io.StringIO()
    Audit(stream, "live", form=Format.TEXT, level=Level.DEBUG).write(alarm_event(alarm), NOW, 1)
    return stream.getvalue().rstrip("\n").split("  ", 1)[1]


@pytest.mark.parametrize(
    ("alarm", "name", "level"),
    [
        pytest.param(FLOOD, "flood.suspected", Level.WARNING, id="flood"),
        pytest.param(
            replace(FLOOD, is_over=True), "flood.ended", Level.INFO, id="flood-that-is-over"
        ),
        pytest.param(SLOW, "backlog.full", Level.WARNING, id="slow"),
        pytest.param(
            replace(SLOW, is_over=True), "backlog.drained", Level.INFO, id="slow-that-is-over"
        ),
        pytest.param(BREAKER, "breaker.opened", Level.ERROR, id="breaker"),
        pytest.param(
            replace(BREAKER, is_open=False), "breaker.closed", Level.INFO, id="closed-breaker"
        ),
        pytest.param(PROXY, "proxy.suspected", Level.WARNING, id="proxy"),
    ],
)
def test_an_alarm_is_an_event_by_the_contract(alarm: Alarm, name: str, level: Level) -> None:
    event = alarm_event(alarm)

    assert (event.name, event.level) == (name, level)
    assert event.fields


def test_a_flood_carries_its_figures() -> None:
    assert alarm_event(FLOOD).fields == {
        "service": "web",
        "half_open": 129,
        "sources": 120,
        "networks": 30,
        "heaviest": 2,
        "counters": {"SyncookiesSent": 2871},
        "lasted_s": 15.0,
        "advice": ("forged", "sysctl"),
    }


def test_a_flood_that_nothing_places_has_no_service() -> None:
    assert alarm_event(replace(FLOOD, service="")).fields["service"] is None


def test_a_slow_application_carries_its_figures() -> None:
    assert alarm_event(SLOW).fields == {
        "service": "web",
        "waiting": 129,
        "backlog": 128,
        "counters": {"ListenOverflows": 7},
        "lasted_s": 15.0,
        "advice": ("no flood",),
    }


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        pytest.param(
            FLOOD,
            "flood.suspected    SYNs press at web: 129 half-open connections of 120 sources in "
            "30 networks, 2 of the heaviest; SyncookiesSent +2871; forged; sysctl",
            id="flood",
        ),
        pytest.param(
            replace(FLOOD, service="", half_open=0, sources=0, networks=0, heaviest=0, counters={}),
            "flood.suspected    SYNs press at some service: 0 half-open connections of 0 sources "
            "in 0 networks, 0 of the heaviest; forged; sysctl",
            id="flood-somewhere",
        ),
        pytest.param(
            replace(FLOOD, is_over=True, advice=()),
            "flood.ended        SYNs press at web no longer; it was for 15s, at worst: 129 "
            "half-open connections of 120 sources in 30 networks, 2 of the heaviest; "
            "SyncookiesSent +2871",
            id="flood-that-is-over",
        ),
        pytest.param(
            SLOW,
            "backlog.full       the kernel drops connections to web: 129 connections wait to be "
            "accepted, the backlog is 128; ListenOverflows +7; no flood",
            id="slow",
        ),
        pytest.param(
            replace(SLOW, is_over=True, advice=()),
            "backlog.drained    web accepts again; for 15s it had not, at worst: 129 connections "
            "wait to be accepted, the backlog is 128; ListenOverflows +7",
            id="slow-that-is-over",
        ),
        pytest.param(
            BREAKER,
            "breaker.opened     too many would go: as long as that is so, only sources above three "
            "times their limit are banned; is a limit too low?",
            id="breaker",
        ),
        pytest.param(
            replace(BREAKER, is_open=False, reason="few would go"),
            "breaker.closed     few would go (30 of 100 known clients)",
            id="closed-breaker",
        ),
        pytest.param(
            PROXY,
            "proxy.suspected    90 of 100 connections come from cloudflare, 12 addresses, and "
            "have for long; trust it",
            id="proxy",
        ),
    ],
)
def test_an_alarm_reads_as_a_sentence(alarm: Alarm, expected: str) -> None:
    assert sentence(alarm) == expected
