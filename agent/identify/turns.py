"""Whom to ask about next: networks take turns, so that nobody's crowd keeps others waiting.

A network is the widest that is ever banned, a /16 of IPv4 or a /32 of IPv6. It comes the
later, the more of its look-ups are under way or were not answered lately: who lets his own
zones die waits behind everybody else. Among equals whoever was not tried in vain comes first;
then whoever is new, since who waits for long is judged without an answer; then the heaviest.
Each fourth turn goes by that alone, whatever burdens a network: a crawler may come from the
very network of an attacker.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from ipaddress import ip_address
from math import inf
from typing import TypeAlias

from agent.identify.exchange import SLOW_AFTER_S
from agent.model.address import WIDEST, Address, Width, widened

MOST_OF_ONE = 16
"""Look-ups of one network under way at once, apart from those that left their places."""

NEW_EVERY = 4
"""Of so many turns one goes to whoever is new."""

LIGHTER_EVERY_S = 60.0
"""After so long half of what burdens a network is forgotten. Fewer than 250 look-ups begin in
a second, so that this bounds the memory too."""

MOST_TRIED = 10_000
"""Addresses that are remembered since they were tried in vain."""

_SLICE = 256
_Place: TypeAlias = tuple[bool, int, int]
"""Of an address that waits: whether it was tried in vain, the later the less a number, and how
many are heavier. Lower comes first."""

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
    _queues: dict[bytes, deque[tuple[_Place, bytes]]] = field(default_factory=dict)
    _lightest: list[tuple[int, _Place, bytes]] = field(default_factory=list)
    _newest: list[tuple[_Place, bytes]] = field(default_factory=list)
    _ready: set[bytes] = field(default_factory=set)
    _turn: int = 0
    _batches: int = 0
    _held: dict[bytes, float] = field(default_factory=dict)
    _taken: set[bytes] = field(default_factory=set)
    _tried: dict[bytes, None] = field(default_factory=dict)
    _under_way: dict[bytes, int] = field(default_factory=dict)
    _burdens: dict[bytes, int] = field(default_factory=dict)
    _lighter_at: float = -inf

    @property
    def is_ready(self) -> bool:
        """Whether there is an address whose turn it is."""
        return bool(self._ready)

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
        since = {key: place[1] for queue in self._queues.values() for place, key in queue}
        queues: dict[bytes, list[tuple[_Place, bytes]]] = {}
        self._batches += 1
        keys = dict.fromkeys(address.packed for address in addresses)
        self.waiting = 0
        for at, key in enumerate(keys, 1):
            if key not in self._taken and not is_settled(key):
                place = (key in self._tried, since.get(key, -self._batches), at)
                queues.setdefault(_network(key), []).append((place, key))
                self.waiting += 1
            if at % _SLICE == 0:
                breathe()
        self._queues = {network: deque(sorted(queue)) for network, queue in queues.items()}
        self._line_up_all()

    def take(self) -> Address | None:
        """Give the address whose turn it is; None where there is none."""
        if not self._ready:
            return None
        self._lighten()
        network = self._next()
        queue = self._queues[network]
        _, key = queue.popleft()
        if not queue:
            del self._queues[network]
        self.waiting -= 1
        self._taken.add(key)
        self._held[key] = self.stopwatch()
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
        self._tried.pop(key, None)
        network = _network(key)
        if is_answered:
            _lower(self._burdens, network)
        else:
            self._tried[key] = None
            if len(self._tried) > MOST_TRIED:
                del self._tried[next(iter(self._tried))]
        if self._held.pop(key, None) is not None:
            self._make_room(network)

    def release(self) -> None:
        """Let others of a network go on where look-ups have left their places by now."""
        until = self.stopwatch() - SLOW_AFTER_S
        while self._held and (key := next(iter(self._held))) and self._held[key] <= until:
            del self._held[key]
            self._make_room(_network(key))

    def forget(self) -> None:
        """Let all that were taken be asked about again; what came of them is lost."""
        self._taken.clear()
        self._held.clear()
        self._under_way.clear()
        self._line_up_all()

    def _make_room(self, network: bytes) -> None:
        was_full = self._under_way[network] >= MOST_OF_ONE
        _lower(self._under_way, network)
        if was_full:
            self._line_up(network)

    def _next(self) -> bytes:
        """Give the network whose turn it is, which has it no longer."""
        self._turn = (self._turn + 1) % NEW_EVERY
        while True:
            place, network = heappop(self._lightest)[1:] if self._turn else heappop(self._newest)
            # What was taken from one line still stands in the other.
            if network in self._ready and self._queues[network][0][0] == place:
                self._ready.discard(network)
                return network

    def _line_up_all(self) -> None:
        self._lightest, self._newest = [], []
        self._ready.clear()
        for network in self._queues:
            self._line_up(network)

    def _line_up(self, network: bytes) -> None:
        """Give a network its turn, if somebody of it waits and there is room for him."""
        queue = self._queues.get(network)
        if queue and self._under_way.get(network, 0) < MOST_OF_ONE:
            place = queue[0][0]
            heappush(self._lightest, (self._burdens.get(network, 0), place, network))
            heappush(self._newest, (place, network))
            self._ready.add(network)

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
