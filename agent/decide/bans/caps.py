"""What becomes of the bans that are asked for: the breaker first, then room, then the caps."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from agent.decide.bans import breaker
from agent.decide.bans.breaker import Fuse, Reach
from agent.decide.bans.clients import known, present
from agent.decide.bans.court import Bans, Court
from agent.decide.bans.wish import Wish
from agent.decide.case import Case
from agent.model.address import HOST, grouper, is_line, pack
from agent.model.alarm import Breaker
from agent.model.inputs import Inputs, Standing
from agent.model.learned import Clients
from agent.model.policy import Answer
from agent.model.sample import SOCKETS
from agent.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What is left of what was asked for.

    Attributes:
        bans: To be added, and what became of the verdicts that asked.
        fuse: The breaker after it.
        alarms: What there is to tell of the breaker.
    """

    bans: Bans
    fuse: Fuse
    alarms: tuple[Breaker, ...]


@dataclass(frozen=True, slots=True)
class Caps:
    """What keeps a cycle from doing harm.

    Attributes:
        court: What turns verdicts into bans.
        fuse: The breaker, as the last cycle left it.
        clients: Who was here before.
        inputs: The moment.
    """

    court: Court
    fuse: Fuse
    clients: Clients
    inputs: Inputs

    def granted(self, asking: Mapping[int, Case], verdicts: Mapping[int, Verdict]) -> Granted:
        """Grant what may be.

        Args:
            asking: The case of each verdict that asks for a ban, by its index, heaviest first.
            verdicts: Those verdicts, by the same.
        """
        court, policy, clients = self.court, self.court.policy, self.clients
        wishes = court.wishes(asking)
        hit = frozenset(key for wish in wishes for key in _keys_of(wish, asking))
        there = present(self.inputs.sample.tallies.get(SOCKETS, {})) if hit else frozenset()
        reach = self._reach(hit, there) if hit else None
        fuse, alarms = breaker.judged(self.fuse, policy, reach, court.now)
        spared = [wish for wish in wishes if fuse.is_open and breaker.spares(wish)]
        left = [wish for wish in wishes if not (fuse.is_open and breaker.spares(wish))]
        if court.is_nearly_full(left):
            # Whom the breaker spares is no less in the way of a wider ban than anybody else.
            guilty = frozenset(key for wish in left for key in _keys_of(wish, asking))
            left = court.roomy(left, (there | known(clients, clients)) - guilty)
        bans = court.bans(left, verdicts, spared)
        struck = self._struck(bans.granted, asking)
        return Granted(bans=bans, fuse=fuse.struck_after(struck, court.now), alarms=alarms)

    def _reach(self, hit: frozenset[bytes], there: frozenset[bytes]) -> Reach:
        standing = self.inputs.standing or Standing()
        return Reach(
            hit=hit,
            present=there,
            clients=self.clients,
            others=standing.others,
            others_known=standing.others_known,
        )

    def _struck(
        self, wishes: Iterable[Wish], asking: Mapping[int, Case]
    ) -> Iterator[tuple[bytes, datetime]]:
        """Give the known clients that are banned by this, and until when."""
        for wish in wishes:
            for key in known(self.clients, frozenset(_keys_of(wish, asking))):
                yield key, self.court.now + wish.lasts


def _keys_of(wish: Wish, asking: Mapping[int, Case]) -> Iterator[bytes]:
    """Give the keys of the hosts that a ban would hit, as far as they are counted; for a drop."""
    if wish.target[2] is not Answer.DROP:
        return
    key_of = grouper(HOST)
    if is_line(wish.source.prefix):
        yield key_of(*pack(wish.source.prefix.network_address))
        return
    for index in wish.verdicts:
        for row in asking[index].rows:
            yield key_of(row.family, row.packed)
