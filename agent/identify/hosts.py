"""What the host names of a policy stand for: asked again and again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from math import inf

from agent.identify.known import STALE_S, back_off, clamped
from agent.identify.question import Answer
from agent.model.address import Prefix

MOST_ADDRESSES = 64
"""Of one host name and family."""

_LASTS_S = (60.0, 3600.0)
_BACK_OFF_S = (2.0, 30.0)

Both = tuple[Answer | None, Answer | None]


@dataclass(slots=True)
class _Host:
    """A host name.

    Attributes:
        of4: Its IPv4 addresses.
        of6: Its IPv6 addresses.
        at4: When those were answered last, by the stopwatch.
        at6: Likewise.
        due: When to ask again.
        misses: How often in a row not all was answered.
        has_outcome: Whether asking has come to an end once, with or without an answer.
    """

    of4: frozenset[Prefix]
    of6: frozenset[Prefix]
    at4: float
    at6: float
    due: float = -inf
    misses: int = 0
    has_outcome: bool = False


@dataclass(slots=True)
class Hosts:
    """The host names of a policy.

    Attributes:
        stopwatch: Seconds that only grow.
        learned: What an earlier run found; believed until asking has an outcome.
        found: What each stands for; to be copied, never iterated, by another thread.
    """

    stopwatch: Callable[[], float]
    learned: Mapping[str, frozenset[Prefix]] = field(default_factory=dict)
    found: dict[str, frozenset[Prefix]] = field(default_factory=dict)
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def adopt(self, names: Iterable[str]) -> None:
        """Go by the host names of another policy."""
        wanted = dict.fromkeys(names)
        for name in self._hosts.keys() - wanted.keys():
            del self._hosts[name]
            self.found.pop(name, None)
        now = self.stopwatch()
        for name in wanted.keys() - self._hosts.keys():
            known = self.learned.get(name, frozenset())
            self._hosts[name] = _Host(
                of4=frozenset(one for one in known if one.version == 4),  # noqa: PLR2004
                of6=frozenset(one for one in known if one.version == 6),  # noqa: PLR2004
                at4=now,
                at6=now,
                has_outcome=bool(known),
            )
            if known:
                self.found[name] = known

    def next(self) -> str | None:
        """Give a host name that is to be asked for now; until its outcome it is not due again."""
        now = self.stopwatch()
        name = next((name for name, host in self._hosts.items() if host.due <= now), None)
        if name is not None:
            self._hosts[name].due = inf
        return name

    @property
    def due(self) -> float:
        """When to ask next, by the stopwatch."""
        return min((host.due for host in self._hosts.values()), default=inf)

    def is_open(self, name: str) -> bool:
        """Whether nothing came of asking for it yet."""
        host = self._hosts.get(name)
        return host is not None and not host.has_outcome

    def take(self, name: str, answers: Both) -> bool:
        """Note what came of asking for a name.

        Returns:
            Whether it stands for other addresses than before, or had no outcome before.
        """
        host, now = self._hosts.get(name), self.stopwatch()
        if host is None:
            return False
        was_open, host.has_outcome = not host.has_outcome, True
        of4, of6 = answers
        host.of4, host.at4 = _after(host.of4, host.at4, of4, now)
        host.of6, host.at6 = _after(host.of6, host.at6, of6, now)
        if of4 and of6:
            host.misses, host.due = 0, now + clamped(min(of4.ttl_s, of6.ttl_s), _LASTS_S)
        else:
            host.misses += 1
            host.due = now + back_off(host.misses, _BACK_OFF_S)
        before, after = self.found.get(name), host.of4 | host.of6
        self.found[name] = after
        return was_open or before != after


def _after(
    known: frozenset[Prefix], at: float, answer: Answer | None, now: float
) -> tuple[frozenset[Prefix], float]:
    """Give the addresses of one family; without an answer the last ones, for seven days."""
    if answer is None:
        return (known, at) if now - at <= STALE_S else (frozenset(), at)
    # Sorted, so that a server that turns the order around takes nobody out again.
    some = sorted(answer.addresses, key=int)[:MOST_ADDRESSES]
    return frozenset(ip_network((one.packed, one.max_prefixlen)) for one in some), now
