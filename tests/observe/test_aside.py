"""Chunks are counted once each, in their order, and no error is lost."""

import threading

import pytest

from agent.errors import ObserveError
from agent.observe.aside import aside

CHUNKS = [str(number).encode() for number in range(300)]


class Counted:
    """What was taken, and on which threads; fails at one chunk if that is asked for."""

    def __init__(self, fails_at: bytes = b"") -> None:
        self.chunks: list[bytes] = []
        self.threads: set[int] = set()
        self.fails_at = fails_at

    def take(self, chunk: bytes) -> bool:
        if chunk == self.fails_at:
            raise ObserveError("malformed")
        self.threads.add(threading.get_ident())
        self.chunks.append(chunk)
        return chunk == b"end"


def feed(counted: Counted, chunks: list[bytes]) -> bool:
    """Hand the chunks over; whether the last one ended it, and none before."""
    with aside(counted.take, lambda chunk: chunk in {b"end", b"17"}) as take:
        *before, last = [take(chunk) for chunk in chunks]
    return last and not any(before)


def test_all_are_counted_in_their_order_before_the_last_returns() -> None:
    counted = Counted()

    assert feed(counted, [*CHUNKS, b"end"])
    assert counted.chunks == [*CHUNKS, b"end"]
    assert len(counted.threads) == 2


def test_a_small_table_needs_no_thread() -> None:
    counted = Counted()

    assert feed(counted, [*CHUNKS[:6], b"end"])
    assert counted.threads == {threading.get_ident()}


@pytest.mark.parametrize("at", [0, 7, 8, 17, 150, 299])
def test_an_error_comes_out(at: int) -> None:
    with pytest.raises(ObserveError, match="malformed"):
        feed(Counted(CHUNKS[at]), [*CHUNKS, b"end"])


def test_where_no_thread_may_be_started_all_is_counted_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    counted = Counted()

    assert feed(counted, [*CHUNKS, b"end"])
    assert counted.chunks == [*CHUNKS, b"end"]
    assert counted.threads == {threading.get_ident()}
