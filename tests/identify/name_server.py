"""A small name server on loopback that answers as a test tells it to, truthfully or not."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.rdataclass import IN
from dns.rdatatype import PTR

Behaviour = Callable[[bytes], Iterable[bytes]]
"""From a query to the datagrams that are sent back, in order."""

Zone = Mapping[tuple[str, str], Sequence[str]]
"""Records by name and type; a CNAME is found for any type."""


class NameServer:
    """Answers one query after the other, in a thread.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        asked: What it was asked, as (name, type), in order.
        ports: From where, in the same order.
        behaviour: How it answers; may be changed at any time.
    """

    def __init__(self, behaviour: Behaviour, address: str = "127.0.0.1", port: int = 0) -> None:
        self.behaviour = behaviour
        self.asked: list[tuple[str, str]] = []
        self.ports: list[int] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._ends.is_set():
            try:
                query, peer = self._socket.recvfrom(65_535)
            except (TimeoutError, ConnectionError):
                continue
            self.ports.append(peer[1])
            self.asked.append(question_of(query))
            for answer in self.behaviour(query):
                self._socket.sendto(answer, peer)

    def close(self) -> None:
        self._ends.set()
        self._thread.join(5)
        self._socket.close()


@contextmanager
def name_server(behaviour: Behaviour) -> Iterator[NameServer]:
    """Run a name server until the end of the block."""
    server = NameServer(behaviour)
    try:
        yield server
    finally:
        server.close()


def resolv_conf(folder: Path, *servers: str) -> Path:
    """Write a resolv.conf that names these servers."""
    path = folder / "resolv.conf"
    path.write_text("".join(f"nameserver {one}\n" for one in servers or ("127.0.0.1",)))
    return path


def question_of(query: bytes) -> tuple[str, str]:
    (question,) = dns.message.from_wire(query).question
    return question.name.to_text().removesuffix("."), question.rdtype.name


def answers(zone: Zone, *, ttl: int = 300) -> Behaviour:
    """Answer from a zone: chains of CNAME included, and NXDOMAIN for names without a record."""

    def answer(query: bytes) -> Iterator[bytes]:
        response = dns.message.make_response(dns.message.from_wire(query))
        name, kind = question_of(query)
        response.answer.extend(_chain(zone, name.lower(), kind, ttl))
        if not any(one.startswith(name.lower()) for one, _ in zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        yield response.to_wire(max_size=65_535)

    return answer


def _chain(zone: Zone, name: str, kind: str, ttl: int) -> Iterator[dns.rrset.RRset]:
    for _ in range(20):
        if records := zone.get((name, kind)):
            yield dns.rrset.from_text(f"{name}.", ttl, "IN", kind, *records)
            return
        if not (aliases := zone.get((name, "CNAME"))):
            return
        yield dns.rrset.from_text(f"{name}.", ttl, "IN", "CNAME", aliases[0])
        name = aliases[0].removesuffix(".")


def dead(_query: bytes) -> Iterable[bytes]:
    """Answer nothing."""
    return ()


def first_of(zone: Zone, otherwise: Behaviour = dead) -> Behaviour:
    """Answer from a zone for its own names, and otherwise for all others."""
    true = answers(zone)
    names = {name for name, _ in zone}
    return lambda query: (true if question_of(query)[0].lower() in names else otherwise)(query)


def slow(behaviour: Behaviour, seconds: float) -> Behaviour:
    """Answer late."""

    def answer(query: bytes) -> Iterable[bytes]:
        time.sleep(seconds)
        return behaviour(query)

    return answer


def changed(behaviour: Behaviour, change: Callable[[bytes], bytes]) -> Behaviour:
    """Answer with each datagram changed."""
    return lambda query: map(change, behaviour(query))


def failing(query: bytes) -> Iterable[bytes]:
    """Answer SERVFAIL."""
    response = dns.message.make_response(dns.message.from_wire(query))
    response.set_rcode(dns.rcode.SERVFAIL)
    yield response.to_wire()


def truncated(query: bytes) -> Iterable[bytes]:
    """Answer that it would only say so over TCP."""
    response = dns.message.make_response(dns.message.from_wire(query))
    response.flags |= dns.flags.TC
    yield response.to_wire()


def lying(query: bytes) -> Iterable[bytes]:
    """Answer for each address with another lie, as its owner can; of all else nothing is there."""
    name, _ = question_of(query)
    if not name.endswith(".arpa"):
        return answers({})(query)
    lies = (endless, crowded, truncated, strayed, failing, pretending)
    return lies[crc32(name.encode()) % len(lies)](query)


def endless(query: bytes) -> Iterable[bytes]:
    """Answer a chain of aliases that leads back to its beginning."""
    name, _ = question_of(query)
    chain = [f"{name}.", *(f"{at}.loop.example." for at in range(30)), f"{name}."]
    response = dns.message.make_response(dns.message.from_wire(query))
    for left, right in pairwise(chain):
        response.answer.append(dns.rrset.from_text(left, 1, "IN", "CNAME", right))
    yield response.to_wire(max_size=65_535)


def crowded(query: bytes) -> Iterable[bytes]:
    """Answer 1,700 names of crawlers, as many as a datagram holds."""
    yield _pretending(query, 1700)


def pretending(query: bytes) -> Iterable[bytes]:
    """Answer names of crawlers, more than are looked at."""
    yield _pretending(query, 20)


def _pretending(query: bytes, count: int) -> bytes:
    # Put together by hand: dnspython takes 0.2 s for so many, in which nobody else is answered.
    question = query[12 : query.index(b"\0", 12) + 5]
    header = query[:2] + struct.pack("!5H", 0x8180, 1, count, 0, 0)
    return header + question + b"".join(map(_crawler, range(count)))


def _crawler(number: int) -> bytes:
    """Give a record that says that whoever was asked about is this crawler."""
    labels = (f"crawl-{number}".encode(), b"googlebot", b"com", b"")
    name = b"".join(bytes([len(one)]) + one for one in labels)
    return struct.pack("!HHHIH", 0xC00C, PTR, IN, 1, len(name)) + name


def strayed(query: bytes) -> Iterable[bytes]:
    """Answer with wrong ids, and never with the right one."""
    response = dns.message.make_response(dns.message.from_wire(query)).to_wire()
    for at in range(1, 40):
        yield bytes([response[0] ^ at]) + response[1:]
