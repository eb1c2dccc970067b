"""What the agent has learned, in a file of the state directory.

A line with the kind of file and a checksum over the rest; a line of JSON with sessions,
names and hosts; then the known clients, packed: for each width of key all keys, then both
numbers of each, 8 bytes a number, in the order of the keys.
"""

import json
import os
import sys
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from itertools import chain, islice
from pathlib import Path
from stat import S_ISREG
from threading import Lock, Thread
from typing import Any
from zlib import crc32

from agent.model.address import Address, Prefix
from agent.model.learned import Clients, Learned, Verified
from agent.record.folder import give_away

NAME = "learned"
MOST_BYTES = 16 * 1024 * 1024
MOST_CLIENTS = 50_000
MOST_NAMED = 10_000
"""Of sessions, of confirmed addresses, and of hosts."""

_KIND = b"abuse-agent learned 1"
_WIDTHS = (4, 16, 20)
_LARGEST = 2**40
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


def read_learned(folder: Path) -> Learned:
    """Read what an earlier run has written; nothing where there is no sound file."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(folder / NAME, flags), "rb") as stream:
            if not S_ISREG(os.fstat(stream.fileno()).st_mode):
                return Learned()
            return parse_learned(stream.read(MOST_BYTES + 1))
    except OSError:
        return Learned()


def keep_learned(folder: Path, learned: Learned) -> None:
    """Write it down, all or nothing; a disk that refuses is tried again next time."""
    content = render_learned(learned)
    if len(content) > MOST_BYTES:
        return
    new = folder / f"{NAME}.new"
    with suppress(OSError):
        new.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(new, flags, 0o640)
        with os.fdopen(descriptor, "wb") as stream:
            give_away(descriptor, folder)
            stream.write(content)
        new.replace(folder / NAME)


@dataclass(slots=True)
class Keeper:
    """Writes down what was learned, in a thread: neither its size nor the disk delays a cycle.

    The process does not end before that is done, unless it is made to.

    Attributes:
        folder: The state directory.
    """

    folder: Path
    _next: Learned | None = None
    _is_writing: bool = False
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, learned: Learned) -> None:
        """Begin to write; while the last time is not over yet, only the newest waits for it."""
        own = replace(learned, clients=dict(learned.clients))
        with self._lock:
            self._next = own
            if self._is_writing:
                return
            self._is_writing = True
        Thread(target=self._write, name="keep").start()

    def _write(self) -> None:
        try:
            while (learned := self._taken()) is not None:
                keep_learned(self.folder, learned)
        except BaseException:
            self._is_writing = False
            raise

    def _taken(self) -> Learned | None:
        """Give what is to be written; with None nobody writes any longer."""
        with self._lock:
            learned, self._next = self._next, None
            self._is_writing = learned is not None
            return learned


def render_learned(learned: Learned) -> bytes:
    """Write it as the content of the file."""
    clients: dict[int, list[bytes]] = {width: [] for width in _WIDTHS}
    for key in islice(learned.clients, MOST_CLIENTS):
        clients[len(key)].append(key)
    told = {
        "sessions": {str(who): round(at.timestamp()) for who, at in learned.sessions.items()},
        "verified": {
            str(who): [round(one.at.timestamp()), sorted(one.entries), one.names]
            for who, one in learned.verified.items()
        },
        "hosts": {host: sorted(map(str, found)) for host, found in learned.hosts.items()},
        "clients": {width: len(keys) for width, keys in clients.items()},
        "tried": learned.tried,
    }
    blocks = (block for keys in clients.values() for block in _packed(keys, learned.clients))
    rest = b"".join((json.dumps(told).encode(), b"\n", *blocks))
    return b"%s %08x\n%s" % (_KIND, crc32(rest), rest)


def parse_learned(content: bytes) -> Learned:
    """Read the content of the file; nothing where it is damaged, too large or of another kind."""
    head, _, rest = content.partition(b"\n")
    if head != b"%s %08x" % (_KIND, crc32(rest)) or len(content) > MOST_BYTES:
        return Learned()
    told, _, packed = rest.partition(b"\n")
    try:
        document = json.loads(told)
        return Learned(
            clients=dict(_clients(document["clients"], packed)),
            sessions=dict(_sessions(document["sessions"])),
            verified=dict(_verified(document["verified"])),
            hosts=dict(_hosts(document["hosts"])),
            tried=str(document["tried"]),
        )
    except _DAMAGED:
        return Learned()


def _packed(keys: list[bytes], clients: Clients) -> Iterator[bytes]:
    yield b"".join(keys)
    numbers = array("Q", chain.from_iterable(map(clients.__getitem__, keys)))
    if sys.byteorder == "big":
        numbers.byteswap()
    yield numbers.tobytes()


def _clients(counts: Mapping[str, int], packed: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    left = memoryview(packed)
    if sum(counts.values()) > MOST_CLIENTS:
        raise ValueError("too many clients")
    for width in _WIDTHS:
        count = counts[str(width)]
        keys, left = left[: width * count], left[width * count :]
        numbers = array("Q", left[: 16 * count].tobytes())
        left = left[16 * count :]
        if sys.byteorder == "big":
            numbers.byteswap()
        for at in range(count):
            pair = (numbers[2 * at], numbers[2 * at + 1])
            if max(pair) < _LARGEST:
                yield keys[width * at : width * (at + 1)].tobytes(), pair


def _sessions(told: Mapping[str, int]) -> Iterator[tuple[Address, datetime]]:
    for who, at in islice(told.items(), MOST_NAMED):
        yield _address(who), _moment(at)


def _verified(told: Mapping[str, Any]) -> Iterator[tuple[Address, Verified]]:
    for who, (at, entries, names) in islice(told.items(), MOST_NAMED):
        yield (
            _address(who),
            Verified(
                entries=frozenset(map(str, entries)), at=_moment(at), names=tuple(map(str, names))
            ),
        )


def _hosts(told: Mapping[str, list[str]]) -> Iterator[tuple[str, frozenset[Prefix]]]:
    for host, found in islice(told.items(), MOST_NAMED):
        yield host, frozenset(ip_network(one.partition("%")[0]) for one in found)


def _address(text: str) -> Address:
    """Read an address; an interface of ours is a number, and nothing knows it by its name."""
    address, _, zone = text.partition("%")
    return ip_address(text if zone.isdecimal() else address)


def _moment(numbers: int) -> datetime:
    return datetime.fromtimestamp(numbers, UTC)
