"""Sending changes so that those which the kernel refuses keep no others out.

A refused script is sent again in halves, those of one size after those of the next
bigger one: where most is good, the first halves tell so. Where nothing at all is taken,
as by an ``nft`` that always fails, that is soon given up, and so it is when ``nft`` hangs:
whoever changes the firewall keeps everybody else waiting.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from agent.act.nftables.names import Kind
from agent.act.nftables.script import SetChange, entries_script
from agent.errors import FirewallError

PATIENCE_S = 10.0
"""For a small script, and for all that is sent again."""

_PER_SECOND = 5000
"""Elements that a script may hold for every second more: a tenth of what nft does here."""

_ATTEMPTS = 100
_IN_VAIN = 31
"""Refusals with nothing taken at all: each sixteenth, and all that is bigger."""

Send: TypeAlias = Callable[[Iterable[str], float], None]
"""Has a script carried out within so many seconds; raises `FirewallError`."""

_Entry: TypeAlias = tuple[str, Kind, str, bool, str | None]
"""An element of a set, whether it is taken out first, and what is put in, if anything."""


@dataclass(slots=True)
class Sending:
    """Sends the changes of one plan.

    Attributes:
        send: Sends a script.
        stopwatch: Seconds that only go on.
        refused: Elements that were not changed.
        why: What was said first about one that was refused; empty when none was.
    """

    send: Send
    stopwatch: Callable[[], float]
    refused: int = 0
    why: str = ""
    _until: float = field(init=False)
    _attempts: int = 0
    _taken: int = 0
    _in_vain: bool = False

    def __post_init__(self) -> None:
        """Begin to count the time."""
        self._until = self.stopwatch() + PATIENCE_S

    def changes(self, changes: Sequence[SetChange]) -> None:
        """Send changes; when they are refused, in ever smaller parts.

        Nothing more is sent once time or attempts are over, but the first script of each
        kind is unless the tool hung.
        """
        entries = [*changes]
        if not entries:
            return
        self._attempts = self._taken = 0
        waiting = deque([entries])
        while waiting:
            some = waiting.popleft()
            if self._is_over():
                self.refused += _size(some)
            elif not self._try(some):
                if _size(some) == 1:
                    self.refused += 1
                else:
                    waiting.extend(_halves(some))

    def _is_over(self) -> bool:
        """Whether sending more would be in vain, or take too long."""
        if self._in_vain or not self._attempts:
            return self._in_vain
        is_hopeless = not self._taken and self._attempts >= _IN_VAIN
        return is_hopeless or self._attempts >= _ATTEMPTS or self.stopwatch() >= self._until

    def _try(self, some: Sequence[SetChange]) -> bool:
        patience_s = PATIENCE_S + _size(some) / _PER_SECOND
        began = self.stopwatch()
        self._attempts += 1
        try:
            self.send(entries_script(some), patience_s)
        except FirewallError as error:
            self.why = self.why or str(error)
            self._in_vain = self.stopwatch() - began >= patience_s
            return False
        self._taken += 1
        return True


def _size(changes: Sequence[SetChange]) -> int:
    """Count the elements."""
    return sum(len(one.out.keys() | one.into.keys()) for one in changes)


def _halves(changes: Sequence[SetChange]) -> tuple[list[SetChange], list[SetChange]]:
    """Give two parts: what is only taken out and the rest, which may need its room, or halves."""
    entries = [
        (one.name, one.kind, element, element in one.out, one.into.get(element))
        for one in changes
        for element in dict.fromkeys((*one.out, *one.into))
    ]
    lifts = [one for one in entries if one[4] is None]
    if 0 < len(lifts) < len(entries):
        return _joined(lifts), _joined(one for one in entries if one[4] is not None)
    half = len(entries) // 2
    return _joined(entries[:half]), _joined(entries[half:])


def _joined(entries: Iterable[_Entry]) -> list[SetChange]:
    by_set: dict[str, SetChange] = {}
    for name, kind, element, is_out, text in entries:
        one = by_set.setdefault(name, SetChange(name, kind))
        if is_out:
            one.out[element] = None
        if text is not None:
            one.into[element] = text
    return [*by_set.values()]
