"""Who sources are, as agents wrote it down and as the newest moments of a tape have it. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from agent.model.frame import Frame
from agent.model.inputs import Identities, Spared
from agent.model.learned import Learned
from agent.model.policy import Policy


def with_names(learned: Learned, frames: Sequence[Frame]) -> Learned:
    """Give what was learned, with the names that the newest moment has: it is written first."""
    if not frames:
        return learned
    return replace(learned, verified={**learned.verified, **frames[-1].learned.verified})


def known_by(
    policy: Policy, spared: Spared, learned: Learned, frames: Sequence[Frame]
) -> Identities:
    """Give the identities that a judgement of this moment may go by, but for the vendors.

    Args:
        policy: In force.
        spared: Who belongs to which entry, by files and what was learned.
        learned: Confirmed names, and what host names stood for.
        frames: The newest moments; empty without a tape.
    """
    last = frames[-1].inputs.identities if frames else Identities()
    waiting = (
        entry.name
        for entry in policy.allowlist
        if any(host not in learned.hosts for host in entry.hosts)
    )
    return Identities(
        found=spared.found,
        answered=frozenset((*learned.verified, *last.answered)),
        unread=last.unread.union(waiting),
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
