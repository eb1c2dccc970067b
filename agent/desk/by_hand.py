"""Banning, unbanning and allowing by hand."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.decide import by_hand
from agent.decide.by_hand import Order
from agent.desk.site import Site
from agent.errors import MissingSourceError, SparedError
from agent.loop import with_permits
from agent.model.address import Source, covers, is_line
from agent.model.inputs import Permit
from agent.model.plan import Lift, Plan
from agent.record.ledger import End
from agent.record.text import until

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
    """
    installed = site.installed()
    bans = by_hand.bans_of(order, site.policy, site.now)
    ended = _own_permits(site, order.source)
    others = with_permits(
        site.found, (one for one in site.ledger.permits(site.now) if one not in ended)
    )
    reason = by_hand.why_spared(bans, site.policy, others, installed, site.now)
    if reason is not None:
        raise SparedError(f"{order.source} is not banned: {reason}")
    for one in bans:
        wider = by_hand.covering(one, installed)
        if wider is not None:
            raise SparedError(f"{order.source} is inside {wider.source}, which is banned already")
    for permit in ended:
        site.ledger.permit(replace(permit, until=site.now))
    site.installed()
    lifts = tuple(by_hand.replaced(bans, installed))
    site.accord.carry_out(Plan(add=bans, lift=lifts), site.now)
    return ended


def unban(site: Site, source: Source) -> Pardon:
    """Lift the bans of a source and keep it free for half an hour.

    Raises:
        MissingSourceError: It is not banned.
        FirewallError: The firewall failed.
    """
    installed = site.installed()
    lifts = by_hand.lifted(source, installed, UNBANNED)
    is_inside = by_hand.is_inside(source, installed)
    if not lifts and not is_inside:
        raise MissingSourceError(f"{source} is not banned{_why_free(site, source)}")
    freed = dict.fromkeys(lift.held.source for lift in lifts)
    known = {one.prefix: one.until for one in site.ledger.permits(site.now)}
    end = site.now + GRACE
    for each in {**freed, source: None} if is_inside else freed:
        if known.get(each.prefix, site.now) < end:
            site.ledger.permit(Permit(prefix=each.prefix, until=end, why=UNBANNED))
    _lift(site, lifts)
    return Pardon(lifted=tuple(freed), until=end)


def allow(site: Site, source: Source, lasts: timedelta) -> Pardon:
    """Let a source pass for a while, whatever it does; its bans are lifted.

    Raises:
        FirewallError: The firewall failed.
    """
    lifts = by_hand.lifted(source, site.installed(), ALLOWED)
    end = site.now + lasts
    site.ledger.permit(Permit(prefix=source.prefix, until=end, why=ALLOWED))
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


def _own_permits(site: Site, source: Source) -> tuple[Permit, ...]:
    """Give the permits of the very source, or of the line that it is on."""
    return tuple(
        one
        for one in site.ledger.permits(site.now)
        if one.prefix == source.prefix
        or (is_line(one.prefix) and covers(one.prefix, source.prefix))
    )
