"""Tables of prefixes, for a look at who a ban covers that shares nothing with the agent's own."""

from collections import defaultdict
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from agent.model.address import AF_INET, MAPPED, Address, Prefix


class Nets:
    """Prefixes with a number each, to be asked about addresses."""

    def __init__(self, prefixes: Iterable[Prefix] = ()) -> None:
        self._known: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        for prefix in prefixes:
            self.add(prefix, 0)

    def add(self, prefix: Prefix, number: int) -> None:
        """Have one more; of two numbers for a prefix the first one stays."""
        shift = prefix.max_prefixlen - prefix.prefixlen
        network = int(prefix.network_address) >> shift
        self._known[prefix.version, shift].setdefault(network, number)

    def least(self, address: Address) -> int | None:
        """Give the least number of the prefixes that hold the address; None where none does."""
        whole, version = int(address), address.version
        found = (
            known.get(whole >> shift) for (at, shift), known in self._known.items() if at == version
        )
        return min((number for number in found if number is not None), default=None)

    def __contains__(self, address: Address) -> bool:
        """Whether one of the prefixes holds the address."""
        return self.least(address) is not None


def address_of(family: int, packed: bytes) -> Address:
    """Give the address of a socket's far end; one that is mapped is of IPv4."""
    if family == AF_INET:
        return IPv4Address(packed[:4])
    if packed.startswith(MAPPED):
        return IPv4Address(packed[12:16])
    return IPv6Address(packed[:16])
