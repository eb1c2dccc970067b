"""What each rule counts, for the sources that come near its limit.

Two passes over the packed tally for each width in use. The first only adds up
and gives an upper bound of what any rule of that width may count; the second
touches only sources whose bound is above some rule's warning. So a machine on
which nobody is near a limit pays for one pass.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from agent.model.address import PACKED_BYTES, Width, grouper, member_key
from agent.model.policy import Rule
from agent.model.sample import Tally


class Row(NamedTuple):
    """One row of a tally.

    Attributes:
        family: AF_INET or AF_INET6.
        state: The TCP state's number.
        port: Local port.
        packed: Packed remote address.
        number: How many of it.
    """

    family: int
    state: int
    port: int
    packed: bytes
    number: int


def near(
    tally: Tally, width: Width, rules: Collection[Rule], floor: int
) -> Mapping[bytes, list[Row]]:
    """Give the rows of every source that may be above `floor` by one of `rules`.

    Args:
        tally: What was counted.
        width: How wide a source is; that of all the `rules`.
        rules: All of that width that count this tally; not empty.
        floor: What is not above it is near no limit.

    Returns:
        Rows by key. A source that is not in here is near no limit.
    """
    key_of = grouper(width)
    states = frozenset(state for rule in rules for state in rule.states)
    ports = frozenset(port for rule in rules for port in rule.service.ports)
    bounds: dict[bytes, int] = {}
    for (family, state, port, packed), count in tally.items():
        if port in ports and state in states:
            key = key_of(family, packed)
            bounds[key] = bounds.get(key, 0) + count
    above = {key for key, bound in bounds.items() if bound > floor}
    return rows_of(tally, width, above) if above else {}


def rows_of(tally: Tally, width: Width, keys: Collection[bytes]) -> dict[bytes, list[Row]]:
    """Give the rows of the sources with these keys; a key without rows is not in it.

    Args:
        tally: What was counted.
        width: How wide a source is.
        keys: Of that width, or of single members (`member_key`).
    """
    key_of = grouper(width)
    alone = any(len(key) > PACKED_BYTES for key in keys)
    rows: defaultdict[bytes, list[Row]] = defaultdict(list)
    for (family, state, port, packed), count in tally.items():
        key = key_of(family, packed)
        if key in keys:
            rows[key].append(Row(family, state, port, packed, count))
        if alone and (key := member_key(family, packed)) in keys:
            rows[key].append(Row(family, state, port, packed, count))
    return dict(rows)


def counted(rows: Iterable[Row], rule: Rule) -> list[Row]:
    """Give those of a source's rows that the rule counts."""
    ports, states = rule.service.ports, rule.states
    return [row for row in rows if row.port in ports and row.state in states]
