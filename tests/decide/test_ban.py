from datetime import timedelta

from agent.decide.ban import Ask, merge
from tests.builders import SSH, ban, decide, inputs, policy

HOUR = timedelta(hours=1)


def test_overlapping_bans_become_the_widest_for_as_long_as_is_asked_for_it() -> None:
    wide, narrow = ban("192.0.2.0/24", reasons=("wide",)), ban(lasts=HOUR, reasons=("narrow",))

    ((merged, verdicts),) = merge([Ask(verdict=0, ban=narrow), Ask(verdict=1, ban=wide)])

    assert (merged.source, merged.lasts) == (wide.source, wide.lasts)
    assert merged.reasons == ("narrow", "wide")
    assert verdicts == (0, 1)


def test_bans_of_different_targets_are_not_merged() -> None:
    asks = [Ask(verdict=0, ban=ban()), Ask(verdict=1, ban=ban(service=SSH))]

    assert len(merge(asks)) == 2


def test_the_order_is_that_of_the_heaviest_verdict() -> None:
    asks = [
        Ask(verdict=0, ban=ban("192.0.2.9/32")),
        Ask(verdict=1, ban=ban("192.0.2.1/32", service=SSH)),
        Ask(verdict=2, ban=ban("192.0.2.5/32")),
    ]

    assert [str(one.source) for one, _ in merge(asks)] == ["192.0.2.9", "192.0.2.1", "192.0.2.5"]


def test_a_ban_carries_its_evidence() -> None:
    (one,) = decide(inputs({"192.0.2.1": 101}), policy()).plan.add

    assert (one.rule, one.measure, one.count, one.limit) == (
        "web-connections",
        "connections",
        101,
        100,
    )
    assert one.reasons == (
        "web-connections: 101 connections, limit 100, above in 1 of the last 1 samples",
    )


def test_ids_differ_by_source_and_by_moment() -> None:
    added = decide(inputs({"192.0.2.1": 101, "192.0.2.2": 101}), policy()).plan.add

    assert len({one.ban_id for one in added}) == 2
    assert all(one.ban_id.isalnum() for one in added)
