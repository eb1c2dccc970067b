"""Orders and their answers: a real kernel, and one that misbehaves."""

import errno
import socket
import struct
from collections.abc import Callable
from typing import Self

import pytest

from agent.errors import ObserveError, RefusedError
from agent.kernel.ask import OverrunError
from agent.kernel.tell import tell

NETLINK_SOCK_DIAG, SOCK_DESTROY = 4, 21


def answer(sequence: int, number: int = 0) -> bytes:
    """Write an acknowledgement."""
    return struct.pack("=IHHIIi16x", 36, 2, 0x100, sequence, 0, -number)


class FakeSocket:
    """Answers each chunk that is read with the next of what it was made with."""

    def __init__(self, *answers: bytes | OSError) -> None:
        self.answers = list(answers)
        self.sent: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settimeout(self, _: float) -> None:
        pass

    def connect(self, _: object) -> None:
        pass

    def send(self, text: bytes) -> None:
        self.sent.append(text)

    def recv_into(self, buffer: bytearray, _: int, __: int) -> int:
        given = self.answers.pop(0)
        if isinstance(given, OSError):
            raise given
        buffer[: len(given)] = given
        return len(given)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeSocket]:
    """Put a fake in the place of the next socket."""

    def put(*answers: bytes | OSError) -> FakeSocket:
        made = FakeSocket(*answers)
        monkeypatch.setattr("agent.kernel.ask.socket.socket", lambda *_: made)
        return made

    return put


def test_no_orders_have_no_answers() -> None:
    assert tell(NETLINK_SOCK_DIAG, SOCK_DESTROY, []) == []


def test_each_order_has_its_own_answer(fake: Callable[..., FakeSocket]) -> None:
    made = fake(answer(1, errno.EPERM) + answer(0), answer(2, errno.ENOENT))

    assert tell(12, 0x102, [b"abcde", b"", b"x"]) == [0, errno.EPERM, errno.ENOENT]
    assert made.sent == [
        struct.pack("=IHHII5s3x", 21, 0x102, 5, 0, 0, b"abcde")
        + struct.pack("=IHHII", 16, 0x102, 5, 1, 0)
        + struct.pack("=IHHIIs3x", 17, 0x102, 5, 2, 0, b"x")
    ]


def test_answers_are_read_before_more_is_sent(fake: Callable[..., FakeSocket]) -> None:
    made = fake(*[answer(sequence, sequence % 3) for sequence in range(150)])

    assert tell(12, 0x102, [b""] * 150) == [sequence % 3 for sequence in range(150)]
    assert len(made.sent) == 3


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(answer(7), ObserveError, id="to an order that was not given"),
        pytest.param(answer(0) * 2, ObserveError, id="twice"),
        pytest.param(answer(0)[:19], ObserveError, id="cut off"),
        pytest.param(
            struct.pack("=IHHII", 16, 2, 0, 0, 0), ObserveError, id="without an error number"
        ),
        pytest.param(struct.pack("=IHHIIi", 20, 3, 0, 0, 0, 0), ObserveError, id="no answer"),
        pytest.param(TimeoutError(), ObserveError, id="none"),
        pytest.param(OSError(errno.ENOBUFS, ""), OverrunError, id="lost"),
        pytest.param(OSError(errno.EPERM, ""), RefusedError, id="refused"),
    ],
)
def test_an_answer_that_is_none_is_an_error(
    fake: Callable[..., FakeSocket], given: bytes | OSError, kind: type
) -> None:
    fake(given)

    with pytest.raises(ObserveError) as caught:
        tell(12, 0x102, [b"", b""])

    assert type(caught.value) is kind


def test_a_real_kernel_answers_hundreds() -> None:
    nobody = struct.pack("=BBxxI48s", socket.AF_INET, socket.IPPROTO_TCP, 0, bytes(48))
    bodies = [nobody] * 499 + [b"\xff" * 56]

    *first, last = tell(NETLINK_SOCK_DIAG, SOCK_DESTROY, bodies)

    assert set(first) == {errno.ENOENT}
    assert last not in {0, errno.ENOENT}
