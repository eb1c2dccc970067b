"""A table of named networks that is asked for very many packed addresses."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.model.address import AF_INET, AF_INET6, Prefix


@dataclass(frozen=True, slots=True)
class Networks:
    """Named networks, for look-ups of packed addresses.

    Attributes:
        starts: By family, the first address of each, sorted; none lies in another.
        ends: By family, the last address and the name of each, in the same order.
    """

    starts: Mapping[int, Sequence[bytes]]
    ends: Mapping[int, Sequence[tuple[bytes, str]]]

    def name(self, family: int, packed: bytes) -> str | None:
        """Give the name of the network that an address is in."""
        address = packed[: _BYTES[family]]
        at = bisect_right(self.starts[family], address) - 1
        if at < 0:
            return None
        end, name = self.ends[family][at]
        return name if address <= end else None


_BYTES = {AF_INET: 4, AF_INET6: 16}


def networks_of(named: Mapping[str, Iterable[Prefix]]) -> Networks:
    """Make a table; of a network in another, the wider one counts."""
    starts: dict[int, list[bytes]] = {AF_INET: [], AF_INET6: []}
    ends: dict[int, list[tuple[bytes, str]]] = {AF_INET: [], AF_INET6: []}
    each = [(one, name) for name in sorted(named) for one in named[name]]
    for one, name in sorted(each, key=lambda item: (_first(item[0]), item[0].prefixlen)):
        family = AF_INET if one.version == 4 else AF_INET6  # noqa: PLR2004 - the IP version
        if not ends[family] or ends[family][-1][0] < _first(one):
            starts[family].append(_first(one))
            ends[family].append((one.broadcast_address.packed, name))
    return Networks(starts, ends)


def _first(prefix: Prefix) -> bytes:
    return prefix.network_address.packed
