"""Tables, from a key to a number: written as what changed since the frame before. Pure.

A table keeps its order: what stays, then what is new. So what is gone or changed is told by
its place, which both sides know.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any, Protocol, TypeAlias, TypeVar

from agent.model.address import AF_INET, AF_INET6, PACKED_BYTES
from agent.record.tape.columns import Cursor, column, length, rising, signed, text

K = TypeVar("K")

ENTRIES_AT_MOST = 200_000

Row: TypeAlias = tuple[int, int, int, bytes]
Name: TypeAlias = tuple[Any, ...]

_IPV4_BYTES, _IPV6_BYTES = 4, 16
_PADDING = bytes(PACKED_BYTES - _IPV4_BYTES)
_KEY_BYTES = frozenset({_IPV4_BYTES, _IPV6_BYTES, PACKED_BYTES})


class Keys(Protocol[K]):
    """How the keys of a table are written; how many there are stands before them."""

    def write(self, keys: Sequence[K]) -> bytes:
        """Write them."""

    def read(self, cursor: Cursor, count: int) -> Sequence[K]:
        """Read so many; ValueError where they are wrong."""


def write_change(
    before: Mapping[K, int], after: Mapping[K, int], keys: Keys[K]
) -> tuple[bytes, Mapping[K, int]]:
    """Write what makes `after` of `before`; give it with `after` as the reader will have it."""
    gone, changed, by = [], [], []
    for place, (key, old) in enumerate(before.items()):
        new = after.get(key)
        if new is None:
            gone.append(place)
        elif new != old:
            changed.append(place)
            by.append(new - old)
    added = [key for key in after if key not in before]
    written = (
        rising(gone),
        rising(changed),
        signed(by),
        length(len(added)),
        keys.write(added),
        signed([after[key] for key in added]),
    )
    order = ([key for key in before if key in after] if gone else list(before)) + added
    return b"".join(written), {key: after[key] for key in order}


def read_change(before: Mapping[K, int], cursor: Cursor, keys: Keys[K]) -> Mapping[K, int]:
    """Read a table; the very same where nothing changed.

    Raises:
        ValueError: It is damaged.
        IndexError: Likewise.
    """
    gone, changed = cursor.rising(), cursor.rising()
    by = cursor.signed(len(changed))
    count = cursor.length()
    added = keys.read(cursor, count)
    new = cursor.signed(count)
    if not gone and not changed and not count:
        return before
    names, numbers = list(before), list(before.values())
    for place, one in zip(changed, by, strict=True):
        numbers[place] += one
    if gone:
        stays = bytearray(b"\1") * len(names)
        for place in gone:
            stays[place] = 0
        names, numbers = list(compress(names, stays)), list(compress(numbers, stays))
    if len(names) + count > ENTRIES_AT_MOST:
        raise ValueError("it has too many entries")
    return dict(zip((*names, *added), (*numbers, *new), strict=True))


class RowKeys:
    """Rows of a tally."""

    def write(self, keys: Sequence[Row]) -> bytes:
        """Write them."""
        addresses = b"".join(
            [
                packed[:_IPV4_BYTES] if family == AF_INET else _portable(packed)
                for family, _, _, packed in keys
            ]
        )
        return b"".join(
            (
                column([key[0] for key in keys], "B"),
                column([key[1] for key in keys], "B"),
                column([key[2] for key in keys], "H"),
                addresses,
            )
        )

    def read(self, cursor: Cursor, count: int) -> Sequence[Row]:
        """Read them."""
        families, states = cursor.column(count, "B"), cursor.column(count, "B")
        ports = cursor.column(count, "H")
        if not {AF_INET, AF_INET6}.issuperset(families):
            raise ValueError("it has an unknown family")
        addresses = [
            cursor.take(_IPV4_BYTES) + _PADDING
            if family == AF_INET
            else _portable(cursor.take(PACKED_BYTES))
            for family in families
        ]
        return list(zip(families, states, ports, addresses, strict=True))


class HostKeys:
    """Keys of hosts."""

    def write(self, keys: Sequence[bytes]) -> bytes:
        """Write them."""
        sizes = column([len(key) for key in keys], "B")
        return sizes + b"".join([_portable(key) for key in keys])

    def read(self, cursor: Cursor, count: int) -> Sequence[bytes]:
        """Read them."""
        sizes = cursor.column(count, "B")
        if not _KEY_BYTES.issuperset(sizes):
            raise ValueError("it has a key of unknown size")
        return [_portable(cursor.take(size)) for size in sizes]


class NameKeys:
    """Names of numbers: texts and whole numbers."""

    def write(self, keys: Sequence[Name]) -> bytes:
        """Write them."""
        return text(json.dumps(keys).encode()) if keys else b""

    def read(self, cursor: Cursor, count: int) -> Sequence[Name]:
        """Read them."""
        names = [tuple(name) for name in json.loads(cursor.text())] if count else []
        if len(names) != count:
            raise ValueError("it lacks names")
        return names


def _portable(packed: bytes) -> bytes:
    """Give an address with its interface index as the other side has it: lowest byte first."""
    if sys.byteorder == "little" or len(packed) != PACKED_BYTES:
        return packed
    return packed[:_IPV6_BYTES] + packed[:-5:-1]
