"""What a memory knows of sources from earlier moments: to a tape, and back out of it.

A tape keeps sources above a floor only, from some moment on. Who was ESTABLISHED within the
hour, and who is a known client, can't be learned from that again: so it is told.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from agent.decide.bans.clients import KNOWN_AFTER, known, present
from agent.decide.memory import Memory
from agent.decide.proof import Proven
from agent.model.inputs import Standing
from agent.model.sample import Tally


def standing_of(memory: Memory, tally: Tally, kept: Collection[bytes]) -> Standing:
    """Give what was known ahead of a moment.

    Args:
        memory: As the step before left it.
        tally: Of sockets: who is here.
        kept: Keys, of width `HOST`, of the sources to tell of one by one.
    """
    others = present(tally).difference(kept)
    return Standing(
        proven=frozenset(key for key in kept if key in memory.proven.seen),
        known=known(memory.clients, kept),
        others=len(others),
        others_known=len(known(memory.clients, others)),
    )


def as_told(memory: Memory, standing: Standing | None, now: datetime) -> Memory:
    """Give the memory with what is told in place of what it has learned; as it is without."""
    if standing is None:
        return memory
    at = int(now.timestamp())
    return replace(
        memory,
        proven=Proven(dict.fromkeys(standing.proven, at // 60), memory.proven.swept),
        clients=dict.fromkeys(standing.known, (KNOWN_AFTER, at)),
    )
