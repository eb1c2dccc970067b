"""What a person asks for, on a firewall and a ledger in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.act.dry_run import DryRun
from agent.decide import guarded
from agent.decide.by_hand import Order
from agent.desk import by_hand
from agent.desk.site import Site
from agent.enact import Accord, Hands
from agent.errors import MissingSourceError, SparedError
from agent.model.ban import Ban
from agent.model.inputs import Permit, Spared
from agent.model.plan import Plan
from agent.model.policy import Scope
from agent.record.events import Event
from agent.record.ledger import MemoryLedger
from tests.builders import NOW, ban, guards, policy, prefix, source


def order(text: str, lasts: timedelta = timedelta(minutes=10)) -> Order:
    return Order(source=source(text), scope=Scope.HOST, services=(), lasts=lasts, reason="")


def make_site(*bans: Ban, permits: Sequence[str] = ()) -> Site:
    """A site where these bans are in force and these prefixes were let pass."""
    ledger, news = MemoryLedger(), list[Event]()
    hands = Hands(firewall=DryRun(), ledger=ledger, cut=None, tell=news.append)
    for one in permits:
        ledger.permit(Permit(prefix=prefix(one), until=NOW + timedelta(hours=1), why="by hand"))
    made = Site(
        agent=None,
        policy=policy(),
        ledger=ledger,
        accord=Accord(hands, lambda: 0.0),
        spare=lambda permits: Spared(
            surroundings=guarded(guards("198.51.100.200/32"), permits, {}, NOW)
        ),
        news=news,
        now=NOW,
    )
    made.installed()
    if bans:
        made.accord.carry_out(Plan(add=bans), NOW)
    return made


def passing(site: Site) -> dict[str, timedelta]:
    return {str(one.prefix): one.until - NOW for one in site.ledger.permits(NOW)}


def banned(site: Site) -> list[str]:
    return [str(one.source) for one in site.installed().bans]


def test_who_is_unbanned_is_forgiven_and_left_alone_for_half_an_hour() -> None:
    site = make_site(ban("192.0.2.1/32"), ban("192.0.2.10/32", ban_id="b2"))

    by_hand.unban(site, source("192.0.2.1/32"))

    assert banned(site) == ["192.0.2.10"]
    assert passing(site) == {"192.0.2.1/32": timedelta(minutes=30)}
    assert list(site.ledger.history()) == [source("192.0.2.10/32")]
    assert prefix("192.0.2.1") in site.installed().allowed


def test_unbanning_does_not_shorten_a_longer_permit() -> None:
    site = make_site(ban("2001:db8::/64"), permits=["2001:db8::/64"])

    by_hand.unban(site, source("2001:db8::7/128"))

    assert passing(site) == {"2001:db8::/64": timedelta(hours=1)}


def test_a_member_of_a_wider_ban_passes_alone() -> None:
    site = make_site(ban("192.0.2.0/24"))

    by_hand.unban(site, source("192.0.2.7/32"))

    assert banned(site) == ["192.0.2.0/24"]
    assert prefix("192.0.2.7") in site.installed().allowed


def test_unbanning_many_lets_only_those_pass_who_were_banned() -> None:
    site = make_site(ban("192.0.2.1/32"), ban("192.0.2.2/32", ban_id="b2"))

    by_hand.unban(site, source("192.0.0.0/16"))

    assert sorted(passing(site)) == ["192.0.2.1/32", "192.0.2.2/32"]


def test_who_is_not_banned_can_not_be_unbanned() -> None:
    with pytest.raises(MissingSourceError, match=r"192\.0\.2\.1 is not banned"):
        by_hand.unban(make_site(), source("192.0.2.1/32"))


@pytest.mark.parametrize("permit", ["2001:db8::7/128", "2001:db8::/64"])
def test_a_ban_ends_a_permit_of_the_source_or_of_its_line(permit: str) -> None:
    site = make_site(permits=[permit])

    ended = by_hand.ban(site, order("2001:db8::7/128"))

    assert [str(one.prefix) for one in ended] == [permit]
    assert (passing(site), banned(site)) == ({}, ["2001:db8::7"])
    assert prefix(permit) not in site.installed().allowed


def test_a_permit_of_others_as_well_is_not_ended_by_a_ban() -> None:
    site = make_site(permits=["192.0.2.0/24"])

    with pytest.raises(SparedError, match="by hand"):
        by_hand.ban(site, order("192.0.2.7/32"))

    assert passing(site) == {"192.0.2.0/24": timedelta(hours=1)}


def test_a_refused_ban_ends_no_permit() -> None:
    site = make_site(permits=["198.51.100.200/32"])

    with pytest.raises(SparedError, match="resolver"):
        by_hand.ban(site, order("198.51.100.200/32"))

    assert list(passing(site)) == ["198.51.100.200/32"]


def test_a_newer_ban_takes_the_place_of_the_old_one_and_says_so() -> None:
    site = make_site()
    by_hand.ban(site, order("192.0.2.1/32", timedelta(hours=1)))

    later = replace(site, now=NOW + timedelta(seconds=1))
    by_hand.ban(later, order("192.0.2.1/32", timedelta(minutes=1)))

    assert [one.name for one in site.news if one.name != "ban.planned"] == [
        "ban.would_apply",
        "ban.lifted",
        "ban.would_apply",
    ]
    assert [one.lasts for one in site.ledger.in_force()] == [timedelta(minutes=1)]
