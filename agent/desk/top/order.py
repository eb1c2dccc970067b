"""Which sources come first. Pure; nobody becomes an object for it."""

import sys
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from agent.decide.case import Case
from agent.decide.nearest import Crowd, Gauge, share_of

_SPARE = 32
"""So many more are weighed at first than are asked for: some are exempt, or granted patience."""

_IPV4_BYTES = 4
_IPV6_BYTES = 16

Nearest: TypeAlias = Mapping[bytes, Case]


def by_address(key: bytes) -> tuple[bool, bytes, int]:
    """Give what sorts keys of width `HOST` as their sources are: `Source.order`."""
    zone = int.from_bytes(key[_IPV6_BYTES:], sys.byteorder)
    return len(key) > _IPV4_BYTES, key[:_IPV6_BYTES], zone


def first_by_address(keys: Iterable[bytes], most: int) -> list[bytes]:
    """Give the first by address."""
    return sorted(keys, key=by_address)[:most]


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
    bounds = gauge.bounds(crowds)
    waiting = sorted((key for key in keys if key in bounds), key=bounds.__getitem__, reverse=True)
    nearest: dict[bytes, Case] = {}
    done, size = 0, most + _SPARE
    while done < len(waiting):
        nearest |= gauge.nearest(crowds, frozenset(waiting[done : done + size]), now)
        done, size = done + size, size * 2
        best = sorted(map(share_of, nearest.values()), reverse=True)[:most]
        if len(best) == most and done < len(waiting) and bounds[waiting[done]] < best[-1]:
            break
    shares = {key: share_of(case) for key, case in nearest.items()}
    first = _first(shares, most)
    if len(first) < most:
        others = (key for key in keys if key not in shares)
        first += first_by_address(others, most - len(first))
    return first, nearest


def _first(weights: Mapping[bytes, float], most: int) -> list[bytes]:
    """Give the heaviest, by address among equals; only those who may be among them are sorted."""
    keys: Collection[bytes] = weights.keys()
    if most < len(weights):
        least = sorted(weights.values(), reverse=True)[most - 1]
        keys = [key for key in keys if weights[key] >= least]
    return sorted(keys, key=lambda key: (-weights[key], by_address(key)))[:most]
