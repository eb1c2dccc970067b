"""A table of prefixes that answers in a few look-ups, however many there are."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from agent.model.address import Prefix

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PrefixTable(Generic[T]):
    """Values by prefix, of both families.

    Attributes:
        lengths: The prefix lengths that occur, by IP version, widest first.
        exact: (version, length, network as a number) to the values of that prefix.
        order: (version, network as a number, length), sorted; each prefix once.
    """

    lengths: dict[int, tuple[int, ...]]
    exact: dict[tuple[int, int, int], tuple[T, ...]]
    order: list[tuple[int, int, int]]

    def covering(self, prefix: Prefix) -> Iterator[T]:
        """Give the values of every listed prefix that holds all of `prefix`, widest first."""
        version, length, bits = prefix.version, prefix.prefixlen, prefix.max_prefixlen
        number = int(prefix.network_address)
        for listed in self.lengths.get(version, ()):
            if listed > length:
                return
            shift = bits - listed
            yield from self.exact.get((version, listed, number >> shift << shift), ())

    def inside(self, prefix: Prefix) -> Iterator[tuple[Prefix, T]]:
        """Give every listed prefix that is narrower than `prefix` and lies in it, by address."""
        version, length, bits = prefix.version, prefix.prefixlen, prefix.max_prefixlen
        first = int(prefix.network_address)
        last = first + (1 << bits - length)
        network = type(prefix)
        for index in range(bisect_left(self.order, (version, first, 0)), len(self.order)):
            at, number, listed = self.order[index]
            if at != version or number >= last:
                return
            if listed > length:
                narrow = network((number, listed))
                for value in self.exact[at, listed, number]:
                    yield narrow, value


def prefix_table(items: Iterable[tuple[Prefix, T]]) -> PrefixTable[T]:
    """Make a table; a prefix that comes twice keeps both values, in their order."""
    exact: dict[tuple[int, int, int], tuple[T, ...]] = {}
    for prefix, value in items:
        place = (prefix.version, prefix.prefixlen, int(prefix.network_address))
        exact[place] = (*exact.get(place, ()), value)
    lengths = {
        version: tuple(sorted({length for at, length, _ in exact if at == version}))
        for version in (4, 6)
    }
    order = sorted((version, number, length) for version, length, number in exact)
    return PrefixTable(lengths, exact, order)
