"""Bytes that are no text are told by the place of the first bad one."""

import pytest

from agent.policy.text import UnfitError, decode


@pytest.mark.parametrize(
    ("raw", "place", "part"),
    [
        pytest.param(b"a: 1\nb: caf\xe9\n", (2, 7), "0xe9 is not UTF-8", id="latin-1"),
        pytest.param(b"a: \xc3", (1, 4), "0xc3 is not UTF-8", id="cut off"),
        pytest.param("a: \ud800".encode("utf-8", "surrogatepass"), (1, 4), "UTF-8", id="surrogate"),
        pytest.param("a: 1\n".encode("utf-16"), (1, 1), "0xff is not UTF-8", id="UTF-16"),
        pytest.param(b"a: 1\r\nb: \x00", (2, 4), "U+0000", id="NUL behind CR LF"),
        pytest.param(b"# \x1b[2J", (1, 3), "U+001B", id="an escape sequence"),
        pytest.param("\u00e9: \x9b2J".encode(), (1, 4), "U+009B", id="an 8-bit one"),
        pytest.param("a\u2028".encode(), (1, 2), "U+2028", id="a line separator"),
        pytest.param("# \u202e".encode(), (1, 3), "U+202E", id="a direction override"),
        pytest.param("\ufeffa\ufeff".encode(), (1, 2), "U+FEFF", id="a second mark"),
    ],
)
def test_what_is_no_text_is_told_by_its_place(
    raw: bytes, place: tuple[int, int], part: str
) -> None:
    with pytest.raises(UnfitError) as told:
        decode(raw)

    assert (told.value.line, told.value.column) == place
    assert part in told.value.problem


def test_a_byte_order_mark_is_accepted() -> None:
    assert decode(b"\xef\xbb\xbfversion: 1\n") == "version: 1\n"


def test_tabs_line_ends_and_letters_of_any_script_are_text() -> None:
    text = "# \u00e9\t\u4e2d \U0001f600\r\n\r"

    assert decode(text.encode()) == text
