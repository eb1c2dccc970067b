"""Count one chunk while the kernel fills the next.

The kernel walks its table inside recv(), without the interpreter's lock. Counting in
a thread beside it takes the same processor time and hides nearly all of it: 1.1 times
the bare dump in place of 1.5. On a single core it is neither better nor worse.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

_AT_ONCE = 8
"""Chunks that are counted at once: so small a table is not worth starting a thread."""

_MOST_WAITING = 16
"""Chunks, half a megabyte: where counting is the slower one, receiving waits for it."""


@contextmanager
def aside(
    take: Callable[[bytes], bool], may_end: Callable[[bytes], bool]
) -> Iterator[Callable[[bytes], bool]]:
    """Give a `take` that returns before the chunk is counted, unless that may be the last.

    Args:
        take: Counts a chunk, one after the other in their order; true for the last. What
            it raises comes out of one of the next calls, at the latest out of the last.
        may_end: Whether a chunk might be the last; true too often costs only time.
    """
    with ThreadPoolExecutor(1, "observe") as pool:
        yield _Aside(take, may_end, pool).take


class _Aside:
    """The chunks that wait, and the thread that counts them."""

    def __init__(
        self,
        take: Callable[[bytes], bool],
        may_end: Callable[[bytes], bool],
        pool: ThreadPoolExecutor,
    ) -> None:
        self._take, self._may_end, self._pool = take, may_end, pool
        self._waiting: deque[Future[bool]] = deque()
        self._at_once = _AT_ONCE

    def take(self, chunk: bytes) -> bool:
        """Count a chunk later, or now when it is an early one or may be the last."""
        self._at_once -= 1
        if self._at_once < 0 and not self._may_end(chunk):
            return self._hand_over(chunk)
        self._wait_for(len(self._waiting))
        return self._take(chunk)

    def _hand_over(self, chunk: bytes) -> bool:
        try:
            self._waiting.append(self._pool.submit(self._take, chunk))
        except RuntimeError:
            # No thread may be started. The pool keeps what it did not begin with, and would
            # count it too once a thread is there: it must not get anything more.
            self._at_once = sys.maxsize
            return self._take(chunk)
        self._wait_for(len(self._waiting) - _MOST_WAITING)
        return False

    def _wait_for(self, chunks: int) -> None:
        """Wait until so many of the oldest are counted."""
        for _ in range(chunks):
            self._waiting.popleft().result()
