"""Name servers of every kind of manners, each in a process of its own on 127.0.0.1.

Nothing of the agent and nothing of dnspython, so that the servers cost it nothing but what
they send. Source: RFC 1035 4.1 (messages), 4.1.4 (pointers).
"""

import heapq
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from struct import Struct

SLOW_S = 1.9
PORT = 53

_HEAD = Struct(">HHHHHH")
_PTR, _CNAME, _A = 12, 5, 1
_POINTER = b"\xc0\x0c"
_LARGEST = 1232

Behaviour = Callable[[bytes], list[bytes]]


def _labels(query: bytes) -> tuple[list[bytes], int, bytes]:
    """Give the labels of a query's name, what it asks of it, and its question section."""
    labels, at = [], _HEAD.size
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size])
        at += 1 + size
    return labels, int.from_bytes(query[at + 1 : at + 3], "big"), query[_HEAD.size : at + 5]


def _name(*labels: bytes) -> bytes:
    return b"".join(bytes([len(one)]) + one for one in labels) + b"\0"


def _record(name: bytes, kind: int, content: bytes) -> bytes:
    ttl_s = 300
    return name + Struct(">HHIH").pack(kind, 1, ttl_s, len(content)) + content


def _answer(query: bytes, records: list[bytes], flags: int = 0x8180) -> bytes:
    head = _HEAD.pack(int.from_bytes(query[:2], "big"), flags, 1, min(len(records), 65_535), 0, 0)
    return head + _labels(query)[2] + b"".join(records)


def good(query: bytes) -> list[bytes]:
    """Say that every address is a crawler."""
    labels, kind, _ = _labels(query)
    if kind == _PTR:
        name = _name(b"-".join(reversed(labels[:4])), b"googlebot", b"com")
        return [_answer(query, [_record(_POINTER, _PTR, name)])]
    address = bytes(int(part) for part in labels[0].split(b"-"))
    return [_answer(query, [_record(_POINTER, _A, address)])]


def dead(_query: bytes) -> list[bytes]:
    """Say nothing."""
    return []


def lying(query: bytes) -> list[bytes]:
    """Send twenty answers to other questions, then the truth."""
    (truth,) = good(query)
    other_id = bytes([truth[0] ^ 0xFF]) + truth[1:]
    other_name = truth[:13] + bytes([truth[13] ^ 1]) + truth[14:]
    return [*[other_id, other_name] * 10, truth]


def endless(query: bytes) -> list[bytes]:
    """Send 10,000 addresses, then a chain of aliases without an end, as long as is read."""
    many = _answer(query, [_record(_POINTER, _A, os.urandom(4))] * 10_000)[:65_000]
    chain, name = [], _POINTER
    for number in range(1000):
        target = _name(b"n%d" % number)
        chain.append(_record(name, _CNAME, target))
        name = target
        if sum(map(len, chain)) > _LARGEST - 100:
            break
    return [_answer(query, chain), many]


def full(query: bytes) -> list[bytes]:
    """Send as many names, and as many addresses, as are read: the dearest answers there are."""
    labels, kind, question = _labels(query)
    if kind == _PTR:
        names = (
            _name(b"-".join([*labels[:4], b"%d" % number]), b"googlebot", b"com")
            for number in range(20)
        )
        return [_answer(query, [_record(_POINTER, _PTR, name) for name in names])]
    record = len(_record(_POINTER, _A, bytes(4)))
    count = (_LARGEST - _HEAD.size - len(question)) // record
    return [_answer(query, [_record(_POINTER, _A, os.urandom(4)) for _ in range(count)])]


@contextmanager
def serving(behaviour: Behaviour, after_s: float = 0.0) -> Iterator[None]:
    """Run a name server in a process until the end of the block."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", PORT))
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _serve(server, behaviour, after_s)
    server.close()
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _serve(server: socket.socket, behaviour: Behaviour, after_s: float) -> None:
    """Be the child: never returns."""
    late: list[tuple[float, int, bytes, tuple[str, int]]] = []
    number = 0
    while True:
        wait_s = max(0.0, late[0][0] - time.monotonic()) if late else None
        if select.select([server], [], [], wait_s)[0]:
            query, peer = server.recvfrom(4096)
            number += 1
            heapq.heappush(late, (time.monotonic() + after_s, number, query, peer))
        while late and late[0][0] <= time.monotonic():
            *_, query, peer = heapq.heappop(late)
            for answer in behaviour(query):
                server.sendto(answer, peer)
