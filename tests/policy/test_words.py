"""What is shown of a policy is short, printable and quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy.words import escaped, found, listed, shown


@given(st.text(st.characters()))
def test_whatever_is_shown_is_printable_and_short(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 2 + 40 * len("\\U0010ffff") + 3
    assert escaped(text).isprintable()


def test_a_long_value_is_cut() -> None:
    assert shown("x" * 41) == "'" + "x" * 40 + "...'"


def test_a_quote_can_not_end_what_is_shown() -> None:
    assert shown("a' b\\") == "'a\\' b\\\\'"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", "but it is empty"), ("x", "not 'x'"), ([], "not a list"), ({}, "not a mapping")],
)
def test_what_was_found_ends_a_sentence(value: object, expected: str) -> None:
    assert found(value) == expected


def test_names_are_listed_as_a_sentence_has_them() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b"], "or") == "a or b"
