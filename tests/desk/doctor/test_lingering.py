"""TIME_WAIT, which tutorials fear."""

import pytest

from agent.desk.doctor.facts import Machine
from agent.desk.doctor.lingering import lingering
from agent.desk.doctor.values import Grade
from agent.model.sample import State
from agent.observe.table.values import Group
from tests.desk.doctor.sick import facts, sockets

BUCKETS = {"net.ipv4.tcp_max_tw_buckets": "4096"}


@pytest.mark.parametrize(
    ("count", "grown", "settings", "grade"),
    [
        pytest.param(0, {}, BUCKETS, Grade.FINE, id="none"),
        pytest.param(3_071, {}, BUCKETS, Grade.FINE, id="below-three-quarters"),
        pytest.param(3_072, {}, BUCKETS, Grade.ADVICE, id="three-quarters"),
        pytest.param(4_096, {}, BUCKETS, Grade.WRONG, id="full"),
        pytest.param(9, {"TcpExt.TCPTimeWaitOverflow": 1}, BUCKETS, Grade.WRONG, id="overflowed"),
        pytest.param(500_000, {}, {}, Grade.FINE, id="limit-not-known"),
    ],
)
def test_only_the_kernels_own_limit_makes_it_an_illness(
    count: int, grown: dict[str, int], settings: dict[str, str], grade: Grade
) -> None:
    here = sockets(more={(State.TIME_WAIT, 80): Group(count=count)})
    (found,) = lingering(facts(here, grown=grown, settings=settings))

    assert found.grade is grade
    if grade is Grade.FINE:
        assert "no fault" in found.says
        assert not found.do


def test_what_is_left_of_fin_wait_2_takes_a_place_too() -> None:
    here = sockets(
        more={
            (State.TIME_WAIT, 80): Group(count=4_000),
            (State.FIN_WAIT2, 80): Group(count=106, orphans=96),
        }
    )
    (found,) = lingering(facts(here, settings=BUCKETS))
    assert (found.grade, found.value) == (Grade.WRONG, "4096 of 4096")


@pytest.mark.parametrize(("memory", "is_advised"), [(0, True), (1 << 30, True), (1 << 20, False)])
def test_more_room_is_advised_only_where_it_fits(memory: int, is_advised: bool) -> None:
    here = sockets(more={(State.TIME_WAIT, 80): Group(count=4_096)})
    (found,) = lingering(facts(here, settings=BUCKETS, machine=Machine(memory_bytes=memory)))

    assert ("sysctl -w net.ipv4.tcp_max_tw_buckets=8192" in found.do) is is_advised
