from datetime import timedelta

from agent.decide import reconcile
from agent.model.address import Source
from tests.builders import NOW, ban, held, prefix

BAN = ban()


def test_what_both_know_is_kept() -> None:
    found = reconcile([BAN], [held(BAN)], NOW)

    assert (found.keep, found.restore, found.expired, found.adopt, found.lift) == (
        (BAN,),
        (),
        (),
        (),
        (),
    )


def test_a_ban_that_the_firewall_lost_is_restored() -> None:
    assert reconcile([BAN], [], NOW).restore == (BAN,)


def test_a_ban_with_two_seconds_left_has_expired() -> None:
    assert reconcile([BAN], [], BAN.until - timedelta(seconds=2)).expired == (BAN,)


def test_a_clock_set_back_makes_no_rest_longer_than_asked() -> None:
    (restored,) = reconcile([BAN], [], NOW - timedelta(hours=1)).restore

    assert restored.rest(NOW - timedelta(hours=1)) == BAN.lasts


def test_a_ban_with_our_comment_is_adopted() -> None:
    assert reconcile([], [held(BAN)], NOW).adopt == (held(BAN),)


def test_a_ban_without_our_comment_is_foreign() -> None:
    (lift,) = reconcile([], [held(BAN, ban_id=None)], NOW).lift

    assert lift.reason == "foreign"


def test_a_permanent_ban_is_lifted_whoever_knows_it() -> None:
    endless = held(BAN, left=None)

    assert [lift.reason for lift in reconcile([BAN], [endless], NOW).lift] == ["permanent"]
    assert [lift.reason for lift in reconcile([], [endless], NOW).lift] == ["permanent"]
    assert reconcile([BAN], [endless], NOW).keep == ()


def test_a_firewall_knows_no_zones() -> None:
    zoned = ban(source=Source(prefix("fe80::1/128"), 3))
    read_back = held(zoned, source=Source(prefix("fe80::1/128")))

    assert reconcile([zoned], [read_back], NOW).keep == (zoned,)
