"""How often the kernel is asked."""

import struct
from collections.abc import Callable

import pytest

from agent.errors import ObserveError
from agent.kernel.ask import OverrunError
from agent.observe import sock_diag
from agent.observe.sock_diag import read_raw

ROW = struct.pack("=IHHIIBBBB", 88, 18, 2, 1, 0, 2, 1, 0, 0).ljust(88, b"\1")
DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)
INTERRUPTED = struct.pack("=IHHIIi", 20, 3, 0x12, 1, 0, 0)
LOST = OverrunError("lost")

Answers = Callable[..., list[bytes | Exception]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Have the kernel give one of these after the other; the list keeps what is left."""

    def put(*chunks: bytes | Exception) -> list[bytes | Exception]:
        left = list(chunks)

        def ask(_: int, __: bytes, take: Callable[[bytes], bool]) -> None:
            chunk = left.pop(0)
            if isinstance(chunk, Exception):
                raise chunk
            assert take(chunk)

        monkeypatch.setattr(sock_diag, "ask", ask)
        return left

    return put


def test_a_quiet_table_is_read_once(answers: Answers) -> None:
    left = answers(ROW + DONE, DONE)

    assert read_raw().total() == 1
    assert len(left) == 1


def test_an_interrupted_dump_is_repeated_and_not_added_up(answers: Answers) -> None:
    answers(ROW * 5 + INTERRUPTED, ROW * 2 + DONE)

    assert read_raw().total() == 2


def test_a_table_that_never_rests_does_not_blind_the_agent(answers: Answers) -> None:
    answers(ROW + INTERRUPTED, ROW * 2 + INTERRUPTED, ROW * 3 + INTERRUPTED)

    assert read_raw().total() == 3


def test_a_lost_chunk_is_asked_for_again(answers: Answers) -> None:
    answers(LOST, LOST, ROW + DONE)

    assert read_raw().total() == 1


def test_a_third_loss_is_an_error(answers: Answers) -> None:
    answers(LOST, ROW + INTERRUPTED, LOST)

    with pytest.raises(ObserveError):
        read_raw()
