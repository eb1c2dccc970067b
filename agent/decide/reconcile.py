"""What the ledger says beside what the firewall holds: one table.

| ledger | firewall | then |
| --- | --- | --- |
| yes | yes | keep |
| yes, more than 2 s left | no | restore, with the rest of its time |
| yes, not more | no | it expired |
| no | with our comment | adopt |
| no | without | lift: foreign |
| either | without a timer | lift: permanent |
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.model.address import Source
from agent.model.ban import Ban, Held, Target
from agent.model.plan import Lift

WORTH_RESTORING = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """How to make ledger and firewall agree; each in the order it was given."""

    keep: tuple[Ban, ...] = ()
    restore: tuple[Ban, ...] = ()
    expired: tuple[Ban, ...] = ()
    adopt: tuple[Held, ...] = ()
    lift: tuple[Lift, ...] = ()


def reconcile(recorded: Iterable[Ban], installed: Iterable[Held], now: datetime) -> Reconciliation:
    """Compare the bans that should be in force with those that are.

    Args:
        recorded: The ledger's, applied and not ended; each (source, target) once.
        installed: The firewall's, read back.
        now: A ban that was to end by now has expired, wherever it is missing.
    """
    ours = {_place(ban): ban for ban in recorded}
    held: dict[tuple[Source, Target], Held] = {(one.source, one.target): one for one in installed}
    missing = [ban for place, ban in ours.items() if place not in held]
    surplus = [one for place, one in held.items() if place not in ours and one.left is not None]
    return Reconciliation(
        keep=tuple(
            ban
            for place, ban in ours.items()
            if (one := held.get(place)) is not None and one.left is not None
        ),
        restore=tuple(ban for ban in missing if ban.rest(now) > WORTH_RESTORING),
        expired=tuple(ban for ban in missing if ban.rest(now) <= WORTH_RESTORING),
        adopt=tuple(one for one in surplus if one.ban_id is not None),
        lift=(
            *(Lift(held=one, reason="foreign") for one in surplus if one.ban_id is None),
            *(Lift(held=one, reason="permanent") for one in held.values() if one.left is None),
        ),
    )


def _place(ban: Ban) -> tuple[Source, Target]:
    """Where a firewall holds it; a firewall knows no zones."""
    return (Source(ban.source.prefix), ban.target)
