from datetime import timedelta

import pytest

from agent.decide import proof
from agent.decide.proof import Proven
from agent.model.address import HOST
from agent.model.sample import State
from tests.builders import NET24, NOW, tally

KEY = bytes([192, 0, 2, 1])


def test_an_established_source_is_remembered_for_an_hour() -> None:
    proven = Proven().after(tally({"192.0.2.1": 1}), NOW)

    assert KEY in proven.after({}, NOW + timedelta(minutes=60)).keys(HOST)
    assert KEY not in proven.after({}, NOW + timedelta(minutes=61)).keys(HOST)


def test_a_half_open_connection_proves_nothing() -> None:
    assert not Proven().after(tally({"192.0.2.1": 9}, state=State.SYN_RECV), NOW).keys(HOST)


def test_a_wide_source_is_proven_by_any_of_its_members() -> None:
    proven = Proven().after(tally({"192.0.2.77": 1}), NOW)

    assert proven.keys(NET24) == {bytes([192, 0, 2, 0])}


def test_the_families_are_kept_apart() -> None:
    proven = Proven().after(tally({"32.1.13.184": 1}), NOW)

    assert proven.keys(HOST) == {bytes([32, 1, 13, 184])}


def test_the_memory_is_bounded_and_keeps_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "REMEMBERED_AT_MOST", 2)
    proven = Proven()
    for minute in range(5):
        proven = proven.after(tally({f"192.0.2.{minute}": 1}), NOW + timedelta(minutes=minute))

    assert proven.keys(HOST) == {bytes([192, 0, 2, 3]), bytes([192, 0, 2, 4])}
