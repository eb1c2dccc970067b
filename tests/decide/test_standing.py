"""What a tape tells of earlier moments stands for what the memory would have learned."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from agent.decide import Memory, standing_of, step
from agent.decide.bans.clients import KNOWN_AFTER
from agent.decide.proof import Proven
from agent.model.alarm import Breaker
from agent.model.inputs import Inputs, Queue, Standing
from agent.model.policy import Safety
from agent.model.sample import SOCKETS, State
from tests.builders import NOW, found, half_open, inputs, policy, rule, sample, tally

HERE = {"198.51.100.1": 3, "198.51.100.2": 3, "2001:db8::5": 3}
KEY1, KEY2 = bytes([198, 51, 100, 1]), bytes([198, 51, 100, 2])
LINE = bytes.fromhex("20010db8000000000000000000000000")
SECONDS = int(NOW.timestamp())


def test_what_was_known_of_the_kept_is_told_and_the_others_are_counted() -> None:
    memory = Memory(
        proven=Proven({KEY1: SECONDS // 60, b"away": SECONDS // 60}),
        clients={KEY1: (1, SECONDS), KEY2: (KNOWN_AFTER, SECONDS), LINE: (KNOWN_AFTER, SECONDS)},
    )

    told = standing_of(memory, tally(HERE), frozenset({KEY1}))

    assert told == Standing(proven=frozenset({KEY1}), others=2, others_known=2)
    assert standing_of(memory, tally(HERE), (KEY2, LINE)).known == {KEY2, LINE}


def test_who_was_proven_is_told_though_only_half_open_now() -> None:
    floods = half_open(limit=10)
    pressed = Inputs(
        sample=sample(tally({"198.51.100.1": 20}, state=State.SYN_RECV)),
        listeners={80: Queue(waiting=0, backlog=16, smallest=16, full=0)},
    )

    def finding(standing: Standing | None) -> str:
        given = replace(pressed, standing=standing)
        return found(step(Memory(), given, policy(floods), NOW)[1])["198.51.100.1"]

    assert finding(None) == finding(Standing()) == "throttle"
    assert finding(Standing(proven=frozenset({KEY1}))) == "unproven"


def test_what_a_memory_learned_by_itself_is_not_believed_beside_it() -> None:
    floods = half_open(limit=10)
    pressed = Inputs(
        sample=sample(tally({"198.51.100.1": 20}, state=State.SYN_RECV)),
        listeners={80: Queue(waiting=0, backlog=16, smallest=16, full=0)},
        standing=Standing(),
    )
    memory = Memory(proven=Proven({KEY1: SECONDS // 60}))

    assert found(step(memory, pressed, policy(floods), NOW)[1])["198.51.100.1"] == "throttle"


CROWD = {f"198.51.100.{host}": 101 for host in range(1, 11)}


@pytest.mark.parametrize(("others", "is_open"), [(10, True), (39, True), (40, False)])
def test_in_the_first_cycles_the_others_count_as_present(others: int, *, is_open: bool) -> None:
    """Of 20 sources or more at most a fifth may be banned."""
    given = inputs(CROWD, standing=Standing(others=others))

    decision = step(Memory(), given, policy(rule()), NOW)[1]

    opened = [one for one in decision.alarms if isinstance(one, Breaker) and one.is_open]
    assert bool(opened) is is_open


@pytest.mark.parametrize(("others", "is_open"), [(30, True), (50, False)])
def test_known_others_keep_the_breaker_closed(others: int, *, is_open: bool) -> None:
    keys = frozenset(bytes([198, 51, 100, host]) for host in range(1, 11))
    standing = Standing(known=keys, others=100, others_known=others)
    by = policy(rule(), safety=Safety(known_clients_share=Fraction(1, 5)))

    decision = step(Memory(), inputs(CROWD, standing=standing), by, NOW)[1]

    told = [one for one in decision.alarms if isinstance(one, Breaker)]
    assert bool(told) is is_open
    assert all(one.known_clients == 10 + others for one in told)


def test_half_open_connections_of_others_press_as_well() -> None:
    floods = half_open(limit=10)
    few = Inputs(
        sample=sample(tally({"198.51.100.1": 20}, state=State.SYN_RECV)),
        listeners={80: Queue(waiting=0, backlog=128, smallest=128, full=0)},
        standing=Standing(),
    )
    many = replace(few, sample=replace(few.sample, others={(int(State.SYN_RECV), 80): 120}))

    assert found(step(Memory(), few, policy(floods), NOW)[1])["198.51.100.1"] == "unproven"
    assert found(step(Memory(), many, policy(floods), NOW)[1])["198.51.100.1"] == "throttle"


def test_without_a_tape_the_memory_stays_its_own() -> None:
    memory, given = Memory(), inputs(HERE)
    floods = policy(rule(), half_open())

    for cycle in range(3):
        memory, _ = step(memory, given, floods, NOW + cycle * timedelta(seconds=5))

    assert KEY1 in memory.proven.seen
    assert standing_of(memory, given.sample.tallies[SOCKETS], ()).others == len(HERE)
