"""What the ledger has of one source."""

from dataclasses import dataclass, field

from agent.desk.explain.values import Past
from agent.desk.site import look_at_ledger
from agent.desk.where import Where
from agent.model.address import Prefix, overlaps
from agent.model.ban import Ban, Held, place_of
from agent.model.inputs import History, Permit
from agent.record.sqlite.earlier import read_earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The ledger, as far as a judgement and a reader need it.

    Attributes:
        past: What is about the source.
        permits: Everybody's.
        history: Likewise.
        held: Bans of the neighbourhood as the firewall should hold them.
    """

    past: Past = field(default_factory=Past)
    permits: tuple[Permit, ...] = ()
    history: History = field(default_factory=dict)
    held: tuple[Held, ...] = ()


def read_recorded(where: Where, prefix: Prefix, wide: Prefix) -> Recorded:
    """Look into the ledger; empty where nobody ever kept one.

    Args:
        where: Where it is.
        prefix: Whose bans are told.
        wide: Whose matter to its judgement.

    Raises:
        BusyError: Somebody else keeps it locked.
        StateError: This user may not look into it, or it is damaged.
    """
    ledger = look_at_ledger(where)
    if ledger is None:
        return Recorded()
    now = where.now
    alive = [
        ban for ban in ledger.in_force() if ban.rest(now) and overlaps(ban.source.prefix, wide)
    ]
    own = [ban for ban in alive if overlaps(ban.source.prefix, prefix)]
    earlier = read_earlier(
        where.folder, prefix, boot_id=where.boot_id, stopwatch=where.stopwatch, now=now
    )
    permits = ledger.permits(now)
    return Recorded(
        past=Past(
            in_force=tuple(sorted(own, key=lambda ban: (-ban.rest(now), ban.source.order))),
            earlier=earlier,
            permits=tuple(one for one in permits if overlaps(one.prefix, prefix)),
        ),
        permits=permits,
        history=ledger.history(),
        held=tuple(_held(ban, where) for ban in alive),
    )


def _held(ban: Ban, where: Where) -> Held:
    source, target = place_of(ban)
    return Held(source=source, target=target, left=ban.rest(where.now), mark=None, rate=ban.rate)
