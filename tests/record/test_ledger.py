from datetime import timedelta

import pytest

from agent.model.ban import Ban
from agent.model.inputs import PastBan
from agent.record import ledger
from agent.record.ledger import MemoryLedger
from tests.builders import NOW, ban


def applied(*bans: Ban) -> MemoryLedger:
    memory = MemoryLedger()
    for one in bans:
        memory.intend(one)
        memory.settle(one, applied=True)
    return memory


def test_an_applied_ban_is_in_force_and_in_the_history() -> None:
    memory = applied(ban())

    assert memory.in_force() == (ban(),)
    assert memory.history() == {ban().source: (PastBan(began=NOW, ended=ban().until),)}


def test_a_ban_that_did_not_hold_leaves_no_trace() -> None:
    memory = MemoryLedger()
    memory.intend(ban())
    memory.settle(ban(), applied=False)

    assert (memory.in_force(), dict(memory.history())) == ((), {})


def test_an_intention_is_not_in_force() -> None:
    memory = MemoryLedger()
    memory.intend(ban())

    assert memory.in_force() == ()


def test_a_lifted_ban_ended_when_it_was_lifted() -> None:
    memory = applied(ban())
    memory.end(ban(), NOW + timedelta(minutes=1))

    assert memory.in_force() == ()
    assert memory.history()[ban().source][0].ended == NOW + timedelta(minutes=1)


def test_ending_twice_changes_nothing() -> None:
    memory = applied(ban())
    memory.end(ban(), NOW + timedelta(minutes=1))
    memory.end(ban(), NOW + timedelta(seconds=1))

    assert memory.history()[ban().source][0].ended == NOW + timedelta(minutes=1)


def test_the_history_given_does_not_change_afterwards() -> None:
    memory = applied(ban())
    before = memory.history()
    memory.settle(ban("192.0.2.11/32", ban_id="b2"), applied=True)

    assert len(before) == 1


def test_the_memory_is_bounded_by_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "REMEMBERED_SOURCES", 2)

    memory = applied(*(ban(f"192.0.2.{host}/32", ban_id=f"b{host}") for host in range(5)))

    assert [str(source) for source in memory.history()] == ["192.0.2.3", "192.0.2.4"]


def test_the_memory_is_bounded_by_bans_of_one_source() -> None:
    memory = applied(*(ban(ban_id=f"b{number}") for number in range(100)))

    assert len(memory.history()[ban().source]) == ledger.REMEMBERED_BANS
