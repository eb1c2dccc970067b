"""Who the kept sources are: of all that is known of sources, what belongs to them. Pure."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from agent.model.address import HOST, Address, grouper, pack, unpack
from agent.model.inputs import Identities
from agent.model.learned import Learned, Verified
from agent.model.sample import Tally


@dataclass(slots=True)
class Known:
    """Gives the same objects for as long as nothing changed; remembers only what makes it cheap."""

    _addresses: dict[tuple[int, bytes], Address] = field(default_factory=dict)
    _identities: Identities = field(default_factory=Identities)
    _learned: Learned = field(default_factory=Learned)

    def identities(self, whole: Identities, rows: Tally) -> Identities:
        """Give who sources turned out to be.

        Whoever was found belongs to an entry stays, since a listed address spares those
        around it. Whoever was asked about in vain is told of those who are kept.
        """
        last = self._identities
        answered = self._answered(whole, rows) if whole.answered else frozenset()
        if (last.found, last.unread, last.answered) == (whole.found, whole.unread, answered):
            return last
        self._identities = Identities(
            found=last.found if last.found == whole.found else whole.found,
            answered=answered,
            unread=whole.unread,
        )
        return self._identities

    def _answered(self, whole: Identities, rows: Tally) -> frozenset[Address]:
        known = self._addresses
        self._addresses = {
            (family, packed): known.get((family, packed)) or unpack(family, packed)
            for family, _, _, packed in rows
        }
        return frozenset(one for one in self._addresses.values() if one in whole.answered)

    def learned(self, whole: Learned, kept: AbstractSet[bytes], *, is_start: bool) -> Learned:
        """Give the confirmed names of kept sources, and what host names stood for."""
        key_of, last = grouper(HOST), self._learned
        verified: dict[Address, Verified] = {
            address: one
            for address, one in whole.verified.items()
            if key_of(*pack(address)) in kept
        }
        tried = whole.tried if is_start else ""
        if (last.verified, last.hosts, last.tried) != (verified, whole.hosts, tried):
            self._learned = Learned(verified=verified, hosts=whole.hosts, tried=tried)
        return self._learned
