"""How long the next ban of a source is."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from agent.model.inputs import PastBan
from agent.model.policy import Escalation


def length_of(
    first: timedelta, escalation: Escalation, past: Iterable[PastBan], now: datetime
) -> timedelta:
    """Give the length of a ban that follows on the earlier ones.

    Args:
        first: The rule's length of a first ban.
        escalation: How it grows; a cap below `first` does not shorten it.
        past: Earlier bans of the same source, whatever rule they came from.
        now: Bans that ended longer ago than `escalation.within` are forgotten.
    """
    since = now - escalation.within
    length = first
    for ban in past:
        if ban.ended >= since and length < escalation.up_to:
            length *= escalation.times
    return max(first, min(length, escalation.up_to))
