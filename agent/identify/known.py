"""Whose names are known, and for how long: those confirmed, and those that are nobody's.

Both are bounded, apart from each other, so that a million addresses of nobody push out no
crawler. Keys are packed addresses, 4 or 16 bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import inf

from agent.identify.confirm import Confirmed, Silence, above
from agent.model.address import Address, Prefix
from agent.model.learned import Verified

MOST_CONFIRMED = 10_000
MOST_NOBODY = 50_000
MOST_SILENT = 10_000

MOST_DUE = 200
"""Confirmed addresses that are asked for again in ten seconds."""

STALE_S = 7 * 86_400.0
"""How long a confirmed name is believed while DNS does not answer."""

REST_S = 2.0
"""Between two look-ups of an address that were not answered."""

MOST_SILENCES = 2
"""Look-ups in a row of an address whose own name servers do not answer, while others do:
then it is nobody's for a while, or whoever lets his own zone die would be waited for."""

SILENT_NOBODY_S = 60.0
_CONFIRMED_S = (60.0, 86_400.0)
_NOBODY_S = (30.0, 3600.0)
_SWEEP_S = 10.0
_BACK_OFF_S = (60.0, 3600.0)


def clamped(seconds: float, between: tuple[float, float]) -> float:
    """Give a time that is neither too short nor too long."""
    return min(max(seconds, between[0]), between[1])


def back_off(misses: int, between: tuple[float, float]) -> float:
    """Give how long to wait after so many failures in a row, at least 1: twice as long each."""
    return min(between[0] * 2.0 ** min(misses - 1, 30), between[1])


class Answered(AbstractSet[Address]):
    """Addresses, as a set of their packed forms."""

    __slots__ = ("_keys",)

    def __init__(self, keys: frozenset[bytes] = frozenset()) -> None:
        self._keys = keys

    def __contains__(self, address: object) -> bool:
        """Whether an address is in it."""
        return getattr(address, "packed", None) in self._keys

    def __iter__(self) -> Iterator[Address]:
        """Give each address, in no order."""
        return map(ip_address, self._keys)

    def __len__(self) -> int:
        """Count them."""
        return len(self._keys)


@dataclass(slots=True)
class _Mark:
    """A confirmed address.

    Attributes:
        verified: As it is told.
        prefix: The address as a network.
        at: When it was confirmed last, by the stopwatch.
        due: When to ask again.
        misses: How often in a row that was not answered.
    """

    verified: Verified
    prefix: Prefix
    at: float
    due: float
    misses: int = 0


@dataclass(slots=True)
class Known:
    """What came of asking for names.

    Attributes:
        stopwatch: Seconds that only grow.
        domains: The listed domains, each with the entries that list it.
        verified: Confirmed addresses, as they are told; to be copied, never iterated, by
            another thread.
        changed: Entries that somebody came to belong to, or does no longer.
        is_news: Whether the answered addresses are others than when `answered` was called.
    """

    stopwatch: Callable[[], float]
    domains: Mapping[str, frozenset[str]] = field(default_factory=dict)
    verified: dict[Address, Verified] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    is_news: bool = False
    _marks: dict[bytes, _Mark] = field(default_factory=dict)
    _nobody: dict[bytes, float] = field(default_factory=dict)
    _silent: dict[bytes, tuple[int, float]] = field(default_factory=dict)
    _members: dict[str, set[Prefix]] = field(default_factory=dict)
    _sweep_at: float = -inf

    def remember(self, learned: Mapping[Address, Verified], now: datetime) -> None:
        """Take over what an earlier run confirmed; it is asked again soon."""
        at = self.stopwatch()
        for address, verified in learned.items():
            age_s = clamped((now - verified.at) / timedelta(seconds=1), (0.0, inf))
            if age_s < STALE_S and len(self._marks) < MOST_CONFIRMED:
                self._mark(address, verified, at - age_s, at)

    def adopt(self, domains: Mapping[str, frozenset[str]]) -> None:
        """Go by the domains of another policy."""
        if not domains.keys() <= self.domains.keys():
            # Whoever was nobody by the old domains may be somebody now.
            self._nobody.clear()
            self.is_news = True
        self.domains = domains
        for mark in tuple(self._marks.values()):
            address = mark.prefix.network_address
            entries = self.entries_of(mark.verified.names)
            self._forget(address)
            if entries:
                verified = Verified(entries=entries, at=mark.verified.at, names=mark.verified.names)
                self._mark(address, verified, mark.at, mark.due)

    def entries_of(self, names: tuple[str, ...]) -> frozenset[str]:
        """Give the entries that list a domain of one of these names."""
        found = (self.domains.get(one, ()) for name in names for one in above(name))
        return frozenset(entry for entries in found for entry in entries)

    def is_settled(self, key: bytes) -> bool:
        """Whether nothing is to be asked about an address; safe from another thread."""
        if key in self._marks:
            return True
        until = self._nobody.get(key) or self._silent.get(key, (0, -inf))[1]
        return self.stopwatch() < until

    def take(self, address: Address, found: Confirmed, now: datetime) -> None:
        """Note what came of asking for an address."""
        at, entries = self.stopwatch(), self.entries_of(found.names)
        self._silent.pop(address.packed, None)
        if not entries:
            self.note_nobody(address, clamped(found.ttl_s, _NOBODY_S))
            return
        self._nobody.pop(address.packed, None)
        if address.packed not in self._marks and len(self._marks) >= MOST_CONFIRMED:
            self._forget(next(iter(self._marks.values())).prefix.network_address)
        due = at + clamped(found.ttl_s, _CONFIRMED_S)
        self._mark(address, Verified(entries=entries, at=now, names=found.names), at, due)

    def note_nobody(self, address: Address, lasts_s: float) -> None:
        """Note that an address is nobody's, for so long."""
        self._forget(address)
        while len(self._nobody) >= MOST_NOBODY:
            del self._nobody[next(iter(self._nobody))]
        self._nobody[address.packed] = self.stopwatch() + lasts_s
        self.is_news = True

    def miss(self, address: Address, silence: Silence, *, others_answer: bool) -> None:
        """Note that there was no answer, and whether others were answered meanwhile."""
        key, at = address.packed, self.stopwatch()
        mark = self._marks.get(key)
        if mark is not None:
            mark.misses += 1
            mark.due = at + back_off(mark.misses, _BACK_OFF_S)
            return
        is_own_fault = others_answer and silence is Silence.REVERSE
        silences = self._silent.pop(key, (0, 0.0))[0] + is_own_fault
        if silences >= MOST_SILENCES:
            self.note_nobody(address, SILENT_NOBODY_S)
            return
        while len(self._silent) >= MOST_SILENT:
            del self._silent[next(iter(self._silent))]
        self._silent[key] = (silences, at + REST_S)

    def sweep(self) -> tuple[Address, ...]:
        """Forget what is too old, and give confirmed addresses to ask for again."""
        now = self.stopwatch()
        if now < self._sweep_at:
            return ()
        self._sweep_at = now + _SWEEP_S
        for key in [key for key, until in self._nobody.items() if until <= now]:
            del self._nobody[key]
            self.is_news = True
        for mark in [one for one in self._marks.values() if now - one.at > STALE_S]:
            self._forget(mark.prefix.network_address)
        marks = [one for one in self._marks.values() if one.due <= now][:MOST_DUE]
        for mark in marks:
            mark.due = now + _BACK_OFF_S[0]
        return tuple(mark.prefix.network_address for mark in marks)

    @property
    def sweep_at(self) -> float:
        """When there may be something due, by the stopwatch."""
        return self._sweep_at if self._marks or self._nobody else inf

    def members(self, entry: str) -> frozenset[Prefix]:
        """Give the addresses that belong to an entry by their names."""
        return frozenset(self._members.get(entry, ()))

    def answered(self) -> Answered:
        """Give every address whose look-up had an outcome."""
        self.is_news = False
        return Answered(frozenset(self._nobody).union(self._marks))

    def _mark(self, address: Address, verified: Verified, at: float, due: float) -> None:
        last = self._marks.get(address.packed)
        if last is not None and last.verified.entries == verified.entries:
            last.verified, last.at, last.due, last.misses = verified, at, due, 0
        else:
            self._forget(address)
            prefix = ip_network((address.packed, address.max_prefixlen))
            self._marks[address.packed] = _Mark(verified, prefix, at, due)
            for entry in verified.entries:
                self._members.setdefault(entry, set()).add(prefix)
            self.changed |= verified.entries
            self.is_news = True
        self.verified[address] = verified

    def _forget(self, address: Address) -> None:
        mark = self._marks.pop(address.packed, None)
        if mark is None:
            return
        self.verified.pop(address, None)
        for entry in mark.verified.entries:
            self._members[entry].discard(mark.prefix)
        self.changed |= mark.verified.entries
        self.is_news = True
