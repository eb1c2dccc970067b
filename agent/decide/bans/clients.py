"""The known clients: who was here, and harmless, long before anything began.

Looked at every `LOOK_EVERY` cycles rather than by the clock, so that no jump of it makes
anybody known. Whoever is above a limit does not become known meanwhile, and who is banned
is forgotten. Where there is no room for all, those who were here least go first: a crowd
of short visits, which costs an attacker next to nothing, pushes nobody out who stayed.
"""

from collections.abc import Collection
from datetime import datetime

from agent.model.address import AF_INET, HOST, grouper
from agent.model.learned import Clients
from agent.model.sample import State, Tally

LOOK_EVERY = 10
"""Cycles from one look to the next."""

KNOWN_AFTER = 6
"""Looks in which a client was there, before it is a known one."""

FORGOTTEN_AFTER_S = 7 * 24 * 3600
"""Since it was seen last."""

REMEMBERED_AT_MOST = 50_000

_ROOM = 5_000
"""What is made at once where there is no more, so that it is not made at each look."""


def present(tally: Tally) -> frozenset[bytes]:
    """Give the keys, of width `HOST`, of all who are ESTABLISHED on a listening port."""
    key_of, established = grouper(HOST), State.ESTABLISHED.value
    # Not all through the same call: this is looked at for each source that there is.
    return frozenset(
        [
            packed[:4] if family == AF_INET else key_of(family, packed)
            for family, state, _, packed in tally
            if state == established
        ]
    )


def known(clients: Clients, keys: Collection[bytes]) -> frozenset[bytes]:
    """Give those of `keys` that are known clients."""
    return frozenset(
        key for key in keys if (seen := clients.get(key)) is not None and seen[0] >= KNOWN_AFTER
    )


def clients_after(
    clients: Clients,
    tally: Tally,
    now: datetime,
    *,
    above: Collection[bytes],
    banned: Collection[bytes],
) -> Clients:
    """Give the memory after one more look.

    Args:
        clients: The memory.
        tally: Of sockets.
        now: Who was not seen for a week is forgotten.
        above: Keys of those above some limit: for them this look does not count.
        banned: Keys of those who are forgotten.
    """
    at = int(now.timestamp())
    # One pair for all that have the same: thousands come and stay together.
    pairs: dict[int, tuple[int, int]] = {}
    after = {
        key: seen
        for key, seen in clients.items()
        if at - seen[1] <= FORGOTTEN_AFTER_S and key not in banned
    }
    for key in present(tally):
        if key not in above and key not in banned:
            # By the old memory: a clock that jumps ahead makes strangers of nobody who is here.
            looks = min(clients[key][0] if key in clients else 0, KNOWN_AFTER * 1000) + 1
            after[key] = pairs.setdefault(looks, (looks, at))
    if len(after) > REMEMBERED_AT_MOST:
        least = sorted(after, key=after.__getitem__)
        for key in least[: len(after) - REMEMBERED_AT_MOST + _ROOM]:
            del after[key]
    return after
