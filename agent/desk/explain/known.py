"""Who sources are, as agents wrote it down and as the newest moments of a tape have it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent.model.address import Address, Prefix
from agent.model.frame import Frame
from agent.model.inputs import Found, Identities, Spared
from agent.model.learned import Learned


def with_names(learned: Learned, frames: Sequence[Frame]) -> Learned:
    """Give what was learned, with the names that the newest moment has: it is written first."""
    if not frames:
        return learned
    return replace(learned, verified={**learned.verified, **frames[-1].learned.verified})


def known_by(
    found: Found,
    learned: Learned,
    frames: Sequence[Frame],
    vendors: Mapping[str, frozenset[Prefix]],
) -> Identities:
    """Give the identities that a judgement of this moment may go by.

    Args:
        found: Who belongs to which entry, by files and what was learned.
        learned: Confirmed names.
        frames: The newest moments; empty without a tape.
        vendors: Networks of large CDNs.
    """
    last = frames[-1].inputs.identities if frames else Identities()
    answered: frozenset[Address] = frozenset((*learned.verified, *last.answered))
    return Identities(
        found=found,
        answered=answered,
        unread=last.unread,
        vendors=vendors,
    )


def joined(spared: Spared, frames: Sequence[Frame]) -> Spared:
    """Give whom no ban may reach, with whom the newest moment found to belong to an entry."""
    if not frames:
        return spared
    last = frames[-1].inputs.identities.found
    found = {
        name: prefixes | last.get(name, frozenset()) for name, prefixes in spared.found.items()
    }
    return replace(spared, found=found)
