"""Who the kept sources are: of all that is known of sources, what belongs to them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.model.address import Address, unpack
from agent.model.inputs import Identities
from agent.model.learned import Learned
from agent.model.sample import Tally


@dataclass(slots=True)
class Known:
    """Gives the same objects for as long as nothing changed.

    Attributes:
        identities: Whoever was found to belong to an entry, since a listed address spares
            those around it; and which of the kept were asked about.
        learned: The confirmed names of the kept, and what host names stood for.
    """

    identities: Identities = field(default_factory=Identities)
    learned: Learned = field(default_factory=Learned)
    _addresses: dict[tuple[int, bytes], Address] = field(default_factory=dict)

    def take(self, identities: Identities, learned: Learned, rows: Tally) -> None:
        """Take what is known at a moment.

        Args:
            identities: Of all sources.
            learned: Likewise.
            rows: Of those that are kept.
        """
        is_of_use = identities.answered or learned.verified
        kept = self._kept(rows) if is_of_use else ()
        self._take_identities(identities, kept)
        self._take_learned(learned, kept)

    def _kept(self, rows: Tally) -> Iterable[Address]:
        """Give the addresses of the rows; most of them were made for the moment before."""
        known = self._addresses
        self._addresses = {
            (family, packed): known.get((family, packed)) or unpack(family, packed)
            for family, _, _, packed in rows
        }
        return self._addresses.values()

    def _take_identities(self, whole: Identities, kept: Iterable[Address]) -> None:
        last = self.identities
        answered = frozenset([one for one in kept if one in whole.answered])
        if (last.found, last.unread, last.answered) != (whole.found, whole.unread, answered):
            found = last.found if last.found == whole.found else whole.found
            self.identities = Identities(found=found, answered=answered, unread=whole.unread)

    def _take_learned(self, whole: Learned, kept: Iterable[Address]) -> None:
        last = self.learned
        verified = {one: whole.verified[one] for one in kept if one in whole.verified}
        if (last.verified, last.hosts, last.tried) != (verified, whole.hosts, whole.tried):
            self.learned = Learned(verified=verified, hosts=whole.hosts, tried=whole.tried)
