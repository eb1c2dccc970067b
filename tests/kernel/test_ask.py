"""The exchange with a kernel that misbehaves: a fake socket in place of netlink."""

import errno
import socket
from collections.abc import Callable
from typing import Self

import pytest

from agent.errors import ObserveError, RefusedError
from agent.kernel.ask import OverrunError, ask


class FakeSocket:
    """Answers with what it was made with: bytes, a length alone, or an error to raise."""

    def __init__(self, *answers: bytes | int | OSError) -> None:
        self.answers = list(answers)
        self.closed = False
        self.peer: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def settimeout(self, _: float) -> None:
        return None

    def connect(self, peer: object) -> None:
        self.peer = peer

    def send(self, _: bytes) -> None:
        return None

    def recv_into(self, buffer: bytearray, _: int, __: int) -> int:
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        if isinstance(answer, int):
            return answer
        buffer[: len(answer)] = answer
        return len(answer)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeSocket]:
    """Put a fake in the place of the next socket."""

    def put(*answers: bytes | int | OSError) -> FakeSocket:
        made = FakeSocket(*answers)
        monkeypatch.setattr("agent.kernel.ask.socket.socket", lambda *_: made)
        return made

    return put


def test_chunks_are_handed_over_until_the_last(fake: Callable[..., FakeSocket]) -> None:
    made = fake(b"one", b"two", b"three")
    got: list[bytes] = []

    def take(chunk: bytes) -> bool:
        got.append(chunk)
        return chunk == b"two"

    ask(4, b"", take)

    assert got == [b"one", b"two"]
    assert made.closed
    assert made.peer == (0, 0)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(65_537, ObserveError, id="longer than the buffer"),
        pytest.param(b"", ObserveError, id="empty"),
        pytest.param(TimeoutError(), ObserveError, id="no answer"),
        pytest.param(OSError(errno.ENOBUFS, ""), OverrunError, id="lost"),
        pytest.param(OSError(errno.EACCES, ""), RefusedError, id="refused"),
        pytest.param(OSError(errno.EIO, ""), ObserveError, id="failed"),
    ],
)
def test_what_goes_wrong_is_told_and_the_socket_closed(
    fake: Callable[..., FakeSocket], answer: bytes | int | OSError, kind: type
) -> None:
    made = fake(b"one", answer)

    with pytest.raises(ObserveError) as caught:
        ask(4, b"", lambda _: False)

    assert type(caught.value) is kind
    assert made.closed


@pytest.mark.parametrize(
    "number", [errno.EPERM, errno.EACCES, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT]
)
def test_a_socket_that_may_not_be_made_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(number, "")

    monkeypatch.setattr("agent.kernel.ask.socket.socket", refuse)

    with pytest.raises(RefusedError):
        ask(4, b"", lambda _: True)


def test_a_protocol_that_does_not_exist_is_refused_by_the_kernel() -> None:
    with pytest.raises(RefusedError):
        ask(31, b"", lambda _: True)
