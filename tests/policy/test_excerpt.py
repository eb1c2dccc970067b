"""The caret stands under the word, whatever the line holds, and nothing in it plays tricks."""

from unicodedata import category, east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy import PolicyText, excerpt
from agent.policy.excerpt import WIDEST


def drawn(raw: str | bytes, line: int, column: int, encoding: str = "utf-8") -> tuple[str, ...]:
    content = raw.encode() if isinstance(raw, str) else raw
    text = PolicyText(file="p.yaml", folder="/", raw=content)
    return tuple(excerpt(text, line, column, encoding))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes, counted apart from what is tested."""
    marks = sum(category(one) in {"Mn", "Me"} for one in text)
    return len(text) + sum(east_asian_width(one) in {"W", "F"} for one in text) - marks


def marked(raw: str | bytes, line: int, column: int) -> str:
    """Give what stands above the carets, column by column."""
    shown, carets = drawn(raw, line, column)
    first, last = carets.index("^"), len(carets)
    return "".join(
        one for at, one in enumerate(shown) if first <= columns(shown[: at + 1]) - 1 < last
    )


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        pytest.param("above: many", 8, "many", id="a plain text"),
        pytest.param("above: many words  # why", 8, "many words", id="blanks within"),
        pytest.param("- {name: a b, x: 1}", 10, "a b", id="within braces"),
        pytest.param("prefixes: [10.0.0.1/8, x]", 12, "10.0.0.1/8", id="within brackets"),
        pytest.param("prefixes: a, b", 11, "a, b", id="a comma outside of brackets"),
        pytest.param("name: 'a ''b'' c' # x", 7, "'a ''b'' c'", id="single quotes"),
        pytest.param('name: "a \\" b" # x', 7, '"a \\" b"', id="double quotes"),
        pytest.param("'[': many, x", 6, "many, x", id="a bracket in quotes before it"),
        pytest.param("abvoe: 1", 1, "abvoe", id="a key"),
        pytest.param("x: {a: 1}", 4, "{", id="a bracket itself"),
        pytest.param("hosts: a:b", 8, "a:b", id="a colon within"),
        pytest.param("every: 5s#x", 8, "5s#x", id="no comment without a blank"),
        pytest.param("日本: 東京 # x", 5, "東京", id="characters of two columns"),
        pytest.param("e\u0301: abc", 5, "abc", id="a combining mark"),
    ],
)
def test_the_whole_word_is_marked(line: str, column: int, word: str) -> None:
    assert marked(f"first\n{line}\nlast", 2, column) == word


def test_a_tab_is_as_wide_as_it_is_shown() -> None:
    shown, caret = drawn("a\tb:\tc", 1, 6)

    assert "\t" not in shown
    assert caret.index("^") == shown.index("c")


def test_what_can_not_be_printed_is_escaped() -> None:
    shown, caret = drawn('x: "\x1b[2J\u202e" y', 1, 4)

    assert shown == '    1 | x: "\\x1b[2J\\u202e" y'
    assert caret.count("^") == len('"\\x1b[2J\\u202e"')


def test_bytes_that_are_no_text_are_escaped() -> None:
    shown, caret = drawn(b"name: \xff\xfe x", 1, 7)

    assert shown == "    1 | name: \\xff\\xfe x"
    assert caret.index("^") == shown.index("\\")


def test_what_the_output_lacks_is_escaped() -> None:
    shown, caret = drawn("w\u00e9b: x", 1, 6, "ascii")

    assert shown == "    1 | w\\xe9b: x"
    assert caret.index("^") == shown.index("x", shown.index(":"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_the_faults_count_them(end: str) -> None:
    assert drawn(f"a: 1{end}b: 2{end}", 2, 4) == ("    2 | b: 2", "      |    ^")


def test_a_long_line_is_cut_around_the_place() -> None:
    shown, caret = drawn(f"{'a ' * 200}XYZ{' b' * 200}", 1, 401)

    assert shown.count("...") == 2
    assert len(shown) <= WIDEST + 16
    assert caret.index("^") == shown.index("XYZ")


def test_a_word_that_is_longer_than_a_line_is_marked_as_far_as_it_is_shown() -> None:
    shown, caret = drawn(f"above: {'9' * 500}", 1, 8)

    assert shown.endswith("9...")
    assert len(caret) <= len(shown)


def test_a_place_behind_the_text_has_no_line() -> None:
    assert drawn("a: 1\n", 0, 0) == ()
    assert drawn("a: 1\n", 9, 1) == ()
    assert drawn("a:", 1, 3) == ("    1 | a:", "      |   ^")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.integers(1, 320))
def test_any_line_is_drawn_in_bounds(line: str, column: int) -> None:
    for shown in drawn(line.replace("\n", "").replace("\r", ""), 1, column):
        assert shown.isprintable()
        assert columns(shown) <= WIDEST + 40 + 16
