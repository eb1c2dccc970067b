"""The states that a peer counts -> those that a rule of ours sums. Pure."""

import re

from agent.model.sample import State
from agent.policy.names import NAMEABLE

COUNTED = tuple(state.name for state in State if state in NAMEABLE)
"""All that a rule can sum, by the names that netstat prints."""

HALF_OPEN = State.SYN_RECV.name

_ALL = frozenset({*COUNTED, HALF_OPEN})
_ALSO = {
    "ESTAB": frozenset({"ESTABLISHED"}),
    "ALL": _ALL,
    "CONNECTED": _ALL,
    "SYNCHRONIZED": _ALL,
    "BIG": _ALL - {"TIME_WAIT", HALF_OPEN},
    "BUCKET": frozenset({"TIME_WAIT", HALF_OPEN}),
}
"""Groups as ss has them. Source: ss(8), STATE-FILTER."""

_SEPARATORS = re.compile(r"[\s,:|]+")
_NUMBERED = re.compile(r"_WAIT_([12])$")


def states_of(text: str) -> tuple[tuple[str, ...], bool, tuple[str, ...]]:
    """Read the states that a setting lists, as netstat, ss or the kernel spell them.

    Returns:
        Those that a rule can sum, in the kernel's order; whether half-open ones are among
        them; and what no rule counts.
    """
    found: set[str] = set()
    others: list[str] = []
    for word in filter(None, _SEPARATORS.split(text)):
        name = _NUMBERED.sub(r"_WAIT\1", word.upper().replace("-", "_"))
        if name in _ALL:
            found.add(name)
        elif name in _ALSO:
            found |= _ALSO[name]
        else:
            others.append(word)
    return tuple(one for one in COUNTED if one in found), HALF_OPEN in found, tuple(others)
