"""What numbers of elements tell."""

import pytest

from agent.act.ipset.watch import Watch


def watch() -> Watch:
    """Know of three elements, which end after 10, 20 and 30 seconds."""
    made = Watch()
    made.begin({"web": 3, "seen": float("inf")}, {"web": [30.0, 10.0, 20.0]})
    return made


@pytest.mark.parametrize(
    ("elements", "now", "expected"),
    [
        pytest.param(3, 0, False, id="as they were"),
        pytest.param(2, 0, True, id="one is gone before its time"),
        pytest.param(2, 9, False, id="one may have ended"),
        pytest.param(1, 9, True, id="two can't have"),
        pytest.param(0, 31, False, id="all have ended"),
        pytest.param(4, 0, True, id="one came"),
    ],
)
def test_a_set_only_loses_what_has_ended(elements: int, now: float, expected: bool) -> None:
    assert watch().is_touched({"web": elements, "seen": 7}, now) is expected


def test_a_set_that_is_gone_is_seen_even_when_it_was_empty() -> None:
    assert watch().is_touched({"web": 3}, 0)


def test_it_stays_touched_until_it_is_read_again() -> None:
    one = watch()
    assert one.is_touched({"web": 0, "seen": 0}, 0)

    one.change({"web": 1, "seen": 0}, {"web": [60.0]}, {})
    assert one.is_touched({"web": 1, "seen": 0}, 0)

    one.begin({"web": 1, "seen": 0}, {"web": [60.0]})
    assert not one.is_touched({"web": 1, "seen": 0}, 0)


def test_changes_of_ours_are_expected() -> None:
    one = watch()

    one.change({"web": 3, "seen": 0}, {"web": [40.0]}, {"web": 1})

    assert not one.is_touched({"web": 3, "seen": 0}, 0)
    assert one.is_touched({"web": 1, "seen": 0}, 0)


def test_a_set_made_anew_is_empty() -> None:
    one = watch()

    one.keep(["web", "seen", "mail"], ["web", "mail"])

    assert not one.is_touched({"web": 0, "seen": 0, "mail": 0}, 0)
