"""What every ledger does, in memory and in a file; in the file also after it was opened anew."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.model.ban import Ban
from agent.model.inputs import PastBan, Permit
from agent.record import ledger
from agent.record.ledger import End, Ledger, MemoryLedger, News
from agent.record.sqlite.ledger import open_ledger
from tests.builders import NOW, ban, prefix, source, throttle

MINUTE = timedelta(minutes=1)
Again = Callable[[Ledger], Ledger]


@pytest.fixture(params=["memory", "file", "file opened anew"])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Again:
    """Give the ledger as a later process sees it; the same one where there is none."""

    def same(one: Ledger) -> Ledger:
        return one

    def anew(one: Ledger) -> Ledger:
        one.close()  # type: ignore[attr-defined]  # only this one is given files
        return open_ledger(tmp_path, boot_id="a", stopwatch=lambda: 1000.0, now=NOW)

    return anew if request.param == "file opened anew" else same


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    if request.node.callspec.params["again"] == "memory":
        return MemoryLedger()
    return open_ledger(tmp_path, boot_id="a", stopwatch=lambda: 1000.0, now=NOW)


def apply(memory: Ledger, *bans: Ban) -> None:
    memory.intend(bans)
    memory.settle(bans, ())


def test_an_applied_ban_is_in_force_and_in_the_history(empty: Ledger, again: Again) -> None:
    apply(empty, ban())
    later = again(empty)

    assert later.in_force() == (ban(),)
    assert later.history() == {ban().source: (PastBan(began=NOW, ended=ban().until),)}
    assert not later.intended()


def test_a_ban_that_did_not_hold_leaves_no_trace(empty: Ledger, again: Again) -> None:
    empty.intend((ban(),))
    empty.settle((), (ban(),))
    later = again(empty)

    assert (later.in_force(), dict(later.history()), dict(later.intended())) == ((), {}, {})
    assert not later.has_ended("b1")


def test_an_intention_is_not_in_force(empty: Ledger, again: Again) -> None:
    empty.intend((ban(),))
    later = again(empty)

    assert later.in_force() == ()
    assert later.intended() == {"b1": ban()}


def test_a_restored_ban_does_not_become_a_second_one(empty: Ledger, again: Again) -> None:
    apply(empty, ban())
    apply(empty, replace(ban(), begins=NOW + MINUTE))
    later = again(empty)

    assert later.in_force() == (ban(),)
    assert len(later.history()[ban().source]) == 1


def test_a_lifted_ban_ended_when_it_was_lifted(empty: Ledger, again: Again) -> None:
    apply(empty, ban())
    empty.end((ban(),), NOW + MINUTE, End.LIFTED)
    later = again(empty)

    assert later.in_force() == ()
    assert later.has_ended("b1")
    assert later.history()[ban().source][0].ended == NOW + MINUTE


def test_ending_twice_changes_nothing(empty: Ledger, again: Again) -> None:
    apply(empty, ban())
    empty.end((ban(),), NOW + MINUTE, End.LIFTED)
    empty.end((ban(),), NOW + timedelta(seconds=1), End.FORGIVEN)

    assert again(empty).history()[ban().source][0].ended == NOW + MINUTE


def test_a_forgiven_ban_does_not_count_for_the_next_one(empty: Ledger, again: Again) -> None:
    apply(empty, ban(), ban(ban_id="b2", scope=ban().scope, service=None))
    empty.end((ban(),), NOW + MINUTE, End.FORGIVEN)
    later = again(empty)

    assert later.history() == {ban().source: (PastBan(began=NOW, ended=ban().until),)}
    assert later.has_ended("b1")


@pytest.mark.parametrize("is_over", [True, False], ids=["over", "in force"])
@pytest.mark.parametrize(
    ("changes", "remembered"),
    [
        pytest.param({"measure": "half_open"}, False, id="half-open"),
        pytest.param({"measure": None}, False, id="found-in-the-firewall"),
        pytest.param({"measure": "of-a-later-version"}, False, id="unknown"),
        pytest.param({"measure": "connections"}, True, id="connections"),
    ],
)
def test_a_throttle_by_what_proves_nothing_makes_no_later_ban_longer(
    empty: Ledger, again: Again, changes: dict[str, Any], remembered: bool, is_over: bool
) -> None:
    one = throttle(**changes)
    apply(empty, one)
    if is_over:
        empty.end([one], NOW, End.EXPIRED)

    assert (one.source in again(empty).history()) is remembered


def test_a_ban_by_hand_counts_for_the_next_one(empty: Ledger, again: Again) -> None:
    apply(empty, ban(rule="manual", measure=None, count=None, limit=None))

    assert ban().source in again(empty).history()


def test_an_intention_that_is_over_counts_for_nothing(empty: Ledger, again: Again) -> None:
    empty.intend((ban(),))
    empty.end((ban(),), NOW, End.EXPIRED)
    later = again(empty)

    assert (dict(later.intended()), dict(later.history())) == ({}, {})
    assert later.has_ended("b1")


def test_what_is_over_stays_over(empty: Ledger, again: Again) -> None:
    apply(empty, ban())
    empty.end((ban(),), NOW + MINUTE, End.LIFTED)
    apply(empty, ban())
    later = again(empty)

    assert (later.in_force(), dict(later.intended())) == ((), {})


def test_bans_in_force_come_in_the_order_in_which_they_were_applied(
    empty: Ledger, again: Again
) -> None:
    bans = [ban(f"192.0.2.{host}/32", ban_id=f"b{host}") for host in (3, 1, 2)]
    empty.intend(bans)
    for one in reversed(bans):
        empty.settle((one,), ())

    assert again(empty).in_force() == tuple(reversed(bans))


def test_the_newer_of_two_permits_counts(empty: Ledger, again: Again) -> None:
    for minutes in (5, 30, 10):
        until = NOW + minutes * MINUTE
        empty.permit(Permit(prefix=prefix("192.0.2.0/24"), until=until, why="by hand"))
    later = again(empty)

    assert [one.until for one in later.permits(NOW)] == [NOW + 10 * MINUTE]
    assert later.permits(NOW + 10 * MINUTE) == ()


def test_several_permits_are_remembered_at_once(empty: Ledger, again: Again) -> None:
    permits = tuple(
        Permit(prefix=prefix(text), until=NOW + MINUTE, why="by hand")
        for text in ("192.0.2.1/32", "192.0.2.2/32")
    )
    empty.permit(*permits)

    assert empty.trouble() is None
    assert again(empty).permits(NOW) == permits


def test_nothing_is_news_to_whoever_did_it(empty: Ledger, again: Again) -> None:
    apply(empty, ban())

    assert again(empty).refresh(NOW) == News()


@pytest.mark.parametrize(
    "one",
    [
        ban("2001:db8::/64", service=None, measure=None, count=None, limit=None, rule="manual"),
        ban("203.0.113.0/24", reasons=()),
        ban(reasons=('a "quote"', "umlaut ü, control \x00\n")),
        ban(lasts=timedelta(days=365), begins=NOW + timedelta(microseconds=1)),
    ],
    ids=["ipv6 by hand", "prefix", "reasons", "long"],
)
def test_every_field_is_kept(empty: Ledger, again: Again, one: Ban) -> None:
    apply(empty, one)

    assert again(empty).in_force() == (one,)


def test_the_memory_is_bounded_by_sources(
    monkeypatch: pytest.MonkeyPatch, empty: Ledger, again: Again
) -> None:
    monkeypatch.setattr(ledger, "REMEMBERED_SOURCES", 2)
    apply(empty, *(ban(f"192.0.2.{host}/32", ban_id=f"b{host}") for host in range(5)))

    assert list(again(empty).history()) == [source("192.0.2.3"), source("192.0.2.4")]


def test_the_memory_is_bounded_by_bans_of_one_source(empty: Ledger, again: Again) -> None:
    apply(empty, *(ban(ban_id=f"b{number}") for number in range(100)))

    assert len(again(empty).history()[ban().source]) == ledger.REMEMBERED_BANS
