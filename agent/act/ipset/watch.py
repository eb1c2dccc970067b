"""Whether sets have lost or gained elements that they should not have, by their numbers alone.

The kernel ends bans by itself, so that a set may always get smaller; but not below the
number of those that must still be in force. Moments are those of a stopwatch.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_SLACK_S = 2.0
"""Timers are rounded to seconds on their way to and from the kernel."""


@dataclass(slots=True)
class Watch:
    """What is known of the sets since they were last read or changed by us."""

    _most: dict[str, float] = field(default_factory=dict)
    _ends: dict[str, list["array[float]"]] = field(default_factory=dict)
    _is_lost: bool = False

    def keep(self, names: Iterable[str], made: Iterable[str]) -> None:
        """Watch these sets from now on; those just made are empty."""
        fresh = set(made)
        self._most = {name: 0 if name in fresh else self._most.get(name, 0) for name in names}
        self._ends = {
            name: ends
            for name, ends in self._ends.items()
            if name in self._most and name not in fresh
        }

    def begin(self, elements: Mapping[str, float], ends: Mapping[str, Iterable[float]]) -> None:
        """Forget what was known; from now on this is what is there.

        Args:
            elements: How many each watched set may hold.
            ends: Of each set when its elements end.
        """
        self._most, self._is_lost = dict(elements), False
        self._ends = {name: [_sorted(each)] for name, each in ends.items()}

    def change(
        self,
        elements: Mapping[str, float],
        added: Mapping[str, Iterable[float]],
        lifted: Mapping[str, int],
    ) -> None:
        """Take in a change of ours.

        Args:
            elements: How many each watched set may hold after it.
            added: Of each set when those end that were added; they may have been there.
            lifted: How many may be gone from each set.
        """
        self._most = dict(elements)
        for name, count in lifted.items():
            # Nobody knows which: the longest are left out.
            known = self._ends.get(name, [])
            self._ends[name] = [each[: max(0, len(each) - count)] for each in known]
        for name, ends in added.items():
            self._ends.setdefault(name, []).append(_sorted(ends))

    def is_touched(self, elements: Mapping[str, int], now: float) -> bool:
        """Whether these numbers can't be without somebody else; it stays so until `begin`."""
        self._is_lost = self._is_lost or any(
            not self._least(name, now) <= elements.get(name, -1) <= most
            for name, most in self._most.items()
        )
        return self._is_lost

    def _least(self, name: str, now: float) -> int:
        known = self._ends.get(name, [])
        return max((len(each) - bisect_right(each, now + _SLACK_S) for each in known), default=0)


def _sorted(ends: Iterable[float]) -> "array[float]":
    return array("d", sorted(ends))
