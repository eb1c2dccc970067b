"""The heaviest of any number of things, in room for some. Pure.

What comes rarely makes room: from all counts the median is taken off, and who has
nothing left goes. So no count is too high, and of N that were counted a thing is too
low by at most 2 N / `most`.

Source: Misra and Gries, Finding repeated elements (1982), taking off more at once.
"""

from statistics import median_low


class Heavy:
    """Counts by key, of two sorts.

    Attributes:
        counts: By key, the one sort and the other.
    """

    def __init__(self, most: int) -> None:
        self.counts: dict[tuple[bytes, ...], list[int]] = {}
        self._most = most

    def add(self, key: tuple[bytes, ...], sort: int) -> None:
        """Count one."""
        found = self.counts.get(key)
        if found is None:
            if len(self.counts) >= self._most:
                self._make_room()
            found = self.counts[key] = [0, 0]
        found[sort] += 1

    def _make_room(self) -> None:
        less = median_low(sum(one) for one in self.counts.values())
        kept = {}
        for key, (first, second) in self.counts.items():
            if first + second > less:
                off = min(first, less)
                kept[key] = [first - off, second - (less - off)]
        self.counts = kept
