"""Banning, unbanning and allowing by hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.decide import by_hand
from agent.decide.by_hand import Order
from agent.desk.site import Site
from agent.errors import MissingSourceError, SparedError
from agent.model.address import Source
from agent.model.ban import Ban
from agent.model.inputs import Permit
from agent.model.plan import Plan
from agent.record.ledger import End

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


def ban(site: Site, order: Order) -> tuple[Ban, ...]:
    """Ban by hand; what happened is in the site's news.

    Raises:
        SparedError: It would reach somebody who is guarded or exempt, or a wider ban
            holds its place.
        FirewallError: The firewall failed.
    """
    installed = site.installed()
    bans = by_hand.bans_of(order, site.policy, site.now)
    reason = by_hand.why_spared(bans, site.policy, site.surroundings, installed, site.now)
    if reason is not None:
        raise SparedError(f"{order.source} is not banned: it would reach {reason}")
    for one in bans:
        wider = by_hand.covering(one, installed)
        if wider is not None:
            raise SparedError(f"{order.source} is inside {wider.source}, which is banned already")
    lifts = tuple(by_hand.replaced(bans, installed))
    site.accord.carry_out(Plan(add=bans, lift=lifts), site.now)
    return bans


def unban(site: Site, source: Source) -> Pardon:
    """Lift the bans of a source and keep it free for half an hour.

    Raises:
        MissingSourceError: It is not banned.
        FirewallError: The firewall failed.
    """
    installed = site.installed()
    lifts = by_hand.lifted(source, installed)
    if not lifts and not by_hand.is_covered(source, installed):
        raise MissingSourceError(f"{source} is not banned")
    return _let_pass(site, source, site.now + GRACE, "unbanned by hand")


def allow(site: Site, source: Source, lasts: timedelta) -> Pardon:
    """Let a source pass for a while, whatever it does; its bans are lifted.

    Raises:
        FirewallError: The firewall failed.
    """
    return _let_pass(site, source, site.now + lasts, "allowed by hand")


def _let_pass(site: Site, source: Source, until: datetime, why: str) -> Pardon:
    """Permit first: the kernel's allow set holds before any ban is lifted."""
    lifts = by_hand.lifted(source, site.installed())
    lifted = tuple(dict.fromkeys(lift.held.source for lift in lifts))
    for each in dict.fromkeys((source, *lifted)):
        site.ledger.permit(Permit(prefix=each.prefix, until=until, why=why))
    site.installed()
    if lifts:
        site.accord.carry_out(Plan(lift=lifts), site.now, how=End.FORGIVEN)
    return Pardon(lifted=lifted, until=until)
