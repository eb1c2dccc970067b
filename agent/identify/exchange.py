"""Asking name servers over UDP, many questions at once, without ever waiting for one.

A question that is not answered soon leaves its place to others, so that zones without a
server can't keep the others waiting.

Whatever a server does costs a bounded time: an answer is never asked for over TCP, one above
`MOST_BYTES` is not read, and a turn reads for a millisecond. Nobody but a server can answer:
each question has a socket, and so a source port, of its own, connected to that server, and a
random id.

Source: RFC 5452 (measures against forged answers).
"""

import secrets
import selectors
import socket
from collections import deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from math import inf
from typing import TypeAlias

from agent.identify.question import MOST_BYTES, Answer, Question, Reply
from agent.model.address import Address

DNS_PORT = 53
MOST_OPEN = 64
"""Questions under way at once; others wait for their turn."""

SLOW_AFTER_S = 0.5
"""A question without an answer for so long leaves its place to others, and waits on."""

MOST_SLOW = 128
"""Questions that wait on; the oldest is given up where there are more. With three servers
these and the others have 576 sockets at most, well below the usual limit of 1,024 files."""

MOST_TRIES = 3
"""How often a question is sent; to one server after the other."""

AGAIN_AFTER_S = (0.4, 0.6)
"""How long the first two tries are waited for; the last one as long as there is time."""

HEAR_S = 0.001
"""A turn reads so long, one datagram at least, and one of each question: whose answers are long
or wrong must not keep those of others unread."""

MOST_STRAYS = 16
"""Datagrams that are no answer to the question, after which a socket is heard no longer."""

Told: TypeAlias = Callable[[Answer | None], None]
Links: TypeAlias = dict[Address, socket.socket]


@dataclass(slots=True, eq=False)
class _Asked:
    """A question under way.

    Attributes:
        question: What.
        told: Is given the answer, or None.
        deadline: When it is given up, by the stopwatch.
        wire: As it is sent.
        servers: To send it to, in turn; those that refused are taken out.
        links: Open sockets by server.
        tries: How often it was sent.
        again_at: When to send it again.
        slow_at: When it has to leave its place.
        strays: What came and was no answer.
    """

    question: Question
    told: Told
    deadline: float
    wire: bytes
    servers: list[Address]
    links: Links = field(default_factory=dict)
    tries: int = 0
    again_at: float = -inf
    slow_at: float = inf
    strays: int = 0


@dataclass(slots=True)
class Exchange:
    """Questions under way.

    Attributes:
        servers: Gives the name servers, in order; at least one.
        stopwatch: Seconds that only grow.
        port: Theirs.
        breathe: Called when something came, before it is read.
        heard_at: When a server answered last, by the stopwatch.
    """

    servers: Callable[[], Sequence[Address]]
    stopwatch: Callable[[], float]
    port: int = DNS_PORT
    breathe: Callable[[], None] = lambda: None
    heard_at: float = -inf
    _due: float = inf
    _open: list[_Asked] = field(default_factory=list)
    _slow: list[_Asked] = field(default_factory=list)
    _waiting: deque[_Asked] = field(default_factory=deque)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    @property
    def is_full(self) -> bool:
        """Whether another question would have to wait."""
        return len(self._open) >= MOST_OPEN or bool(self._waiting)

    def wake_by(self, descriptor: int) -> None:
        """Have a turn end as soon as this descriptor can be read."""
        self._selector.register(descriptor, selectors.EVENT_READ, None)

    def ask(self, question: Question, deadline: float, told: Told) -> None:
        """Begin to ask.

        Args:
            question: What.
            deadline: Until when to wait, by the stopwatch.
            told: Is called once, in a later turn: with the answer, or with None.
        """
        from agent.identify.wire import encode  # noqa: PLC0415 - most policies ask nobody

        wire = encode(question, secrets.randbits(16))
        self._waiting.append(_Asked(question, told, deadline, wire, list(self.servers())))
        self._admit()

    def turn(self, most_s: float) -> bool:
        """Wait for datagrams, no longer than that, and send again or give up what is due.

        Returns:
            Whether it was woken.
        """
        ready = self._selector.select(max(0.0, min(self._due - self.stopwatch(), most_s)))
        self.breathe()
        links = [key.data for key, _ in ready if key.data is not None]
        until = self.stopwatch() + HEAR_S
        for asked, server in links:
            if server in asked.links:  # it may have ended by what another server said
                self._hear(asked, server)
            if self.stopwatch() >= until:
                break
        # What came while nobody looked is heard before it is given up.
        self._go_on({id(asked) for asked, _ in links})
        self._admit()
        return len(links) < len(ready)

    def close(self) -> None:
        """Give up all that is under way."""
        for asked in (*self._open, *self._slow):
            for server in tuple(asked.links):
                self._hang_up(asked, server)
        self._open.clear()
        self._slow.clear()
        self._selector.close()

    def _admit(self) -> None:
        """Send questions that waited, as far as there is room."""
        while self._waiting and len(self._open) < MOST_OPEN:
            asked = self._waiting.popleft()
            self._open.append(asked)
            asked.slow_at = self.stopwatch() + SLOW_AFTER_S
            self._send(asked)

    def _go_on(self, heard: AbstractSet[int]) -> None:
        now = self.stopwatch()
        if now < self._due:
            return
        for asked in (*self._slow, *self._open):
            if id(asked) in heard:
                continue
            if now >= asked.deadline:
                self._end(asked, None)
            elif now >= asked.again_at:
                self._send(asked)
            elif now >= asked.slow_at:
                self._step_aside(asked)
        under_way = (*self._slow, *self._open)
        self._due = min(
            (min(one.again_at, one.slow_at, one.deadline) for one in under_way), default=inf
        )

    def _step_aside(self, asked: _Asked) -> None:
        """Leave the place to another question, and wait on."""
        self._open.remove(asked)
        self._slow.append(asked)
        asked.slow_at = inf
        if len(self._slow) > MOST_SLOW:
            self._end(self._slow[0], None)

    def _send(self, asked: _Asked) -> None:
        """Send a question to the next server; one that can't be reached refuses."""
        server = asked.servers[asked.tries % len(asked.servers)]
        asked.tries += 1
        asked.again_at = inf
        if asked.tries < MOST_TRIES:
            asked.again_at = self.stopwatch() + AGAIN_AFTER_S[asked.tries - 1]
        self._due = min(self._due, asked.again_at, asked.slow_at, asked.deadline)
        try:
            link = asked.links.get(server) or self._link(asked, server)
            link.send(asked.wire)
        except OSError:
            self._refuse(asked, server)

    def _link(self, asked: _Asked, server: Address) -> socket.socket:
        family = socket.AF_INET if server.version == 4 else socket.AF_INET6  # noqa: PLR2004
        link = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            # The kernel takes a random port, and lets only this server's answers in.
            link.connect((str(server), self.port))
            self._selector.register(link, selectors.EVENT_READ, (asked, server))
        except OSError:
            link.close()
            raise
        asked.links[server] = link
        return link

    def _hear(self, asked: _Asked, server: Address) -> None:
        """Read one datagram."""
        from agent.identify.wire import decode  # noqa: PLC0415 - imported by now

        try:
            got = asked.links[server].recv(MOST_BYTES + 1)
        except BlockingIOError:  # it had a wrong checksum
            return
        except OSError:  # the port is closed there
            self._refuse(asked, server)
            return
        reply = decode(asked.wire, asked.question, got)
        if isinstance(reply, Answer):
            self.heard_at = self.stopwatch()
            self._end(asked, reply)
        elif reply is Reply.REFUSED or asked.strays >= MOST_STRAYS:
            self._refuse(asked, server)
        else:
            asked.strays += 1

    def _refuse(self, asked: _Asked, server: Address) -> None:
        """Hear this server no longer, and go to the next; without one give up."""
        self._hang_up(asked, server)
        asked.servers.remove(server)
        if not asked.servers or (asked.tries >= MOST_TRIES and not asked.links):
            asked.deadline = self._due = -inf
        elif asked.tries < MOST_TRIES:
            asked.again_at = self._due = -inf

    def _end(self, asked: _Asked, answer: Answer | None) -> None:
        (self._open if asked in self._open else self._slow).remove(asked)
        for server in tuple(asked.links):
            self._hang_up(asked, server)
        asked.told(answer)

    def _hang_up(self, asked: _Asked, server: Address) -> None:
        link = asked.links.pop(server, None)
        if link is not None:
            self._selector.unregister(link)
            link.close()
