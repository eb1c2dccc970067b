"""FIN_WAIT2 that a process holds, and that which ends by itself."""

import pytest

from agent.desk.doctor.half_closed import half_closed
from agent.desk.doctor.values import Grade
from agent.model.sample import State
from agent.observe.table.values import Socket
from tests.desk.doctor.sick import facts, sock, sockets


def shut(count: int, **fields: object) -> list[Socket]:
    return [sock(State.FIN_WAIT2, **({"acked_ms": 61_000} | fields)) for _ in range(count)]


@pytest.mark.parametrize(
    ("those", "settings", "grade"),
    [
        pytest.param([], {}, Grade.FINE, id="none"),
        pytest.param(shut(100), {}, Grade.WRONG, id="held"),
        pytest.param(shut(99), {}, Grade.FINE, id="no-pile"),
        pytest.param(shut(5_000, inode=0), {}, Grade.FINE, id="orphans-end-by-themselves"),
        pytest.param(shut(100, acked_ms=59_000), {}, Grade.FINE, id="of-this-minute"),
        pytest.param(
            shut(100, acked_ms=59_000),
            {"net.ipv4.tcp_fin_timeout": "30"},
            Grade.WRONG,
            id="by-this-machines-time",
        ),
    ],
)
def test_only_what_a_process_holds_for_long_is_an_illness(
    those: list[Socket], settings: dict[str, str], grade: Grade
) -> None:
    (found,) = half_closed(facts(sockets(those), settings=settings))

    assert found.grade is grade
    if grade is Grade.WRONG:
        assert "held by api (pid 70): 100" in found.says
