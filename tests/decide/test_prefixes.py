from hypothesis import given, settings
from hypothesis import strategies as st

from agent.decide.prefixes import prefix_table
from agent.model.address import Prefix, covers
from tests.builders import prefix
from tests.decide.worlds import prefixes


def test_a_prefix_that_comes_twice_keeps_both_values() -> None:
    table = prefix_table([(prefix("192.0.2.0/24"), "a"), (prefix("192.0.2.0/24"), "b")])

    assert list(table.covering(prefix("192.0.2.7/32"))) == ["a", "b"]


def test_the_widest_comes_first() -> None:
    table = prefix_table([(prefix(text), text) for text in ("192.0.2.7/32", "192.0.2.0/24")])

    assert list(table.covering(prefix("192.0.2.7/32"))) == ["192.0.2.0/24", "192.0.2.7/32"]


def test_the_end_of_one_family_is_not_the_begin_of_the_other() -> None:
    table = prefix_table([(prefix("::/64"), "six"), (prefix("255.255.255.255/32"), "four")])

    assert [value for _, value in table.inside(prefix("255.255.255.0/24"))] == ["four"]
    assert [value for _, value in table.inside(prefix("::/48"))] == ["six"]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(prefixes, max_size=8), prefixes)
def test_the_table_finds_what_a_search_finds(listed: list[Prefix], wanted: Prefix) -> None:
    table = prefix_table((one, one) for one in listed)

    assert sorted(table.covering(wanted)) == sorted(one for one in listed if covers(one, wanted))
    assert sorted(value for _, value in table.inside(wanted)) == sorted(
        one for one in listed if covers(wanted, one) and one.prefixlen > wanted.prefixlen
    )
