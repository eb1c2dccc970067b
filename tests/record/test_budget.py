from datetime import timedelta

from agent.record.budget import LINES_A_MINUTE, Budget
from tests.builders import NOW


def test_a_minute_has_its_lines_and_no_more() -> None:
    budget = Budget()

    assert budget.affords(LINES_A_MINUTE - 1, NOW)
    assert not budget.affords(2, NOW)
    assert budget.affords(1, NOW)
    assert not budget.affords(1, NOW + timedelta(seconds=59))


def test_the_next_minute_begins_anew_and_so_does_a_clock_set_back() -> None:
    budget = Budget()
    assert budget.affords(LINES_A_MINUTE, NOW)

    assert budget.affords(LINES_A_MINUTE, NOW + timedelta(seconds=60))
    assert budget.affords(LINES_A_MINUTE, NOW - timedelta(hours=1))
