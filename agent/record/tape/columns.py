"""Columns of whole numbers and texts in bytes: to and fro, and never past the end. Pure.

A column is written by planes, all lowest bytes first: small numbers leave long runs of zeros,
which cost nothing once they are compressed.
"""

import sys
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import sub
from struct import Struct

_LENGTH = Struct("<I")
_BYTES = {"B": 1, "H": 2, "I": 4, "Q": 8}


def column(numbers: Collection[int], kind: str) -> bytes:
    """Write numbers, as many as the reader knows of.

    Args:
        numbers: None of them below 0, or too large.
        kind: ``B``, ``H``, ``I`` or ``Q``: 1, 2, 4 or 8 bytes a number.
    """
    packed, size = array(kind, numbers), _BYTES[kind]
    if sys.byteorder == "big":
        packed.byteswap()
    plain = packed.tobytes()
    return plain if size == 1 else b"".join(plain[at::size] for at in range(size))


def length(number: int) -> bytes:
    """Write how many there are of something."""
    return _LENGTH.pack(number)


def text(content: bytes) -> bytes:
    """Write bytes behind their length."""
    return _LENGTH.pack(len(content)) + content


def rising(numbers: Sequence[int]) -> bytes:
    """Write numbers that only grow, behind how many there are."""
    gaps = chain(numbers[:1], map(sub, numbers[1:], numbers))
    return length(len(numbers)) + column(list(gaps), "I")


def signed(numbers: Iterable[int]) -> bytes:
    """Write numbers of both signs."""
    return column([one * 2 if one >= 0 else -one * 2 - 1 for one in numbers], "Q")


@dataclass(slots=True)
class Cursor:
    """Reads from bytes, one thing after the other.

    Each method raises ValueError where there is less than it should be.

    Attributes:
        content: All of it.
        at: How much of it was read.
    """

    content: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        """Read so many bytes."""
        end = self.at + size
        if end > len(self.content):
            raise ValueError("it ends too early")
        taken, self.at = self.content[self.at : end], end
        return taken

    def column(self, count: int, kind: str) -> Sequence[int]:
        """Read so many numbers."""
        size = _BYTES[kind]
        planes = self.take(count * size)
        plain = bytearray(len(planes))
        for at in range(size):
            plain[at::size] = planes[at * count : (at + 1) * count]
        numbers = array(kind)
        numbers.frombytes(plain)
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers

    def length(self) -> int:
        """Read how many there are of something."""
        return int(_LENGTH.unpack(self.take(_LENGTH.size))[0])

    def text(self) -> bytes:
        """Read bytes behind their length."""
        return self.take(self.length())

    def rising(self) -> list[int]:
        """Read numbers that only grow."""
        return list(accumulate(self.column(self.length(), "I")))

    def signed(self, count: int) -> list[int]:
        """Read so many numbers of both signs."""
        return [one >> 1 if not one & 1 else -(one + 1 >> 1) for one in self.column(count, "Q")]
