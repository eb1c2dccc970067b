from agent.decide.count import counted, near, rows_of
from agent.model.address import HOST
from tests.builders import NET24, rule, tally


def test_a_source_below_the_floor_is_not_looked_at() -> None:
    counts = tally({"192.0.2.1": 80, "192.0.2.2": 81})

    assert list(near(counts, HOST, [rule()], 80)) == [bytes([192, 0, 2, 2])]


def test_all_rules_count_together_for_the_bound() -> None:
    rules = [rule(limit=100), rule("low", limit=10)]

    assert len(near(tally({"192.0.2.1": 9}), HOST, rules, 8)) == 1


def test_a_prefix_is_near_by_the_sum_of_its_members() -> None:
    counts = tally({"192.0.2.1": 50, "192.0.2.2": 50, "198.51.100.1": 50})

    (rows,) = near(counts, NET24, [rule()], 80).values()

    assert sum(row.number for row in rows) == 100


def test_only_rows_of_the_rules_ports_and_states_are_counted() -> None:
    counts = tally({"192.0.2.1": 5}) + tally({"192.0.2.1": 7}, port=22)
    rows = rows_of(counts, HOST, [bytes([192, 0, 2, 1])])[bytes([192, 0, 2, 1])]

    assert [row.number for row in counted(rows, rule())] == [5]
