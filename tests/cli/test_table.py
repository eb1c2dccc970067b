"""Tables that fit a terminal."""

from agent.cli.table import fitted

HEAD = ("SOURCE", "COUNT", "WHO", "WHY")
ROW = ("192.0.2.1", "7", "a name that is long", "a reason that is longer than that")


def test_a_table_with_room_is_as_wide_as_its_cells() -> None:
    assert fitted([HEAD, ROW], 200, whole=2, right=frozenset({1})) == [
        "SOURCE     COUNT  WHO                  WHY",
        "192.0.2.1      7  a name that is long  a reason that is longer than that",
    ]


def test_the_widest_gives_way_first_and_who_must_not_be_cut_is_not() -> None:
    _, row = fitted([HEAD, ROW], 50, whole=2, right=frozenset({1}))
    assert row == "192.0.2.1      7  a name that i..  a reason that.."
    assert len(row) <= 50


def test_however_narrow_it_is_something_of_each_is_left() -> None:
    _, row = fitted([HEAD, ROW], 10, whole=2, right=frozenset({1}))
    assert row == "192.0.2.1      7  a name..  a reas.."
