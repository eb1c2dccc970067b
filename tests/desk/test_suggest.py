"""Suggested rules are right policies, stand far above what is normal, and say whom they hit."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from agent.desk.norms.norm import Norm
from agent.desk.norms.spread import Spread
from agent.desk.suggest import Suggestions, limit_of, rules_of, suggest
from agent.model.address import HOST
from agent.model.frame import Frame, Rest
from agent.model.inputs import Standing
from agent.model.measure import MEASURES
from agent.model.policy import Policy, Sustained
from agent.model.sample import State
from tests.builders import NET24, NO_BREAKER, WEB, entry, guards, policy, rule, sample, tally
from tests.desk.replay.frames import frame
from tests.desk.replay.test_run import verified

BAD, GOOD = "198.51.100.7", "203.0.113.9"
REST = (Rest(width=HOST, floor=10, counts={("web", "connections"): {2: 9990}}),)
POLICY = policy(safety=NO_BREAKER)


def from_frames(frames: Iterable[Frame], by: Policy = POLICY) -> Suggestions:
    moments = list(frames)
    return suggest(lambda: moments, by)


def moments(counts: dict[str, int], **changes: object) -> list[Frame]:
    return [frame(number, counts, **({"rest": REST} | changes)) for number in range(20)]


def test_whoever_stands_far_out_would_be_banned_by_the_rule_to_paste() -> None:
    found = from_frames(moments({BAD: 900, GOOD: 12}))

    (web,) = found.each
    assert (
        web.rule.split("\n")
        == [
            "- name: web-connections-suggested",
            "  service: web",
            "  count: connections",
            "  above: 24",
        ]
        or "above: " in web.rule
    )
    assert found.outcome is not None
    assert {str(one.ban.source) for one in found.outcome.bans} == {BAD}
    assert [str(one.peak.source) for one in web.top] == [BAD, GOOD]


@pytest.mark.parametrize(
    ("p999", "known", "floor", "limit"),
    [(2, 0, 0, 20), (12, 0, 0, 24), (12, 61, 0, 130), (3, 0, 150, 150), (1234, 0, 0, 2500)],
)
def test_the_limit_is_twice_what_nearly_all_and_every_known_client_held(
    p999: int, known: int, floor: int, limit: int
) -> None:
    norm = Norm(
        service=WEB,
        measure=MEASURES["connections"],
        width=HOST,
        cycles=100,
        spread=Spread(sources=1000, p50=1, p99=2, p999=p999, most=5000),
        known_most=known,
        floor=floor,
        top=(),
        is_partial=False,
    )

    assert limit_of(norm) == limit


def test_what_a_spared_client_holds_makes_no_limit_higher() -> None:
    keys = frozenset({bytes([203, 0, 113, 9])})
    known = {"inputs": {"standing": Standing(known=keys)}}
    spared = policy(allowlist=(entry("monitoring", GOOD),), safety=NO_BREAKER)

    (strange,) = from_frames(moments({GOOD: 800}, **known)).each
    (listed,) = from_frames(moments({GOOD: 800}, **known), spared).each

    assert (strange.norm.known_most, listed.norm.known_most) == (800, 0)
    assert "above: 1600" in strange.rule
    assert listed.top[0].who == ("exempt as monitoring, policy.yaml:9", "a known client")


def test_a_guarded_source_and_a_confirmed_name_are_told() -> None:
    found = from_frames(
        moments({BAD: 50, GOOD: 60}, learned=verified(), inputs={"surroundings": guards(BAD)})
    )

    assert {str(one.peak.source): one.who for one in found.each[0].top} == {
        GOOD: ("crawl-1.googlebot.com",),
        BAD: ("resolver (/etc/resolv.conf)",),
    }


def test_every_suggested_rule_is_read_as_it_is_written() -> None:
    seen = sample(tally({BAD: 40}), tally({BAD: 30}, state=State.SYN_RECV))
    wide = policy(rule("crowd", per=NET24, limit=600), safety=NO_BREAKER)

    found = from_frames([frame(0, seen, rest=())], wide)

    rules = rules_of(wide, (one.rule for one in found.each))
    assert [(one.name, one.measure.name, one.per == HOST, one.members) for one in rules] == [
        ("web-connections-suggested", "connections", True, 1),
        ("web-connections-suggested-24", "connections", False, 8),
        ("web-half-open-suggested", "half_open", True, 1),
        ("web-half-open-suggested-24", "half_open", False, 8),
    ]
    assert all(one.service.ports == {80, 443} for one in rules)
    assert all(one.sustained == Sustained(times=3, of=5) for one in rules)
    assert rules[0].lasts == timedelta(minutes=10)


def test_a_crowd_that_raised_the_floor_for_a_moment_makes_no_limit_higher() -> None:
    crowded = Rest(width=HOST, floor=41_000, counts={})
    frames = [*moments({BAD: 900}), frame(20, {BAD: 900}, rest=(crowded,))]

    found = from_frames(frames)

    assert "above: 20" in found.each[0].rule
    assert found.skipped == 1
    assert found.outcome is not None
    assert [str(one.ban.source) for one in found.outcome.bans] == [BAD]


def test_a_width_that_was_not_recorded_has_no_suggestion() -> None:
    wide = policy(rule("crowd", per=NET24, limit=600), safety=NO_BREAKER)

    found = from_frames(moments({BAD: 900}), wide)

    assert [one.norm.width for one in found.each] == [HOST]


def test_nothing_recorded_suggests_nothing() -> None:
    assert from_frames([]) == Suggestions(each=(), outcome=None)
    assert from_frames([frame(0, {}, rest=())]).each == ()
