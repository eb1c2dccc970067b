"""Entries that hold no longer, or soon will not."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from agent.model.caution import Caution
from agent.model.policy import AllowEntry
from agent.policy.cautions.parties import about

SOON = timedelta(days=7)
"""Time enough to be asked whether it goes on."""


def end_cautions(allowlist: Iterable[AllowEntry], now: datetime) -> Iterator[Caution]:
    """Tell of them."""
    for entry in allowlist:
        if entry.until is None or entry.until - now > SOON:
            continue
        has_ended, end = entry.until <= now, f"{entry.until:%Y-%m-%d %H:%M} UTC"
        ended = f"{entry.name} ended at {end}, and spares nobody: remove it, or give a later until"
        ends = f"{entry.name} ends at {end}: give a later until if it has to hold for longer"
        yield Caution(
            kind="expired" if has_ended else "ends-soon",
            about=(*about(entry), "until"),
            problem=ended if has_ended else ends,
        )


def holds_at(entry: AllowEntry, now: datetime) -> bool:
    """Whether an entry is in force at a moment."""
    return entry.until is None or now < entry.until
