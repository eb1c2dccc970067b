"""From sockets as the kernel tells them to a sample. Pure.

The agent's hot path together with `inet_diag`: 12,000 sources cost some 2 ms, so
whatever needs no change is not touched.
"""

from datetime import datetime

from agent.model.address import AF_INET, AF_INET6, MAPPED, is_link_local
from agent.model.sample import SOCKETS, Sample, State
from agent.observe.inet_diag import Raw

_NEW_SYN_RECV = 12
_FAMILIES = frozenset({AF_INET, AF_INET6})
_STATES = {int(state): int(state) for state in State} | {_NEW_SYN_RECV: int(State.SYN_RECV)}
_WITH_PEER = frozenset(_STATES.values()) - {int(State.LISTEN), int(State.CLOSE)}

_IPV4 = slice(12, 16)
_IPV4_TAIL = bytes(16)
_IPV6_BYTES = 16
_NO_INTERFACE = bytes(4)


def sample_of(raw: Raw, now: datetime, assumed: frozenset[int] = frozenset()) -> Sample:
    """Give the sample that these sockets are; it takes `raw` over and changes it.

    Args:
        raw: Rows of a state or a family that is not known here, as a later kernel may
            have, count nowhere.
        now: When it was taken.
        assumed: The ports that count as listening where `raw` tells of none.
    """
    for key in [key for key in raw if key[1] not in _STATES or key[0] not in _FAMILIES]:
        del raw[key]
    states = _states(raw)
    listening = frozenset(key[2] for key in raw if key[1] == State.LISTEN) or assumed
    _clean(raw, listening)
    return Sample(
        taken_at=now,
        sockets=sum(states.values()),
        states=states,
        listening=listening,
        tallies={SOCKETS: raw},
    )


def _states(raw: Raw) -> dict[State, int]:
    """Sum up by state, whatever the port."""
    totals = dict.fromkeys(_STATES, 0)
    for (_, state, _, _), count in raw.items():
        totals[state] += count
    totals[State.SYN_RECV] += totals.pop(_NEW_SYN_RECV)
    return {State(state): count for state, count in sorted(totals.items()) if count}


def _clean(raw: Raw, listening: frozenset[int]) -> None:
    """Make `raw` the tally of a sample: remote addresses of listening ports, each in one form."""
    odd = [
        key
        for key in raw
        if key[1] not in _WITH_PEER
        or key[2] not in listening
        or not key[3].endswith(_NO_INTERFACE)
        or key[3].startswith(MAPPED)
    ]
    for key in odd:
        count = raw.pop(key)
        state = _STATES[key[1]]
        if state in _WITH_PEER and key[2] in listening:
            family, packed = _in_one_form(key[0], key[3])
            clean = (family, state, key[2], packed)
            raw[clean] = raw.get(clean, 0) + count


def _in_one_form(family: int, packed: bytes) -> tuple[int, bytes]:
    """Turn a mapped address into IPv4, and drop the interface unless the address needs it."""
    if packed.startswith(MAPPED):
        return AF_INET, packed[_IPV4] + _IPV4_TAIL
    if family == AF_INET6 and is_link_local(packed):
        return family, packed
    return family, packed[:_IPV6_BYTES] + _NO_INTERFACE
