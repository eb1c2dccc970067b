"""Where somebody is in a list that changes: on a thing, not on a line."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Cursor(Generic[K]):
    """The place in one list.

    Attributes:
        key: What is chosen; it stays so while it is not in the list. None before there is any.
        index: Where that is, or was last.
        first: The first line that is shown.
        height: How many lines are shown.
    """

    key: K | None = None
    index: int = 0
    first: int = 0
    height: int = 1

    def follow(self, keys: Sequence[K]) -> None:
        """Go where the chosen one is by now; lines are not scrolled for that."""
        if self.key is None and keys:
            self.key = keys[0]
        if self.key in keys:
            self.index = keys.index(self.key)
        self.first = max(0, min(self.first, len(keys) - self.height))

    def go(self, index: int, keys: Sequence[K]) -> None:
        """Choose another one, as near to `index` as there is one, and show it."""
        if not keys:
            return
        self.index = max(0, min(index, len(keys) - 1))
        self.key = keys[self.index]
        last = self.index - self.height + 1
        self.first = max(last, min(self.first, self.index))

    def show(self, height: int, keys: Sequence[K]) -> slice:
        """Give which are shown in so many lines; another height keeps the chosen one in sight."""
        was_in_sight = self.first <= self.index < self.first + self.height
        is_other, self.height = height != self.height, max(1, height)
        if is_other and was_in_sight and self.key in keys:
            self.go(self.index, keys)
        self.first = max(0, min(self.first, len(keys) - self.height))
        return slice(self.first, self.first + height)
