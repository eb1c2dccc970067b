"""Our pages' Markdown becomes the requests of a man page."""

from pathlib import Path

import pytest

from checks.manuals.markdown import body

TREE = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One\ntwo.\n\nThree.\n", [".PP", "One two.", ".PP", "Three."], id="text"),
        pytest.param("## `tape`\n", [".SH TAPE"], id="section"),
        pytest.param("### Range files\n", ['.SS "Range files"'], id="part"),
        pytest.param("- a\n  b\n- c\n", [".IP \\(bu 3", "a b", ".IP \\(bu 3", "c"], id="list"),
        pytest.param(
            "```yaml\na: 1\n\n.b: 2\n```\n",
            [".PP", ".RS 4", ".EX", "a: 1", "", "\\&.b: 2", ".EE", ".nh", ".RE"],
            id="listing",
        ),
        pytest.param("a\n<!-- mark -->\nb\n", [".PP", "a b"], id="comment"),
        pytest.param(
            "| kind | told |\n| --- | --- |\n| `low` | a limit |\n",
            [".TP", "\\fBlow\\fR", "A limit."],
            id="table of two columns",
        ),
        pytest.param(
            "| key | type | bounds | |\n| --- | --- | --- | --- |\n| [`a`](#b) | name | | c |\n",
            [".TP", "\\fBa\\fR", "C.\n.br\nType: name."],
            id="table with named columns",
        ),
        pytest.param("see [there](#x), *so*\n", [".PP", "see there, \\fIso\\fR"], id="link"),
    ],
)
def test_a_form_becomes_requests(text: str, expected: list[str]) -> None:
    assert body(f"# Title\n\n{text}") == [".SH DESCRIPTION", *expected]


def test_a_long_line_of_a_listing_goes_on_indented() -> None:
    line = f"  rules: {{{', '.join(f'key{at}: value' for at in range(8))}}}"

    first, second = body(f"# T\n```yaml\n{line}\n```\n")[4:6]

    assert len(first) <= 66
    assert second.startswith("      key")
    assert f"{first} {second.strip()}" == line


def test_no_word_of_the_reference_is_lost() -> None:
    page = (TREE / "docs/policy.md").read_text()
    told = (TREE / "share/man/man5/abuse-agent-policy.5").read_text().replace("\\-", "-")

    words = {word.lower() for word in page.replace("`", " ").split() if word.isalpha()}
    lines = told.replace("\\fB", " ").replace("\\fI", " ").replace("\\fR", " ").lower()
    needless = {"reference", "key", "console", "warned"}  # of titles, of heads of tables
    assert {word for word in words if word not in lines} <= needless
