"""Command lines are found in what a shell would be given, and judged by the parser itself."""

import pytest

from checks.typed import commands_in, refusal


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("abuse-agent", [[]], id="alone"),
        pytest.param("abuse-agent bans --json", [["bans", "--json"]], id="with words"),
        pytest.param(
            "systemctl stop abuse-agent && abuse-agent teardown", [["teardown"]], id="the second"
        ),
        pytest.param("ss -tan | abuse-agent replay -", [["replay", "-"]], id="in a pipe"),
        pytest.param("abuse-agent schema > a.json", [["schema"]], id="into a file"),
        pytest.param("abuse-agent bans 2>/dev/null; id", [["bans"]], id="a stream's number"),
        pytest.param("sudo abuse-agent bans", [["bans"]], id="as root"),
        pytest.param(
            'abuse-agent ban 192.0.2.1 --reason "scans us"',
            [["ban", "192.0.2.1", "--reason", "scans us"]],
            id="quoted",
        ),
        pytest.param("apt-get install abuse-agent", [], id="not a command here"),
    ],
)
def test_the_words_behind_the_program_are_found(line: str, expected: list[list[str]]) -> None:
    assert list(commands_in(line)) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], None),
        (["--dry-run", "--once"], None),
        (["--version"], None),
        (["ban", "--help"], None),
        (["ban", "192.0.2.1", "--for", "10m"], None),
        (["ban", "192.0.2.1"], "Missing option '--for'"),
        (["ban", "192.0.2.1", "--for", "ten"], "Invalid value for '--for'"),
        (["destroy"], "there is no command destroy"),
        (["bans", "--jsn"], "No such option"),
    ],
)
def test_the_parser_says_what_is_refused(words: list[str], expected: str | None) -> None:
    told = refusal(words)

    assert told is None if expected is None else expected in (told or "")
