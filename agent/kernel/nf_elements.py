"""The elements of a set of nf_tables, as its dump over netlink tells: parsing only.

An element of a hash set is a key. One of an interval set is two, which the kernel gives
apart and in any order: where it begins, with its time and comment, and where it is over,
which says nothing; the end may be missing at the top of the address space.

Source: include/uapi/linux/netfilter/nf_tables.h; net/netfilter/nft_set_rbtree.c.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agent.kernel.nf_tables import attributes, comment, items, number

_LIST = 3
_KEY, _FLAGS, _EXPIRATION, _USERDATA = 1, 3, 5, 6
_INTERVAL_END = 0x1
_VALUE_AT = 4
"""A key is an attribute within an attribute: its bytes begin behind the inner header."""


class Element(NamedTuple):
    """An element; a tuple, because there may be 100,000.

    Attributes:
        first: The lowest key, in network order; empty for ``*``, which is everything else.
        last: The highest key; the same for a hash set.
        left_ms: Until it expires; None when it never will.
        comment: What ``nft`` keeps beside it; None without one.
    """

    first: bytes
    last: bytes
    left_ms: int | None
    comment: str | None


def keys(rows: Iterable[bytes]) -> Iterator[Element]:
    """Give the elements of a hash set.

    Raises:
        ObserveError: The rows are malformed.
    """
    return (element for _, element in _elements(rows))


def intervals(rows: Iterable[bytes]) -> Iterator[Element]:
    """Give the elements of an interval set, ``*`` first, then from the lowest on.

    Raises:
        ObserveError: The rows are malformed.
    """
    edges = list(_elements(rows))
    yield from (one for _, one in edges if not one.first)
    begun: Element | None = None
    for is_begin, one in sorted(edges, key=lambda edge: (edge[1].first, edge[0])):
        if begun is not None:
            yield _up_to(begun, one.first)
        begun = one if is_begin and one.first else None
    if begun is not None:
        yield Element(begun.first, b"\xff" * len(begun.first), begun.left_ms, begun.comment)


def _elements(rows: Iterable[bytes]) -> Iterator[tuple[bool, Element]]:
    """Give each element, and whether an interval begins with it."""
    for row in rows:
        for item in items(attributes(row).get(_LIST, b"")):
            one = attributes(item)
            key, left = one.get(_KEY, b"")[_VALUE_AT:], one.get(_EXPIRATION)
            left_ms = None if left is None else int.from_bytes(left, "big")
            is_end = _FLAGS in one and number(one[_FLAGS]) & _INTERVAL_END
            yield not is_end, Element(key, key, left_ms, comment(one.get(_USERDATA)))


def _up_to(begun: Element, end: bytes) -> Element:
    last = (int.from_bytes(end, "big") - 1).to_bytes(len(end), "big")
    return Element(begun.first, last, begun.left_ms, begun.comment)
