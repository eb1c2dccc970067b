"""Whom to ask about next: networks take turns, so that nobody's crowd keeps others waiting.

A network is the widest that is ever banned, a /16 of IPv4 or a /32 of IPv6. It comes the
later, the more of its look-ups are under way or were not answered lately: who lets his own
zones die waits behind everybody else. Among equals whoever is new comes first, since who waits
for long is judged without an answer; then the heaviest does.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from ipaddress import ip_address
from math import inf

from agent.model.address import WIDEST, Address, Width, widened

MOST_OF_ONE = 16
"""Look-ups of one network under way at once."""

LIGHTER_EVERY_S = 60.0
"""After so long half of what burdens a network is forgotten. Fewer than 250 look-ups begin in
a second, so that this bounds the memory too."""

_LATER = 1_000_000
"""Added to the place of an address that waited before: more than there are places."""

_SLICE = 256
_network = widened(Width(ipv4=WIDEST[4], ipv6=WIDEST[6]))


@dataclass(slots=True)
class Turns:
    """The addresses that wait, and those that are asked about.

    Attributes:
        stopwatch: Seconds that only grow.
        waiting: How many addresses wait.
    """

    stopwatch: Callable[[], float]
    waiting: int = 0
    _queues: dict[bytes, deque[tuple[int, bytes]]] = field(default_factory=dict)
    _next: list[tuple[int, int, bytes]] = field(default_factory=list)
    _taken: set[bytes] = field(default_factory=set)
    _under_way: dict[bytes, int] = field(default_factory=dict)
    _burdens: dict[bytes, int] = field(default_factory=dict)
    _lighter_at: float = -inf

    @property
    def is_ready(self) -> bool:
        """Whether there is an address whose turn it is."""
        return bool(self._next)

    def adopt(
        self,
        addresses: Sequence[Address],
        is_settled: Callable[[bytes], bool],
        breathe: Callable[[], None] = lambda: None,
    ) -> None:
        """Have these wait, the heaviest first, instead of those who wait now.

        Args:
            addresses: Those who are asked about or settled are left out.
            is_settled: Whether nothing is to be asked about a packed address.
            breathe: Called again and again while there is much to do.
        """
        before = {key for queue in self._queues.values() for _, key in queue}
        queues: dict[bytes, list[tuple[int, bytes]]] = {}
        keys = dict.fromkeys(address.packed for address in addresses)
        self.waiting = 0
        for at, key in enumerate(keys, 1):
            if key not in self._taken and not is_settled(key):
                place = at + _LATER * (key in before)
                queues.setdefault(_network(key), []).append((place, key))
                self.waiting += 1
            if at % _SLICE == 0:
                breathe()
        self._queues = {network: deque(sorted(queue)) for network, queue in queues.items()}
        self._next = []
        for network in queues:
            self._line_up(network)

    def take(self) -> Address | None:
        """Give the address whose turn it is; None where there is none."""
        if not self._next:
            return None
        self._lighten()
        network = heappop(self._next)[-1]
        queue = self._queues[network]
        _, key = queue.popleft()
        if not queue:
            del self._queues[network]
        self.waiting -= 1
        self._taken.add(key)
        self._under_way[network] = self._under_way.get(network, 0) + 1
        self._burdens[network] = self._burdens.get(network, 0) + 1
        self._line_up(network)
        return ip_address(key)

    def done(self, address: Address, *, is_answered: bool) -> None:
        """Let an address that was taken be asked about again."""
        key = address.packed
        if key not in self._taken:
            return
        self._taken.discard(key)
        network = _network(key)
        if is_answered:
            _lower(self._burdens, network)
        was_full = self._under_way[network] >= MOST_OF_ONE
        _lower(self._under_way, network)
        if was_full:
            self._line_up(network)

    def forget(self) -> None:
        """Let all that were taken be asked about again; what came of them is lost."""
        self._taken.clear()
        self._under_way.clear()
        self._next = []
        for network in self._queues:
            self._line_up(network)

    def _line_up(self, network: bytes) -> None:
        """Give a network its turn, if somebody of it waits and there is room for him."""
        queue = self._queues.get(network)
        if queue and self._under_way.get(network, 0) < MOST_OF_ONE:
            heappush(self._next, (self._burdens.get(network, 0), queue[0][0], network))

    def _lighten(self) -> None:
        now = self.stopwatch()
        if now < self._lighter_at:
            return
        self._lighter_at = now + LIGHTER_EVERY_S
        self._burdens = {one: count // 2 for one, count in self._burdens.items() if count > 1}


def _lower(counts: dict[bytes, int], key: bytes) -> None:
    """Count one less; nothing is kept of what comes to none."""
    left = counts.pop(key, 0) - 1
    if left > 0:
        counts[key] = left
