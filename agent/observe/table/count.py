"""The answer to a dump of all connections, counted as it comes. Pure.

Whatever an attacker has opened, or forged, there is room for so many groups as there are
listening ports, for `MOST_KEPT` sockets of each kind, and for `MOST_DESTINATIONS`.
"""

from collections.abc import Collection, Mapping
from struct import Struct

from agent.model.address import AF_INET, MAPPED, Address, unpack
from agent.model.sample import State
from agent.observe.inet_diag import rows
from agent.observe.table.heavy import Heavy
from agent.observe.table.rows import ROW, ages
from agent.observe.table.some import Some
from agent.observe.table.values import (
    OUTGOING,
    Destination,
    Group,
    Listening,
    Socket,
    Sockets,
    Uses,
)

MOST_KEPT = 2_000
"""Sockets of one kind: of one state, with or without something unread or unsent."""

MOST_DESTINATIONS = 20_000
MOST_TOLD = 20

_PORT = Struct(">H")
_OUT = b""
_PACKED_BYTES = 20
_NO_INTERFACE = bytes(4)
_STATE_OF = {int(state): state for state in State}
_KEPT = frozenset(_STATE_OF) - {State.TIME_WAIT, State.SYN_RECV, State.LISTEN, State.CLOSE}

Kind = tuple[int, bool, bool]


class Count:
    """One answer. Feed it with `take` until that is true, then ask for `result`."""

    def __init__(
        self,
        listening: tuple[Listening, ...],
        port_range: tuple[int, int],
        watched: Collection[int] = (),
    ) -> None:
        self._listening, self._range = listening, port_range
        self._ports = frozenset(_PORT.pack(one.port) for one in listening)
        self._chosen = range(port_range[0], port_range[1] + 1)
        self._watched = watched
        self._groups: dict[tuple[int, bytes], list[int]] = {}
        self._some: dict[Kind, Some] = {}
        self._again: dict[int, bytes] = {}
        self._heavy = Heavy(MOST_DESTINATIONS)

    def take(self, chunk: bytes) -> bool:
        """Count the rows of a chunk; true when it ends the answer.

        Raises:
            RefusedError: The kernel says that it won't tell.
            ObserveError: The kernel says that it failed, or the chunk is malformed.
        """
        for payload in rows(chunk):
            if payload is None:
                return True
            self._add(payload)
        return False

    def _add(self, row: bytes) -> None:
        family, state, _, tries, local, to, here, there, cookie, unread, unsent, _, inode = (
            ROW.unpack_from(row)
        )
        port = local if local in self._ports else _OUT
        group = self._groups.get((state, port))
        if group is None:
            group = self._groups[state, port] = [0] * 7
        group[0] += 1
        if unread:
            group[1] += 1
            group[2] += unread
        if unsent:
            group[3] += 1
            group[4] += unsent
        group[5] += tries > 0
        group[6] += not inode
        if port is _OUT:
            # A mapped address shares its ports with the IPv4 address that it is.
            if there.startswith(MAPPED):
                family, here, there = AF_INET, _plain(here), _plain(there)
            self._go_out(state, local, (bytes((family,)), here, there, to))
        if state in _KEPT:
            self._keep(cookie, (state, unread > 0, unsent > 0), row)

    def _go_out(self, state: int, local: bytes, way: tuple[bytes, ...]) -> None:
        if _PORT.unpack(local)[0] in self._chosen:
            self._heavy.add(way, state != State.TIME_WAIT)

    def _keep(self, cookie: int, kind: Kind, row: bytes) -> None:
        some = self._some.get(kind)
        if some is None:
            some = self._some[kind] = Some(MOST_KEPT)
        if some.wants(cookie):
            some.add(cookie, row)
        # Also where it is wanted: once the step has doubled it may be no more.
        if cookie in self._watched:
            self._again[cookie] = row

    def result(self) -> Sockets:
        """Give what was counted.

        Raises:
            ObserveError: A row can't be read to its end.
        """
        return Sockets(
            groups=self._told_groups(),
            listening=self._listening,
            kept=self._told_sockets(),
            destinations=self._told_destinations(),
            port_range=self._range,
        )

    def _told_groups(self) -> dict[tuple[State, int], Group]:
        names = ("count", "unread", "unread_bytes", "unsent", "unsent_bytes", "retried", "orphans")
        told: dict[tuple[State, int], Group] = {}
        for (number, port), numbers in self._groups.items():
            key = _STATE_OF.get(number, State.SYN_RECV), _port(port)
            told[key] = told.get(key, Group()) + Group(**dict(zip(names, numbers, strict=True)))
        return told

    def _told_sockets(self) -> Mapping[int, Socket]:
        told = {cookie: _socket(row, self._ports, 0) for cookie, row in self._again.items()}
        for some in self._some.values():
            for cookie, row in some.rows.items():
                told[cookie] = _socket(row, self._ports, some.step)
        return told

    def _told_destinations(self) -> Mapping[Destination, Uses]:
        most = sorted(self._heavy.counts.items(), key=lambda one: -sum(one[1]))[:MOST_TOLD]
        return {
            Destination(
                local=_address(key[0][0], key[1]),
                remote=_address(key[0][0], key[2]),
                port=_port(key[3]),
            ): Uses(lingering=lingering, live=live)
            for key, (lingering, live) in most
        }


def _socket(row: bytes, ports: Collection[bytes], stands_for: int) -> Socket:
    family, state, timer, tries, local, to, _, there, _, unread, unsent, uid, inode = (
        ROW.unpack_from(row)
    )
    acked_ms, received_ms = ages(row)
    return Socket(
        state=_STATE_OF[state],
        port=_port(local) if local in ports else OUTGOING,
        remote=_address(family, there),
        remote_port=_port(to),
        timer=timer,
        tries=tries,
        unread=unread,
        unsent=unsent,
        uid=uid,
        inode=inode,
        acked_ms=acked_ms,
        received_ms=received_ms,
        stands_for=stands_for,
    )


def _plain(mapped: bytes) -> bytes:
    """Give a mapped address as that of an IPv4 socket is told."""
    return mapped[12:16] + bytes(len(mapped) - 4)


def _port(packed: bytes) -> int:
    return int.from_bytes(packed) or OUTGOING


def _address(family: int, packed: bytes) -> Address:
    """Give an address; one that is mapped as the IPv4 address that it is."""
    whole = packed + _NO_INTERFACE if len(packed) < _PACKED_BYTES else packed
    if whole.startswith(MAPPED):
        return unpack(AF_INET, _plain(whole))
    return unpack(family, whole)
