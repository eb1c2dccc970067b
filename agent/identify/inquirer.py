"""The identifier that asks: in a thread of its own, beside the cycles.

A cycle only looks at what was published, and hands over addresses. The thread keeps
out of its way, because whatever it does holds the interpreter: it does next to nothing from
a cycle's look to its questions, one thing at a time outside of it, and pauses for each.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Thread

from agent.identify.exchange import DNS_PORT, Exchange
from agent.identify.inquiry import Inquiry
from agent.identify.post import Post
from agent.identify.servers import Servers
from agent.model.address import Address, Prefix
from agent.model.inputs import Identities
from agent.model.learned import Learned, Verified
from agent.model.policy import Policy

RESOLV_CONF = Path("/etc/resolv.conf")
_POLL_S = 0.02
_END_S = 2.0


@dataclass(slots=True)
class Inquirer:
    """Identifies sources by asking name servers and by reading files.

    Attributes:
        stopwatch: Seconds that only grow.
        learned: By an earlier run.
        vendors: Networks of large CDNs by the vendor's name.
        resolv_conf: Where the name servers are named.
        port: Theirs.
    """

    stopwatch: Callable[[], float]
    learned: Learned = field(default_factory=Learned)
    vendors: Mapping[str, frozenset[Prefix]] = field(default_factory=dict)
    resolv_conf: Path = RESOLV_CONF
    port: int = DNS_PORT
    _post: Post = field(init=False)
    _inquiry: Inquiry | None = None
    _thread: Thread | None = None
    _known: Identities = field(init=False)
    _ends: bool = False
    _bug: str | None = None

    def __post_init__(self) -> None:
        """Begin with nothing but the vendors; the thread begins with the first policy."""
        self._post = Post(self.stopwatch)
        self._post.free.set()
        self._known = Identities(vendors=self.vendors)

    def look(self, policy: Policy, now: datetime) -> Identities:
        """Give what is known for the entries of a policy; the same object while nothing changed."""
        self._post.free.clear()
        self._post.set_clock(now)
        if policy is not self._post.policy:
            self._known = _meanwhile(self._known, self._post.policy, policy)
            self._post.policy = policy
            self._start(policy)
        published = self._post.published
        if published is not None and published[0] is policy:
            self._known = published[1]
        return self._known

    def ask(self, addresses: Sequence[Address], now: datetime) -> None:
        """Have addresses looked up whose names matter; with this a cycle ends."""
        self._post.set_clock(now)
        self._post.free.set()
        if self._inquiry is not None and addresses:
            self._post.put(addresses)

    def verified(self) -> Mapping[Address, Verified]:
        """Give the addresses with confirmed names."""
        inquiry = self._begun()
        return inquiry.known.verified.copy() if inquiry else self.learned.verified

    def hosts(self) -> Mapping[str, frozenset[Prefix]]:
        """Give what the policy's host names stood for last."""
        inquiry = self._begun()
        return inquiry.hosts.found.copy() if inquiry else self.learned.hosts

    def trouble(self) -> str | None:
        """Say why nothing, or not everything, can be identified; None while all is well."""
        return self._bug or self._post.trouble

    def settle(self, policy: Policy, now: datetime, within_s: float) -> None:
        """Wait until no entry is unread, for a run of one cycle; not for names."""
        end = self.stopwatch() + within_s
        while self.look(policy, now).unread and self.stopwatch() < end:
            self.ask((), now)
            time.sleep(_POLL_S)
        self.ask((), now)

    def close(self) -> None:
        """End the thread, if there is one."""
        if self._thread is not None:
            self._ends = True
            self._post.free.set()
            self._post.ring()
            self._thread.join(_END_S)
        self._post.close()

    def _begun(self) -> Inquiry | None:
        """Give what the thread does, once it has taken over what was learned."""
        return self._inquiry if self._inquiry and self._inquiry.has_begun else None

    def _start(self, policy: Policy) -> None:
        """Begin the thread, with the first policy that has something to ask; else only wake it."""
        if self._thread is not None:
            self._post.ring()
            return
        if not any(entry.must_be_asked for entry in policy.allowlist):
            return
        servers = Servers(self.resolv_conf, self.stopwatch)
        exchange = Exchange(servers, self.stopwatch, self.port)
        self._inquiry = Inquiry(self._post, exchange, self.learned, self.vendors)
        self._thread = Thread(target=self._run, args=(self._inquiry,), name="identify", daemon=True)
        self._thread.start()

    def _run(self, inquiry: Inquiry) -> None:
        while not self._ends:
            try:
                inquiry.turn()
            except Exception as error:  # noqa: BLE001 - whatever came in, the next turn comes
                self._bug = f"a bug: {type(error).__name__}: {error}"
                inquiry.turns.forget()
                time.sleep(1.0)
        inquiry.exchange.close()


def _meanwhile(known: Identities, last: Policy | None, policy: Policy) -> Identities:
    """Give what holds for a new policy until it was looked up: for the entries that it kept."""
    before = {entry.name: entry for entry in last.allowlist} if last else {}
    asked = {entry.name: entry for entry in policy.allowlist if entry.must_be_asked}
    kept = {name for name, entry in asked.items() if before.get(name) == entry}
    return replace(
        known,
        found={name: known.found[name] for name in kept & known.found.keys()},
        unread=frozenset((asked.keys() - kept) | (known.unread & kept)),
    )
