"""Accept queues."""

import pytest

from agent.desk.doctor.accepting import accepting, full_ports
from agent.desk.doctor.values import Grade
from agent.observe.owners import Holders
from agent.observe.table.values import Listening
from tests.desk.doctor.sick import facts, once, sockets


def web(waiting: int, backlog: int = 128, inode: int = 7) -> Listening:
    return Listening(port=80, waiting=waiting, backlog=backlog, inode=inode)


@pytest.mark.parametrize(
    ("before", "now", "grade"),
    [
        pytest.param(web(0), web(0), Grade.FINE, id="empty"),
        pytest.param(web(129), web(129), Grade.WRONG, id="full"),
        pytest.param(web(96), web(97), Grade.WRONG, id="nearly-full-at-both"),
        pytest.param(web(129), web(95), Grade.FINE, id="being-emptied"),
        pytest.param(web(0), web(129), Grade.FINE, id="a-burst"),
        pytest.param(web(129, inode=6), web(129), Grade.FINE, id="another-socket"),
        pytest.param(web(1, 0), web(1, 0), Grade.WRONG, id="no-backlog"),
        pytest.param(web(0, 0), web(0, 0), Grade.FINE, id="no-backlog-nobody-waits"),
    ],
)
def test_a_queue_that_stays_full_is_an_illness(
    before: Listening, now: Listening, grade: Grade
) -> None:
    told = facts(sockets(listening=[now]), sockets(listening=[before]))
    (found,) = accepting(told)

    assert found.grade is grade
    assert bool(full_ports(told)) is (grade is Grade.WRONG)
    assert ("api (pid 70)" in found.says) is (grade is Grade.WRONG)


def test_one_look_alone_blames_nobody() -> None:
    (found,) = accepting(once(facts(sockets(listening=[web(129)]))))
    assert found.grade is Grade.FINE
    assert "port 80: 129 of 128 wait" in found.says


def test_a_hidden_process_is_told_as_hidden() -> None:
    (found,) = accepting(facts(sockets(listening=[web(129)]), holders=Holders(hidden=3)))

    assert "a process of uid 0, which only root may look into, does not accept" in found.says
    assert any("sudo" in line for line in found.do)
