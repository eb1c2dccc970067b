"""What is escaped comes out of a man page as it went in."""

import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checks.manuals import roff

needs_mandoc = pytest.mark.skipif(shutil.which("mandoc") is None, reason="no mandoc here")

LINES = st.lists(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)
    .map(str.strip)
    .filter(bool),
    min_size=1,
    max_size=30,
)


def rendered(lines: list[str]) -> str:
    page = roff.page([*roff.title("a", 1, "2026-11-27", "0"), *roff.heading("B"), *lines])
    done = subprocess.run(
        ["mandoc", "-T", "ascii", "-O", "width=200"],
        input=page,
        capture_output=True,
        text=True,
        check=True,
    )
    return "".join(
        character
        for at, character in enumerate(done.stdout)
        if character != "\b" and done.stdout[at + 1 : at + 2] != "\b"
    )


@needs_mandoc
@settings(max_examples=30, deadline=None)
@given(LINES)
@example([".SH a", "'br", "\\fB", "\\&", "--x", "it's", '"q"', "`a`", "^~", "\\", "a\\"])
def test_a_listing_shows_each_line_as_it_is(lines: list[str]) -> None:
    told = [line.strip() for line in rendered(roff.listing("\n".join(lines))).splitlines()]

    begin = told.index("B") + 1
    assert told[begin : begin + len(lines)] == lines


@needs_mandoc
@settings(max_examples=30, deadline=None)
@given(LINES)
@example([".SH", "'a 'b", "\\e --dry-run /etc/a-b", "[1](2)"])
def test_no_prose_is_taken_for_a_request_or_an_escape(lines: list[str]) -> None:
    words = " ".join(lines).replace("`", "").replace("*", "").replace("[", "").split()

    told = rendered(roff.paragraphs([" ".join(words)]))

    assert told.split("\nB\n")[1].split()[: len(words)] == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use --dry-run first", "use \\fB\\-\\-dry\\-run\\fR first"),
        ("half-open ones", "half-open ones"),
        ("in /etc/abuse-agent", "in /etc/abuse\\-agent"),
        ("`nft list`", "\\fBnft list\\fR"),
        ("see [`tape`](#tape) there", "see \\fBtape\\fR there"),
        ("a *known client* is", "a \\fIknown\\ client\\fR is".replace("\\ ", " ")),
        ("One. Two", "One.\nTwo"),
        (".yaml files", "\\&.yaml files"),
        ("Ban SOURCE now", "Ban \\fISOURCE\\fR now"),
        ("no RESOURCE", "no RESOURCE"),
    ],
)
def test_prose_sets_what_is_typed_apart(text: str, expected: str) -> None:
    assert roff.prose(text, {"SOURCE"}) == expected
