from datetime import timedelta
from ipaddress import ip_address

import pytest

from agent.decide import Memory, step
from agent.decide import ask as module
from agent.decide.ask import ASKED_AT_ONCE, REMEMBERED_FOR, Asked
from agent.model.inputs import Identities
from agent.model.sample import State
from tests.builders import (
    NOW,
    WEB,
    banned,
    entry,
    found,
    half_open,
    inputs,
    policy,
    rule,
    sample,
    tally,
)

CRAWLER = ip_address("192.0.2.1")
OTHER = ip_address("192.0.2.2")
NAMES = entry("crawler", names=("googlebot.com",))
SECOND = timedelta(seconds=1)


def test_an_answer_is_waited_for_as_long_as_it_may_take() -> None:
    asked = Asked().after([CRAWLER], 1)

    worn = [cycle for cycle in range(1, 9) if asked.is_worn(CRAWLER, cycle, SECOND)]

    assert worn == [5, 6, 7, 8]  # 1 is the first, and 2.5 s are three more


def test_who_was_never_asked_about_is_waited_for() -> None:
    assert not Asked().is_worn(CRAWLER, 100, SECOND)


def test_going_below_half_for_a_while_does_not_begin_anew() -> None:
    asked = Asked().after([CRAWLER], 1)
    for cycle in range(2, REMEMBERED_FOR):
        asked = asked.after([], cycle)

    assert asked.after([CRAWLER], REMEMBERED_FOR).is_worn(CRAWLER, REMEMBERED_FOR, SECOND)
    assert not asked.after([], REMEMBERED_FOR + 2).cycles


def test_who_comes_when_too_many_are_asked_about_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_AT_MOST", 1)
    asked = Asked().after([CRAWLER, OTHER], 1)

    assert set(asked.cycles) == {CRAWLER}
    assert asked.is_worn(OTHER, 1, SECOND)
    assert not asked.is_worn(CRAWLER, 1, SECOND)


@pytest.mark.parametrize(
    ("count", "expected"),
    [pytest.param(50, (), id="at-half"), pytest.param(51, (CRAWLER,), id="above-half")],
)
def test_a_source_is_asked_about_above_half_of_its_limit(
    count: int, expected: tuple[object, ...]
) -> None:
    _, decision = step(Memory(), inputs({"192.0.2.1": count}), policy(allowlist=(NAMES,)), NOW)

    assert decision.questions == expected
    assert decision.verdicts == ()


def test_where_no_name_matters_nobody_is_asked_about() -> None:
    assert step(Memory(), inputs({"192.0.2.1": 300}), policy(), NOW)[1].questions == ()


def test_the_heaviest_are_asked_about_first() -> None:
    counts = {"192.0.2.1": 60, "192.0.2.2": 70, "192.0.2.3": 40}
    _, decision = step(Memory(), inputs(counts), policy(allowlist=(NAMES,)), NOW)

    assert [str(one) for one in decision.questions] == ["192.0.2.2", "192.0.2.1"]


def test_nobody_is_asked_about_whose_packets_may_be_forged() -> None:
    by = policy(half_open(), rule(), allowlist=(NAMES,))
    seen = sample(tally({"192.0.2.1": 500}, state=State.SYN_RECV))

    assert step(Memory(), inputs(seen), by, NOW)[1].questions == ()


def test_without_an_answer_a_source_is_judged_as_nobody() -> None:
    by = policy(rule(service=WEB), allowlist=(NAMES,))
    memory, seen = Memory(), []
    for cycle in range(4):
        memory, decision = step(memory, inputs({"192.0.2.1": 300}), by, NOW + cycle * by.every)
        seen.append(found(decision)["192.0.2.1"])
        assert decision.questions == (CRAWLER,)  # an answer that comes late still counts

    assert seen == ["pending", "pending", "ban", "ban"]


def test_an_answer_ends_the_wait() -> None:
    by = policy(allowlist=(NAMES,))
    memory, _ = step(Memory(), inputs({"192.0.2.1": 300}), by, NOW)
    nobody = Identities(answered=frozenset({CRAWLER}))

    _, decision = step(memory, inputs({"192.0.2.1": 300}, identities=nobody), by, NOW)

    assert found(decision) == {"192.0.2.1": "ban"}


def test_a_line_with_fresh_addresses_in_each_cycle_is_not_waited_for_again() -> None:
    """An IPv6 line has as many as it likes, and each has a reverse zone of its owner's."""
    by, memory, seen, bans = policy(allowlist=(NAMES,)), Memory(), [], []
    for cycle in range(4):
        fresh = {f"2001:db8::{cycle}:{host:x}": 1 for host in range(120)}
        memory, decision = step(memory, inputs(fresh), by, NOW + cycle * by.every)
        seen.append(found(decision)["2001:db8::/64"])
        bans += banned(decision)

    assert seen == ["pending", "pending", "ban", "ban"]
    assert set(bans) == {"2001:db8::/64"}


def test_a_fresh_address_does_not_split_the_ban_of_a_line_for_ever() -> None:
    """Else each of its addresses would take a place among the bans."""
    by, memory, bans = policy(allowlist=(NAMES,)), Memory(), []
    for cycle in range(4):
        waves = range(cycle, cycle + 4)
        fresh = {f"2001:db8::{wave}:{host:x}": 1 for wave in waves for host in range(120)}
        memory, decision = step(memory, inputs(fresh), by, NOW + cycle * by.every)
        bans.append(banned(decision))

    assert bans[2:] == [["2001:db8::/64"]] * 2


def test_a_line_with_very_many_addresses_keeps_nobody_from_being_asked_about() -> None:
    counts = {f"2001:db8::{host:x}": 1 for host in range(1000)} | {"2001:db8::ffff": 2}
    memory, decision = step(
        Memory(), inputs(counts | {"192.0.2.1": 60}), policy(allowlist=(NAMES,)), NOW
    )

    assert len(decision.questions) == ASKED_AT_ONCE + 1
    assert decision.questions[0] == ip_address("2001:db8::ffff")
    assert CRAWLER in decision.questions
    assert len(memory.asked.cycles) <= len(decision.questions) + 1
