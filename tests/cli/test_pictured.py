"""One moment as text and as JSON."""

import json
from datetime import timedelta
from typing import Any

import pytest

from agent.cli.pictured import fields_of, lines_of, percent
from agent.desk.top.values import Nearness, Order, Picture, Row, View
from agent.model.sample import State
from agent.record.locks import Agent
from tests.builders import NOW, ban, prefix, source, throttle

AGENT = Agent(
    pid=7,
    version="0.1.0",
    firewall="nftables",
    started=NOW,
    every_s=5.0,
    cycled=NOW - timedelta(seconds=3),
)
BUSY = Row(
    source=source("192.0.2.10/32"),
    sockets=90,
    states={State.ESTABLISHED: 80, State.TIME_WAIT: 10},
    services={"web": 90},
    who="office, 10x",
    nearest=Nearness(rule="web-connections", judged=source("192.0.2.10/32"), count=80, limit=1000),
    ban=ban(),
)
WIDE = Row(
    source=source("2001:db8:1:2::/64"),
    sockets=7,
    states={State.SYN_RECV: 7},
    services={"port 8443": 7},
    nearest=Nearness(
        rule="crowd", judged=source("2001:db8:1::/48"), count=9, limit=6, is_watched_only=True
    ),
)
SPARED = Row(
    source=source("192.0.2.9/32"),
    sockets=1,
    states={State.ESTABLISHED: 1},
    services={"ssh": 1},
    who="gateway",
    is_spared=True,
)


def picture(**changes: Any) -> Picture:
    usual: dict[str, Any] = {
        "now": NOW,
        "sockets": 99,
        "states": {State.ESTABLISHED: 81, State.LISTEN: 1, State.SYN_RECV: 7, State.TIME_WAIT: 10},
        "sources": 3,
        "matching": 3,
        "rows": (BUSY, WIDE, SPARED),
        "bans": (ban(),),
        "agent": AGENT,
        "services": ("web", "ssh"),
    }
    return Picture(**(usual | changes))


def text(columns: int = 80, view: View | None = None, **changes: Any) -> list[str]:
    return list(lines_of(picture(**changes), view or View(), columns))


def test_eighty_columns_hold_who_is_there_and_who_is_kept_out() -> None:
    assert text() == [
        "at       2026-11-20 03:00:00 UTC",
        "sockets  99: ESTABLISHED 81, TIME_WAIT 10, SYN_RECV 7, LISTEN 1",
        "agent    0.1.0, pid 7, firewall nftables, cycle 3s ago, one every 5s",
        "",
        "3 sources, by sockets",
        "SOURCE             SOCKETS   LIMIT  OF RULE     BAN       SERVICES    WHO",
        "192.0.2.10              90      8%  web-conn..  drop 10m  web 90      office, ..",
        "2001:db8:1:2::/64        7    150%  crowd of..  -         port 844..  -",
        "192.0.2.9                1  spared  -           -         ssh 1       gateway",
        "",
        "1 ban in force",
        "SOURCE      KEPT FROM  LEFT  WHY",
        "192.0.2.10  drop web   10m   web-connections: too many",
    ]


def test_a_wide_terminal_holds_more() -> None:
    head, busy, wide, _ = text(160)[5:9]
    assert head.endswith("WHO          STATES")
    assert busy.endswith("office, 10x  ESTABLISHED 80, TIME_WAIT 10")
    assert "150%  crowd of 2001:db8:1::/48, watched  -" in wide


def test_what_is_not_there_takes_no_room() -> None:
    head, row = text(rows=(SPARED,), matching=1, sources=1)[5:7]
    assert head == "SOURCE     SOCKETS   LIMIT  SERVICES  WHO"
    assert row == "192.0.2.9        1  spared  ssh 1     gateway"
    assert text(rows=(), matching=0, sources=0)[4:6] == ["0 sources, by sockets", ""]


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(order=Order.LIMIT), "3 sources, nearest to a limit first"),
        (
            View(
                states=frozenset({State.SYN_RECV, State.ESTABLISHED}),
                service="web",
                prefix=prefix("192.0.2.0/24"),
                order=Order.ADDRESS,
            ),
            "3 sources in 192.0.2.0/24 with sockets in ESTABLISHED or SYN_RECV to web, by address",
        ),
    ],
)
def test_what_was_asked_for_is_said(view: View, expected: str) -> None:
    assert " ".join(" ".join(text(view=view)).split()).count(expected) == 1


def test_that_only_the_first_are_shown_is_said() -> None:
    lines = text(view=View(most=1), rows=(BUSY,), bans=(ban(), throttle()), sources=9)
    assert "3 sources of 9, the first 1, by sockets" in lines
    assert "2 bans in force, the first 1" in lines
    assert not any(line.startswith("192.0.2.10  throttle") for line in lines)


def test_what_could_not_be_read_is_told_in_lines_that_fit() -> None:
    why = "this user may not look into /var/lib/abuse-agent: run it as root, please, if you can"
    lines = text(agent=None, bans=None, unread={"state": f"{why}\x1b[2J"})
    assert "agent    whether one runs can't be told" in lines
    assert "bans can't be told" in lines
    assert "unread   state: this user may not look into" in "\n".join(lines)
    assert "\x1b" not in "".join(lines)
    assert all(len(line) <= 80 for line in lines)
    assert "agent    pid 7; the rest of it can't be told" in text(agent=Agent(pid=7))
    assert "no agent is running" in " ".join(text(agent=None))


def test_one_reason_for_several_things_is_told_once() -> None:
    lines = text(unread={"state": "another agent", "policy": "another agent", "sockets": "no"})
    assert [line for line in lines if line.startswith("unread")] == [
        "unread   policy and state: another agent",
        "unread   sockets: no",
    ]


def test_a_terminal_of_hardly_any_columns_is_written_beyond() -> None:
    assert text(columns=1) == text(columns=40)


@pytest.mark.parametrize(
    ("count", "limit", "expected"),
    [(0, 300, "0%"), (299, 300, "99%"), (300, 300, "100%"), (301, 300, "101%"), (9, 3, "300%")],
)
def test_a_hundred_percent_is_at_the_limit_and_nothing_else(
    count: int, limit: int, expected: str
) -> None:
    near = Nearness(rule="web", judged=source("192.0.2.1/32"), count=count, limit=limit)
    assert percent(near) == expected


def test_json_has_everything_under_stable_keys() -> None:
    told = json.loads(json.dumps(fields_of(picture(), View(states=frozenset({State.SYN_RECV})))))

    assert list(told) == [
        *("at", "view", "sockets", "states", "sources", "matching"),
        *("rows", "bans", "agent", "services", "unread"),
    ]
    assert told["view"] == {
        "sort": "sockets",
        "states": ["SYN_RECV"],
        "service": None,
        "prefix": None,
        "most": 100,
    }
    busy, wide, spared = told["rows"]
    assert busy["states"] == {"ESTABLISHED": 80, "TIME_WAIT": 10}
    assert busy["ban"] == told["bans"][0]
    assert busy["ban"]["left_s"] == 600
    assert wide["nearest"] == {
        "rule": "crowd",
        "judged": "2001:db8:1::/48",
        "count": 9,
        "limit": 6,
        "share": 1.5,
        "is_watched_only": True,
    }
    assert (spared["nearest"], spared["is_spared"], spared["who"]) == (None, True, "gateway")
    assert told["agent"]["pid"] == 7

    blind = fields_of(picture(bans=None, agent=None, unread={"state": "why"}), View())
    assert (blind["bans"], blind["agent"], blind["unread"]) == (None, None, {"state": "why"})
