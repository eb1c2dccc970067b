"""The work of the thread that asks: one turn does one thing, and waits for the next."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import inf

from agent.identify.confirm import Confirmed, Silence, confirm, resolve
from agent.identify.exchange import Exchange
from agent.identify.hosts import Both, Hosts
from agent.identify.known import Known
from agent.identify.lookups import begin
from agent.identify.post import Post
from agent.identify.range_files import RangeFiles
from agent.identify.turns import Turns
from agent.model.address import Address, Prefix
from agent.model.inputs import Identities
from agent.model.learned import Learned
from agent.model.policy import AllowEntry, Policy

LOOKUP_EVERY_S = 1 / 250
"""Between two look-ups, each of two questions as a rule."""

AGAIN_EVERY_S = 1 / 20
"""Between two look-ups of addresses that are confirmed, and only while no other waits."""

QUIET_S = 0.05
"""How long the thread stands still for a cycle before each thing it does. So it disturbs even
a long one by some ten datagrams a second, and gets on where one cycle follows the other."""

IDLE = 4.0
"""So much longer than it worked does the thread pause."""

SELDOM = 9.0
"""So much longer than it took to take over whom a cycle asks about is not done again: else
cycles that follow each other fast would leave no time to ask."""

REST_S = 0.004
"""The shortest pause; so it works for a millisecond at a time, or does one thing."""

PUBLISH_EVERY_S = 0.05
DEAD_AFTER = 3
"""Look-ups in a row, without a sign of any name server, after which that is told."""

DEAD_AFTER_S = 5.0
"""Since a server answered anybody: where it did lately, those look-ups were of addresses whose
own name servers do not answer."""

MOST_IN_TIME = 500
"""As many look-ups begin while a judgement waits for one."""

CROWD_TOLD_S = 60.0
_LONGEST_S = 60.0
_MOST_TOLD = 5
_NOTHING: frozenset[Prefix] = frozenset()


@dataclass(slots=True)
class Inquiry:
    """Asks for whom the policy names, and publishes what came of it.

    Attributes:
        post: From and to the cycles.
        exchange: To the name servers.
        learned: By an earlier run.
        vendors: Networks of large CDNs.
        known: Addresses and their names.
        hosts: The policy's host names.
        turns: Whom to ask about next.
    """

    post: Post
    exchange: Exchange
    learned: Learned
    vendors: Mapping[str, frozenset[Prefix]]
    known: Known = field(init=False)
    hosts: Hosts = field(init=False)
    turns: Turns = field(init=False)
    _files: RangeFiles = field(init=False)
    _policy: Policy | None = None
    _entries: dict[str, AllowEntry] = field(default_factory=dict)
    _found: dict[str, frozenset[Prefix]] = field(default_factory=dict)
    _stale: set[str] = field(default_factory=set)
    _again: deque[Address] = field(default_factory=deque)
    _lookup_at: float = -inf
    _again_at: float = -inf
    _publish_at: float = -inf
    _misses: int = 0
    _crowd_at: float = -inf
    _take_over_at: float = -inf
    _owed_s: float = 0.0
    _trouble_at: float = -inf

    def __post_init__(self) -> None:
        """Begin with what was learned."""
        self.known = Known(self.post.stopwatch)
        self.hosts = Hosts(self.post.stopwatch, self.learned.hosts)
        self.turns = Turns(self.post.stopwatch)
        self._files = RangeFiles(self.post.stopwatch, breathe=_breathe)
        self.exchange.wake_by(self.post.bell)
        self.exchange.breathe = self._stand_still

    @property
    def has_begun(self) -> bool:
        """Whether what was learned is taken over, and a policy."""
        return self._policy is not None

    def turn(self) -> None:
        """Do what is due, and wait until something is."""
        self._stand_still()
        began_s = time.thread_time()
        self._adopt()
        self._take_over()
        self._begin()
        if self.exchange.turn(self._wait_s()):
            self.post.hear()
        self._look_at_files()
        self._publish()
        self._rest(time.thread_time() - began_s)

    def _rest(self, worked_s: float) -> None:
        """Pause for the work that was done; not for each bit of it, which would take longer."""
        self._owed_s += IDLE * worked_s
        if self._owed_s >= REST_S:
            time.sleep(self._owed_s)
            self._owed_s = 0.0

    def _stand_still(self) -> None:
        """Wait for the end of a cycle that is under way."""
        self.post.free.wait(QUIET_S)

    def _adopt(self) -> None:
        """Go by the policy that is in force now."""
        policy = self.post.policy
        if policy is None or policy is self._policy:
            return
        if self._policy is None:
            self.known.remember(self.learned.verified, self.post.now())
        self._entries = {one.name: one for one in policy.allowlist if one.must_be_asked}
        domains: dict[str, set[str]] = {}
        for entry in self._entries.values():
            for name in entry.names:
                domains.setdefault(name, set()).add(entry.name)
        self.known.adopt({name: frozenset(entries) for name, entries in domains.items()})
        self.hosts.adopt(host for entry in self._entries.values() for host in entry.hosts)
        self._files.look(path for entry in self._entries.values() for path in entry.ranges)
        self._stale |= self._entries.keys()
        self._publish_at = -inf
        self._policy = policy

    def _take_over(self) -> None:
        """Go by whom the last cycle wants to ask about."""
        self.turns.release()
        began = self.post.stopwatch()
        if began < self._take_over_at or not (asked := self.post.take()):
            return
        self.turns.adopt(asked, self.known.is_settled, _breathe)
        now = self.post.stopwatch()
        self._take_over_at = now + SELDOM * (now - began)
        if self.turns.waiting > MOST_IN_TIME:
            self._crowd_at = self.post.stopwatch()

    def _begin(self) -> None:
        """Begin one look-up, if there is one to begin."""
        now = self.post.stopwatch()
        if now < self._ready_at():
            return
        if (host := self.hosts.next()) is not None:
            done = partial(self._take_host, host, now)
            begin(self.exchange, resolve(host), done)
        elif (address := self.turns.take()) is not None:
            self._ask(address, now)
        else:
            self._ask(self._again.popleft(), now)
            self._again_at = now + AGAIN_EVERY_S
        self._lookup_at = now + LOOKUP_EVERY_S

    def _ready_at(self) -> float:
        """Give when the next look-up may begin, by the stopwatch; never while too many are open."""
        if self.exchange.is_full:
            return inf
        waiting = -inf if self.turns.is_ready else self._again_at if self._again else inf
        return max(self._lookup_at, min(self.hosts.due, waiting))

    def _ask(self, address: Address, now: float) -> None:
        if not self.known.domains:
            self.turns.done(address, is_answered=True)
            return
        steps = confirm(address, self.known.domains.keys())
        begin(self.exchange, steps, partial(self._take, address, now))

    def _take(self, address: Address, began: float, found: Confirmed | Silence) -> None:
        is_answered = isinstance(found, Confirmed)
        is_heard = self._note_health(began, is_answered=is_answered)
        if isinstance(found, Confirmed):
            self.known.take(address, found, self.post.now())
        else:
            self.known.miss(address, found, others_answer=is_heard)
        self.turns.done(address, is_answered=is_answered)

    def _take_host(self, host: str, began: float, answers: Both) -> None:
        self._note_health(began, is_answered=any(answers))
        if self.hosts.take(host, answers):
            self._stale |= {name for name, one in self._entries.items() if host in one.hosts}

    def _note_health(self, began: float, *, is_answered: bool) -> bool:
        """Give whether a server answered anybody since a look-up began."""
        is_heard = is_answered or self.exchange.heard_at >= began
        self._misses = 0 if is_heard else self._misses + 1
        return is_heard

    def _look_at_files(self) -> None:
        """Read range files again that changed, and sweep what is old."""
        self._again.extend(self.known.sweep())
        if self.post.stopwatch() < self._files.due:
            return
        changed = self._files.look(path for one in self._entries.values() for path in one.ranges)
        self._stale |= {
            name for name, one in self._entries.items() if not changed.isdisjoint(one.ranges)
        }

    def _wait_s(self) -> float:
        """Give how long there is nothing to do but to hear answers."""
        publish_at = self._publish_at if self._has_news() else inf
        asked_at = self._take_over_at if self.post.has_asked else inf
        due = min(self._ready_at(), self._files.due, self.known.sweep_at, publish_at, asked_at)
        return min(due - self.post.stopwatch(), _LONGEST_S)

    def _has_news(self) -> bool:
        return bool(self._stale or self.known.changed or self.known.is_news)

    def _publish(self) -> None:
        """Give the cycles what is known by now, a new object only when it is news."""
        now = self.post.stopwatch()
        if now >= self._trouble_at:
            self._trouble_at = now + PUBLISH_EVERY_S
            self.post.trouble = self._trouble()
        if self._policy is None or not self._has_news() or now < self._publish_at:
            return
        self._publish_at = now + PUBLISH_EVERY_S
        stale = self._stale | self.known.changed
        self._stale, self.known.changed = set(), set()
        self._found = {
            name: self._of(entry) if name in stale else self._found[name]
            for name, entry in self._entries.items()
        }
        last = self.post.published
        answered = last[1].answered if last and not self.known.is_news else self.known.answered()
        unread = {
            name for name, one in self._entries.items() if any(map(self.hosts.is_open, one.hosts))
        }
        identities = Identities(
            found=self._found,
            answered=answered,
            unread=frozenset(unread),
            vendors=self.vendors,
        )
        self.post.published = (self._policy, identities)

    def _of(self, entry: AllowEntry) -> frozenset[Prefix]:
        """Give who belongs to an entry; the same object while they are the same."""
        found = frozenset().union(
            *(self._files.of(path) for path in entry.ranges),
            *(self.hosts.found.get(host, _NOTHING) for host in entry.hosts),
            self.known.members(entry.name),
        )
        last = self._found.get(entry.name)
        return last if last == found else found

    def _trouble(self) -> str | None:
        """Say why not everything can be identified, in words that stay the same meanwhile."""
        told = [str(fault) for fault in self._files.faults()[:_MOST_TOLD]]
        now = self.post.stopwatch()
        if self._misses >= DEAD_AFTER and now - self.exchange.heard_at > DEAD_AFTER_S:
            servers = ", ".join(map(str, self.exchange.servers()))
            told.append(f"no name server answers ({servers})")
        if now - self._crowd_at < CROWD_TOLD_S:
            told.append(
                "more addresses to ask about than can be asked in time: networks take turns"
            )
        return "; ".join(told) or None


def _breathe() -> None:
    """Leave the interpreter to a cycle."""
    time.sleep(0.001)
