"""Banning, unbanning and allowing by hand."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.decide import by_hand
from agent.decide.by_hand import Order
from agent.desk.site import Site
from agent.errors import MissingSourceError, SparedError, StateError
from agent.model.address import Source, covers, is_line
from agent.model.inputs import Permit
from agent.model.plan import Lift, Plan
from agent.record.ledger import End
from agent.record.phrases import until

UNBANNED = "unbanned by hand"
ALLOWED = "allowed by hand"

GRACE = timedelta(minutes=30)
"""How long a source stays free after it was unbanned by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pardon:
    """What came of unbanning or allowing somebody.

    Attributes:
        lifted: The sources whose bans were lifted; each once.
        until: Until when they, and who was asked for, are left alone.
    """

    lifted: tuple[Source, ...]
    until: datetime


def ban(site: Site, order: Order) -> tuple[Permit, ...]:
    """Ban by hand; what happened is in the site's news.

    Returns:
        Permits of the very source, which end with this: a person's newest word counts.

    Raises:
        SparedError: It would reach somebody who is guarded or exempt, or a wider ban
            holds its place.
        FirewallError: The firewall failed.
        StateError: The ledger can't be written; the text says whether the ban holds.
    """
    installed = site.installed()
    bans = by_hand.bans_of(order, site.policy, site.now)
    ended = _own_permits(site, order.source)
    others = site.spare(one for one in site.ledger.permits(site.now) if one not in ended)
    reason = by_hand.why_spared(bans, site.policy, others, installed, site.now)
    if reason is not None:
        raise SparedError(f"{order.source} is not banned: {reason}")
    for one in bans:
        wider = by_hand.covering(one, installed)
        if wider is not None:
            raise SparedError(f"{order.source} is inside {wider.source}, which is banned already")
    if ended:
        _permit(site, [replace(permit, until=site.now) for permit in ended])
    site.installed()
    lifts = tuple(by_hand.replaced(bans, installed))
    site.accord.carry_out(Plan(add=bans, lift=lifts), site.now)
    in_force = {one.ban_id for one in site.ledger.in_force()}
    if in_force.issuperset(one.ban_id for one in bans):
        _demand_written(site, f"{order.source} is banned, but the ledger can't be written")
    return ended


def unban(site: Site, source: Source) -> Pardon:
    """Lift the bans of a source and keep it free for half an hour.

    Raises:
        MissingSourceError: It is not banned.
        FirewallError: The firewall failed.
        StateError: The ledger can't be written; the text says whether anything was changed.
    """
    installed = site.installed()
    lifts = by_hand.lifted(source, installed, UNBANNED)
    is_inside = by_hand.is_inside(source, installed)
    if not lifts and not is_inside:
        raise MissingSourceError(f"{source} is not banned{_why_free(site, source)}")
    freed = dict.fromkeys(lift.held.source for lift in lifts)
    known = {one.prefix: one.until for one in site.ledger.permits(site.now)}
    end = site.now + GRACE
    _permit(
        site,
        (
            Permit(prefix=each.prefix, until=end, why=UNBANNED)
            for each in ({**freed, source: None} if is_inside else freed)
            if known.get(each.prefix, site.now) < end
        ),
    )
    _lift(site, lifts)
    return Pardon(lifted=tuple(freed), until=end)


def allow(site: Site, source: Source, lasts: timedelta) -> Pardon:
    """Let a source pass for a while, whatever it does; its bans are lifted.

    Raises:
        FirewallError: The firewall failed.
        StateError: The ledger can't be written; the text says whether anything was changed.
    """
    lifts = by_hand.lifted(source, site.installed(), ALLOWED)
    end = site.now + lasts
    _permit(site, [Permit(prefix=source.prefix, until=end, why=ALLOWED)])
    _lift(site, lifts)
    return Pardon(lifted=tuple(dict.fromkeys(lift.held.source for lift in lifts)), until=end)


def _why_free(site: Site, source: Source) -> str:
    """Say how long a person's word keeps a source free, where one does."""
    ends = [
        permit.until
        for permit in site.ledger.permits(site.now)
        if covers(permit.prefix, source.prefix)
    ]
    return f"; it is free {until(max(ends))}" if ends else ""


def _lift(site: Site, lifts: tuple[Lift, ...]) -> None:
    """Lift bans once the kernel's allow set holds the new permits."""
    site.installed()
    if lifts:
        site.accord.carry_out(Plan(lift=lifts), site.now, how=End.FORGIVEN)
        _demand_written(site, "the bans are lifted, but may come back: the ledger can't be written")


def _permit(site: Site, permits: Iterable[Permit]) -> None:
    """Let pass, or no longer, before the firewall is touched: an agent goes by the ledger."""
    site.ledger.permit(*permits)
    _demand_written(site, "nothing was changed: the ledger can't be written")


def _demand_written(site: Site, otherwise: str) -> None:
    """See to it that what this command changed outlives it.

    Raises:
        StateError: It does not.
    """
    why = site.ledger.trouble()
    if why is not None:
        raise StateError(f"{otherwise}: {why}: make room, or mend the disk, and try again")


def _own_permits(site: Site, source: Source) -> tuple[Permit, ...]:
    """Give the permits of the very source, or of the line that it is on."""
    return tuple(
        one
        for one in site.ledger.permits(site.now)
        if one.prefix == source.prefix
        or (is_line(one.prefix) and covers(one.prefix, source.prefix))
    )
