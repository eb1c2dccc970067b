"""What of an address a number of drop bans reach, found by the address's bytes. Pure.

The rows of a table ask for every address that they have: the answer for each is worked
out once, by one look-up for each length of prefix, whatever the number of bans.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from agent.model.address import AF_INET, AF_INET6, MAPPED, Prefix
from agent.model.ban import Ban
from agent.model.layout import HOST_AND_SSH_DROP
from agent.model.policy import Answer, Scope

_IPV4_BYTES = 4
_VERSIONS = {AF_INET: 4, AF_INET6: 6}
_BITS = {4: 32, 6: 128}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What of one address is covered; false when nothing is.

    Attributes:
        ports: Covered under scope service.
        spared: Everything but these ports is covered under scope host; None when the
            host is not.
    """

    ports: frozenset[int] = frozenset()
    spared: frozenset[int] | None = None

    def __bool__(self) -> bool:
        """Whether anything is covered."""
        return bool(self.ports) or self.spared is not None

    def __or__(self, other: "Reach") -> "Reach":
        """Give what either covers."""
        spared = self.spared
        if spared is None or other.spared is None:
            spared = other.spared if spared is None else spared
        else:
            spared &= other.spared
        return Reach(ports=self.ports | other.ports, spared=spared)

    def covers(self, *ports: int) -> bool:
        """Whether traffic is covered that knows the last of these local ports by all of them.

        They differ where the kernel translates ports: a service is known by the port that
        its socket has, and spared is what goes by a spared port at either place.
        """
        if ports[-1] in self.ports:
            return True
        return self.spared is not None and self.spared.isdisjoint(ports)


NOTHING = Reach()
_Tables: TypeAlias = dict[tuple[int, int], dict[int, Reach]]
"""By version and the bits of a host; then by what is left of the address without these."""


class Reaches(dict[tuple[int, bytes], Reach]):
    """The reach of every address, by family and address; of a family we don't know nothing.

    What no ban is about has `NOTHING` itself, so that a row costs no call.

    Four bytes are the address of IPv4, whatever follows them.
    """

    def __init__(self, bans: Iterable[Ban], allowed: Iterable[Prefix], ssh: frozenset[int]) -> None:
        super().__init__()
        drops = (ban for ban in bans if ban.answer is Answer.DROP)
        self._banned = _tables((ban.source.prefix, _reach(ban, ssh)) for ban in drops)
        self._allowed = _tables((one, _EVERYTHING) for one in allowed)

    @property
    def is_empty(self) -> bool:
        """Whether no address is reached."""
        return not self._banned

    def __missing__(self, address: tuple[int, bytes]) -> Reach:
        """Work it out and remember it."""
        reach = self[address] = self._find(*address)
        return reach

    def _find(self, family: int, address: bytes) -> Reach:
        if family == AF_INET6 and address.startswith(MAPPED):
            family, address = AF_INET, address[len(MAPPED) :]
        version = _VERSIONS.get(family, 0)
        number = int.from_bytes(address[:_IPV4_BYTES] if family == AF_INET else address)
        found = _look_up(self._banned, version, number)
        return NOTHING if found and _look_up(self._allowed, version, number) else found


_EVERYTHING = Reach(spared=frozenset())


def _reach(ban: Ban, ssh: frozenset[int]) -> Reach:
    if ban.scope is Scope.HOST:
        return _EVERYTHING if ban.target == HOST_AND_SSH_DROP else Reach(spared=ssh)
    return Reach(ports=ban.service.ports) if ban.service else NOTHING


def _tables(reaches: Iterable[tuple[Prefix, Reach]]) -> _Tables:
    tables: _Tables = {}
    for prefix, reach in reaches:
        host_bits = _BITS[prefix.version] - prefix.prefixlen
        table = tables.setdefault((prefix.version, host_bits), {})
        network = int(prefix.network_address) >> host_bits
        table[network] = table.get(network, NOTHING) | reach
    return tables


def _look_up(tables: _Tables, version: int, number: int) -> Reach:
    """Give all that any prefix with this address reaches."""
    reach = NOTHING
    for (of_version, host_bits), table in tables.items():
        found = table.get(number >> host_bits) if of_version == version else None
        if found is not None:
            reach |= found
    return reach
