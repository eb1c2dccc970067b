"""What the caps leave of many bans at once, by whole judgements."""

from dataclasses import replace
from typing import Any

from agent.model.ban import Installed
from agent.model.policy import Safety
from tests.builders import NO_BREAKER, ban, banned, decide, found, held, inputs, policy

LIGHT = {f"198.18.{net}.1": 101 for net in range(60)}
HEAVY = {f"203.0.{net}.1": 301 for net in range(20)}


def safety(**changes: Any) -> Safety:
    return replace(NO_BREAKER, **changes)


def full(bans: int) -> Installed:
    return Installed(bans=tuple(held(ban(f"192.0.{net}.1/32")) for net in range(bans)))


def test_light_sources_leave_the_last_tenth() -> None:
    decision = decide(inputs(LIGHT), policy(safety=safety(max_bans=50)))

    assert len(banned(decision)) == 45
    assert list(found(decision).values()).count("deferred") == 15


def test_heavy_ones_find_room_where_light_ones_do_not() -> None:
    given = inputs(LIGHT | HEAVY, installed=full(45))

    added = banned(decide(given, policy(safety=safety(max_bans=50))))

    assert len(added) == 5
    assert set(added) <= HEAVY.keys()


def test_what_is_exactly_three_times_the_limit_is_light() -> None:
    given = inputs({"203.0.0.1": 300}, installed=full(45))

    assert banned(decide(given, policy(safety=safety(max_bans=50)))) == []


def test_nobody_finds_room_where_there_is_none() -> None:
    given = inputs(HEAVY, installed=full(50))

    assert banned(decide(given, policy(safety=safety(max_bans=50)))) == []


def test_the_heaviest_come_first_where_a_cycle_has_had_enough() -> None:
    by = policy(safety=safety(new_bans_per_cycle=20))

    assert set(banned(decide(inputs(LIGHT | HEAVY), by))) == HEAVY.keys()
