"""What recorded moments tell of one source: over the tape, and how far it is sustained now."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from agent.decide import Memory
from agent.decide.weigh import scales_for
from agent.desk.explain.pace import pace_of, window_of
from agent.desk.explain.tape_words import tape_lines
from agent.desk.explain.taped import told_by
from agent.desk.explain.values import Ruling, Taped
from agent.model.address import HOST
from agent.model.frame import Frame, Rest
from agent.model.policy import Policy, Sustained
from agent.model.sample import Sample, State
from tests.builders import NET24, NOW, entry, inputs, policy, prefix, rule, sample, tally

ONE, OTHER = "192.0.2.10", "192.0.2.11"
EVERY = timedelta(seconds=5)
FLOOR = (Rest(width=HOST, floor=10),)
SUSTAINED = policy(rule(sustained=Sustained(times=3, of=5)))


def frames(*moments: Mapping[str, int] | Sample, **changes: Any) -> list[Frame]:
    """Give moments, the last of which is five seconds before now."""
    first = NOW - len(moments) * EVERY
    return [
        Frame(at=first + number * EVERY, inputs=inputs(one), rest=changes.get("rest", FLOOR))
        for number, one in enumerate(moments)
    ]


def told(*moments: Mapping[str, int] | Sample, by: Policy | None = None) -> Taped:
    return told_by(frames(*moments), prefix(ONE), by or policy())


def test_when_it_was_there_and_the_most_it_had_are_told() -> None:
    both = sample(
        tally({ONE: 30}), tally({ONE: 12}, state=State.TIME_WAIT), tally({ONE: 3}, port=22)
    )
    found = told({OTHER: 99}, {ONE: 20}, both, {ONE: 30, OTHER: 50}, {})

    assert (found.frames, found.seen, found.floor) == (5, 3, 10)
    assert (found.begins, found.ends) == (NOW - 5 * EVERY, NOW - EVERY)
    assert (found.first, found.last) == (NOW - 4 * EVERY, NOW - 2 * EVERY)
    peaks = {place: (peak.count, peak.at) for place, peak in found.peaks.items()}
    assert peaks == {
        ("web", State.ESTABLISHED): (30, NOW - 3 * EVERY),
        ("web", State.TIME_WAIT): (12, NOW - 3 * EVERY),
        ("ssh", State.ESTABLISHED): (3, NOW - 3 * EVERY),
    }


def test_how_often_it_was_above_which_limit_is_told_with_its_patience() -> None:
    found = told({ONE: 101}, {ONE: 99}, {ONE: 400, OTHER: 900})
    (above,) = found.above.values()
    assert (above.cycles, above.most.count) == (2, 400)
    assert (above.first, above.last) == (NOW - 3 * EVERY, NOW - EVERY)

    patient = policy(allowlist=(entry("office", f"{ONE}/32", patience=4),))
    assert told({ONE: 101}, {ONE: 400}, by=patient).above == {}
    assert told({ONE: 101}, {ONE: 401}, by=patient).above["web-connections"].cycles == 1


def test_its_neighbours_count_for_a_wide_rule() -> None:
    wide = policy(rule("wide", per=NET24, members=2, limit=100))
    found = told({ONE: 60, OTHER: 60}, {OTHER: 150}, by=wide)

    assert (found.above["wide"].cycles, found.above["wide"].most.count) == (1, 120)
    assert found.seen == 1


def test_an_empty_tape_and_a_source_that_is_not_on_it_are_told_so() -> None:
    assert "nothing is recorded" in "\n".join(tape_lines(told(), ""))
    damaged = "\n".join(tape_lines(told(), "1.tape: it is damaged"))
    assert "  1.tape: it is damaged\n  nothing of that time can be read" in damaged
    assert "it is in none of them" in "\n".join(tape_lines(told({OTHER: 99}), ""))
    assert "\n".join(tape_lines(None, "no tape in /x")) == "\nover the tape\n  no tape in /x"


def test_the_tape_reads_as_a_page() -> None:
    assert "\n".join(tape_lines(told({ONE: 20}, {ONE: 101}, {}), "")) == PAGE


PAGE = """
over the tape
  3 moments from 2026-11-20 02:59:45 UTC to 2026-11-20 02:59:55 UTC
  whoever has 10 sockets or fewer is kept only in a crowd
  it is in 2 of them, first 2026-11-20 02:59:45 UTC, last 2026-11-20 02:59:50
      UTC
  SERVICE  STATE        MOST  AT
  web      ESTABLISHED   101  2026-11-20 02:59:50 UTC
  web-connections: above today's limit in 1 moment, first 2026-11-20 02:59:50
      UTC, last 2026-11-20 02:59:50 UTC, at most 101"""


def ruling(newest: list[Frame], count: int, by: Policy = SUSTAINED) -> Ruling:
    pace = pace_of(newest, scales_for(prefix(ONE), by, Memory()), NOW)
    (one,) = pace.rulings(inputs({ONE: count}), NOW)
    return one


def test_the_newest_moments_tell_how_far_it_is_sustained() -> None:
    one = ruling(frames({ONE: 101}, {ONE: 101}, {ONE: 50}, {}, {ONE: 102}, {ONE: 7}), 101)

    assert (one.samples, one.weight.above, one.unknown) == (5, 2, "")


def test_fewer_moments_than_the_rule_looks_back_are_as_many_as_there_are() -> None:
    assert ruling(frames({ONE: 101}, {ONE: 101}), 101).samples == 2


@pytest.mark.parametrize(
    ("newest", "by", "why"),
    [
        ([], SUSTAINED, "no sample of this moment is on a tape"),
        (frames({ONE: 101}, *[{}] * 9)[:1], SUSTAINED, "the newest sample on the tape is too old"),
        (
            frames({ONE: 101}, rest=(Rest(width=HOST, floor=200),)),
            SUSTAINED,
            "the tape keeps nobody with 200 sockets or fewer",
        ),
        (
            frames({ONE: 101}),
            policy(rule(per=NET24, sustained=Sustained(times=3, of=5))),
            "the tape keeps no sources of that width",
        ),
    ],
)
def test_what_the_tape_does_not_have_is_not_guessed_at(
    newest: list[Frame], by: Policy, why: str
) -> None:
    one = ruling(newest, 101, by)
    assert (one.samples, one.unknown) == (0, why)


def test_enough_of_the_past_is_asked_for() -> None:
    assert window_of(SUSTAINED) >= 7 * EVERY
