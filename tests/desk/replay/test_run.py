"""A replay judges as the agent does, by moments alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.desk.replay.journal import Outcome
from agent.desk.replay.run import Run, replay
from agent.errors import PolicyError
from agent.model.address import HOST, Source, Width
from agent.model.frame import Frame, Rest
from agent.model.inputs import Identities, PastBan
from agent.model.learned import Learned, Verified
from agent.model.policy import Kind, Mode, Policy, Sustained
from agent.model.verdict import Finding
from tests.builders import NET24, NO_BREAKER, NOW, entry, policy, prefix, rule, source
from tests.desk.replay.frames import EVERY, frame, frames

BAD, GOOD = "198.51.100.7", "203.0.113.9"
THREE = rule(sustained=Sustained(times=3, of=5))


def came_to(by: Policy, moments: list[Frame], **changes: object) -> Outcome:
    run = Run(by)
    for name, value in changes.items():
        setattr(run, name, value)
    replay(moments, [run])
    outcome = run.journal.outcome()
    assert outcome is not None
    return outcome


def test_a_ban_comes_when_it_is_sustained_and_is_not_asked_for_again() -> None:
    outcome = came_to(policy(THREE, safety=NO_BREAKER), frames(*[{BAD: 150}] * 8))

    (served,) = outcome.bans
    assert served.ban.begins == NOW + 2 * EVERY
    assert served.ended == served.ban.begins + timedelta(minutes=10)
    assert served.ban.policy_sha256 == "0" * 64
    (seen,) = outcome.sightings
    assert (seen.source, seen.peak, seen.limit, seen.cycles) == (source(BAD + "/32"), 150, 100, 8)
    assert seen.findings == {Finding.SUSTAINING: 2, Finding.BAN: 1, Finding.HELD: 5}
    assert (outcome.began, outcome.ended, outcome.cycles) == (NOW, NOW + 7 * EVERY, 8)


def test_it_is_banned_again_for_longer_when_the_time_is_over() -> None:
    moments = [frame(number, {BAD: 150}) for number in range(130)]

    first, second = came_to(policy(safety=NO_BREAKER), moments).bans

    assert first.ban.lasts == timedelta(minutes=10)
    assert second.ban.lasts == timedelta(minutes=20)
    assert second.ban.begins >= first.ended


def test_earlier_bans_count_and_those_of_the_tapes_own_time_do_not() -> None:
    past = PastBan(began=NOW - timedelta(hours=2), ended=NOW - timedelta(hours=1))
    later = PastBan(began=NOW + EVERY, ended=NOW + timedelta(hours=1))
    moments = frames({BAD: 150})

    (served,) = came_to(
        policy(safety=NO_BREAKER), moments, history={source(BAD + "/32"): (past, later)}
    ).bans

    assert served.ban.lasts == timedelta(minutes=20)


def test_who_is_exempt_is_told_with_its_entry() -> None:
    by = policy(allowlist=(entry("office", GOOD + "/32"),), safety=NO_BREAKER)

    outcome = came_to(by, frames({GOOD: 500}, {GOOD: 400}))

    assert not outcome.bans
    (seen,) = outcome.sightings
    assert (seen.findings, seen.peak, seen.cycles) == ({Finding.EXEMPT: 2}, 500, 2)
    assert seen.entry is not None
    assert seen.entry.declared_at == "policy.yaml:9"


def crawler() -> Policy:
    google = entry("google", kind=Kind.CRAWLER, names=("googlebot.com",), patience=None)
    return policy(allowlist=(google,), safety=NO_BREAKER, sha256="1" * 64)


def verified(address: str = GOOD) -> Learned:
    name = Verified(entries=frozenset(), at=NOW, names=("crawl-1.googlebot.com",))
    return Learned(verified={prefix(address).network_address: name})


def test_names_that_were_confirmed_then_are_known_under_another_policy() -> None:
    moments = [frame(0, {GOOD: 500}, learned=verified())]

    (seen,) = came_to(crawler(), moments).sightings

    assert seen.findings == {Finding.EXEMPT: 1}
    assert seen.names == ("crawl-1.googlebot.com",)


def test_whose_name_nobody_asked_for_is_told_as_such_and_not_spared_for_ever() -> None:
    moments = [frame(number, {BAD: 500}) for number in range(4)]

    outcome = came_to(crawler(), moments)

    (seen,) = outcome.sightings
    assert seen.findings[Finding.PENDING] == 2
    assert [one.ban.begins for one in outcome.bans] == [NOW + 2 * EVERY]


def test_under_the_policy_of_then_it_is_known_when_it_was_known_then() -> None:
    known = Identities(found={"google": frozenset({prefix(GOOD)})})
    by = replace(crawler(), sha256="0" * 64)
    moments = [
        frame(0, {GOOD: 500}, learned=verified()),
        frame(1, {GOOD: 500}, learned=verified(), inputs={"identities": known}),
    ]

    (seen,) = came_to(by, moments).sightings

    assert seen.findings == {Finding.PENDING: 1, Finding.EXEMPT: 1}


def test_a_wrong_first_policy_opens_the_breaker_and_one_that_was_in_force_does_not() -> None:
    crowd = {f"198.51.100.{host}": 150 for host in range(30)}
    new = [frame(0, crowd)]
    running = [frame(1, crowd)]

    assert came_to(policy(), new).sightings[0].findings == {Finding.SPARED: 1}
    assert len(came_to(policy(), running).bans) == 30
    assert came_to(policy(sha256="2" * 64), running).sightings[0].findings == {Finding.SPARED: 1}


def test_a_start_in_between_begins_to_count_anew() -> None:
    moments = [*frames({BAD: 150}, {BAD: 150}), frame(2, {BAD: 150}, is_start=True)]

    assert not came_to(policy(THREE, safety=NO_BREAKER), moments).bans


def test_what_is_banned_stays_so_over_a_start() -> None:
    moments = [*frames({BAD: 150}), frame(1, {BAD: 150}, is_start=True)]

    outcome = came_to(policy(safety=NO_BREAKER), moments)

    assert len(outcome.bans) == 1
    assert outcome.sightings[0].findings == {Finding.BAN: 1, Finding.HELD: 1}


def test_a_clock_that_goes_back_and_forth_ends_and_doubles_nothing() -> None:
    back = datetime(2020, 1, 1, tzinfo=UTC)
    moments = [*frames({BAD: 150}), frame(1, {BAD: 150}, at=back), frame(2, {BAD: 150})]

    assert len(came_to(policy(safety=NO_BREAKER), moments).bans) == 1


def test_several_policies_are_tried_in_one_go() -> None:
    low, high = Run(policy(safety=NO_BREAKER)), Run(policy(rule(limit=1000), safety=NO_BREAKER))

    replay(frames({BAD: 150}), [low, high])

    outcomes = [run.journal.outcome() for run in (low, high)]
    assert [len(one.bans) for one in outcomes if one] == [1, 0]


def test_nothing_recorded_is_no_outcome() -> None:
    run = Run(policy())

    replay([], [run])

    assert run.journal.outcome() is None


ANOTHER = "1" * 64


def refusal(by: Policy, *rest: Rest, recorded_by: str = ANOTHER) -> str:
    with pytest.raises(PolicyError) as refused:
        came_to(by, [frame(0, {BAD: 150}, rest=rest, policy_sha256=recorded_by)])
    return str(refused.value)


KEPT = Rest(width=HOST, floor=10)


def test_a_limit_below_the_floor_is_refused_with_its_rule() -> None:
    told = refusal(policy(rule(limit=9), rule("fine", limit=10)), KEPT)

    assert told.startswith("policy.yaml:1:1: web-connections: its limit 9 lies below the tape's")
    assert "floor: 9" in told
    assert "fine" not in told
    assert came_to(policy(rule(limit=10)), [frame(0, {BAD: 5})]).cycles == 1


def test_a_width_that_was_not_recorded_is_refused() -> None:
    wide = rule("crowd", per=NET24, limit=600, members=8, mode=Mode.OBSERVE)

    assert "kept no sources of that width" in refusal(policy(rule(), wide), KEPT)
    assert "prefix_floor: 600" in refusal(policy(wide), KEPT, Rest(width=NET24, floor=601))


@pytest.mark.parametrize("per", [NET24, Width(ipv4=26, ipv6=56), Width(ipv4=32, ipv6=48)])
def test_a_recorded_width_serves_all_that_lie_in_it(per: Width) -> None:
    wide = rule("crowd", per=per, limit=600)
    moments = [frame(0, {BAD: 5}, rest=(KEPT, Rest(width=NET24, floor=100)))]

    assert came_to(policy(wide), moments).cycles == 1


def test_a_crowd_that_raised_the_floor_of_its_own_policy_is_told_as_that() -> None:
    wide = policy(rule("wide", per=NET24, limit=500))

    told = refusal(wide, KEPT, Rest(width=NET24, floor=41_000), recorded_by=wide.sha256)

    assert "room for, and those with 41000 or fewer sockets" in told
    assert "--since or --until" in told
    assert "prefix_floor" not in told


def test_a_floor_that_rose_in_between_is_told_with_its_moment() -> None:
    risen = (Rest(width=HOST, floor=200),)
    moments = [frame(0, {}), frame(1, {}, rest=risen, policy_sha256=ANOTHER)]

    with pytest.raises(PolicyError, match="at 2026-11-20 03:00:05Z sources with 200 or fewer"):
        came_to(policy(), moments)


def test_saved_listings_keep_everybody() -> None:
    assert came_to(policy(rule(limit=1)), [frame(0, {BAD: 2}, rest=())]).cycles == 1


def test_the_order_is_that_of_the_sources() -> None:
    outcome = came_to(policy(safety=NO_BREAKER), frames({BAD: 150, GOOD: 150, "192.0.2.1": 150}))

    assert [str(one.source) for one in outcome.sightings] == ["192.0.2.1", BAD, GOOD]
    assert all(isinstance(one.source, Source) for one in outcome.sightings)
