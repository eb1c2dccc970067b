"""All topics of sockets together."""

import random
from ipaddress import ip_address

import pytest

from agent.desk.doctor.of_sockets import of_sockets
from agent.desk.doctor.values import Grade, Topic
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, Group, Listening, Sockets
from tests.desk.doctor.sick import facts, once, sock, sockets

STATES = {state.name for state in State} - {"CLOSE", "LISTEN"}


def test_a_machine_without_sockets_is_well_and_every_state_is_told() -> None:
    found = list(of_sockets(facts(Sockets())))

    assert {one.name for one in found if one.topic is Topic.STATES} == STATES | {"orphans"}
    assert {one.grade for one in found} == {Grade.FINE}
    assert not any(one.do for one in found)


def test_a_kernel_that_tells_nothing_is_told_as_that() -> None:
    (found,) = of_sockets(facts(Sockets(), unread={"sockets": "Operation not permitted"}))

    assert found.grade is Grade.UNKNOWN
    assert "Operation not permitted" in found.says


@pytest.mark.parametrize("seed", range(20))
def test_whatever_sockets_there_are_the_words_are_few_and_each_wrong_says_what_to_do(
    seed: int,
) -> None:
    some = random.Random(seed)  # noqa: S311 - no secret
    kept = [
        sock(
            some.choice([state for state in State if state.name in STATES]),
            port=some.choice((80, 443, OUTGOING)),
            remote=ip_address(some.randrange(1 << 32)),
            remote_port=some.randrange(65_536),
            timer=some.randrange(5),
            tries=some.randrange(9),
            unread=some.choice((0, 5)),
            unsent=some.choice((0, 5)),
            inode=some.choice((0, 7, 8, 99)),
            acked_ms=some.choice((None, 0, 100_000)),
            stands_for=some.choice((1, 64)),
        )
        for _ in range(some.choice((3, 300, 3_000)))
    ]
    listening = [
        Listening(port=port, waiting=some.randrange(200), backlog=some.randrange(200), inode=7)
        for port in (80, 443)
    ]
    more = {(State.TIME_WAIT, 80): Group(count=some.randrange(10**7))}
    told = facts(sockets(kept, more, listening))

    for found in [*of_sockets(told), *of_sockets(once(told))]:
        words = " ".join((found.name, found.value, found.says, found.why, *found.do))
        assert words.isprintable()
        assert len(words) < 1_500
        assert bool(found.do) is (found.grade in {Grade.WRONG, Grade.ADVICE})
        assert not any(line.startswith("abuse-agent ban") for line in found.do)
