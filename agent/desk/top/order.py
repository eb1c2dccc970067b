"""Which sources come first. Pure; nobody becomes an object for it."""

import sys
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeAlias

from agent.decide.case import Case
from agent.decide.nearest import Crowd, Gauge

SPARE = 32
"""So many more are weighed at first than are asked for: some are exempt, or granted patience."""

_IPV4_BYTES = 4
_IPV6_BYTES = 16

Nearest: TypeAlias = Mapping[bytes, Case]


def by_address(key: bytes) -> tuple[bool, bytes, int]:
    """Give what sorts keys of width `HOST` as their sources are: `Source.order`."""
    zone = int.from_bytes(key[_IPV6_BYTES:], sys.byteorder)
    return len(key) > _IPV4_BYTES, key[:_IPV6_BYTES], zone


def first_by_address(keys: Collection[bytes], most: int) -> list[bytes]:
    """Give the first by address."""
    ipv4 = sorted(key for key in keys if len(key) == _IPV4_BYTES)
    if len(ipv4) < most:
        ipv4 += sorted((key for key in keys if len(key) > _IPV4_BYTES), key=by_address)
    return ipv4[:most]


def first_by_sockets(sockets: Mapping[bytes, int], most: int) -> list[bytes]:
    """Give who has the most."""
    return _first(sockets, most)


def first_by_limit(
    crowds: Mapping[str, Crowd], keys: Collection[bytes], gauge: Gauge, most: int, now: datetime
) -> tuple[list[bytes], Nearest]:
    """Give who is nearest to a limit, or farthest above one; then who is near none, by address.

    Whoever may be nearest by the upper bound is weighed first, until nobody who was not can
    be nearer than those who were found.

    Args:
        crowds: Everybody, by the name of the tally.
        keys: Who is asked for.
        gauge: What weighs.
        most: How many are given at most.
        now: The moment.

    Returns:
        The sources, and what those are nearest to that are near any.
    """
    everybody = gauge.bounds(crowds)
    bounds = {key: everybody[key] for key in keys if key in everybody}
    nearest: dict[bytes, Case] = {}
    shares: dict[bytes, int] = {}
    first: list[bytes] = []
    size = most + SPARE
    while bounds and not _is_settled(first, shares, bounds, most):
        batch = _first(bounds, size)
        found = gauge.nearest(crowds, frozenset(batch), now)
        nearest |= found
        shares |= {key: case.share for key, case in found.items()}
        first, size = _first(shares, most), size * 2
        for key in batch:
            del bounds[key]
    if len(first) < most:
        others = [key for key in keys if key not in shares]
        first += first_by_address(others, most - len(first))
    return first, nearest


def _is_settled(
    first: list[bytes], shares: Mapping[bytes, int], bounds: Mapping[bytes, int], most: int
) -> bool:
    """Whether nobody who was not weighed yet can come before the last of those found."""
    if len(first) < most:
        return False
    if not first:
        return True
    (best,) = _first(bounds, 1)
    last = first[-1]
    return (-shares[last], by_address(last)) < (-bounds[best], by_address(best))


def _first(weights: Mapping[bytes, int], most: int) -> list[bytes]:
    """Give the heaviest, by address among equals; no more are sorted by two things than need be."""
    if most >= len(weights):
        return sorted(weights, key=lambda key: (-weights[key], by_address(key)))
    least = sorted(weights.values(), reverse=True)[most]
    above = [key for key, weight in weights.items() if weight > least]
    equal = [key for key, weight in weights.items() if weight == least]
    above.sort(key=lambda key: (-weights[key], by_address(key)))
    return above + first_by_address(equal, most - len(above))
