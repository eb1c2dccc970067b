"""Whom a command must not touch: the same as the agent spares, as far as it has written it down."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from agent.decide import guarded
from agent.identify.found import found_of
from agent.model.inputs import Permit, Spared
from agent.model.policy import USUAL, Policy
from agent.observe.surroundings import read_surroundings
from agent.record.learned import read_learned


def read_spared(
    folder: Path, policy: Policy | None, permits: Iterable[Permit], now: datetime
) -> Spared:
    """Give whom no ban may reach, beside what the policy lists.

    Args:
        folder: The state directory.
        policy: In force; without one only guards are given.
        permits: Those that hold.
        now: The moment.
    """
    administrators = policy.administrators if policy else USUAL
    learned = read_learned(folder)
    found = read_surroundings(administrators=administrators)
    return Spared(
        surroundings=guarded(found, permits, learned.sessions, now),
        found=found_of(policy, learned) if policy else {},
    )
