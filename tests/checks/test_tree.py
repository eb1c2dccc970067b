"""The tree check tells sizes, words and loose ends, each with its place."""

from pathlib import Path

import pytest

from checks import tree


def told(root: Path, name: str, text: str) -> list[str]:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return [str(fault) for fault in tree.faults(root)]


def function(lines: int) -> str:
    return 'def judge():\n    """Doc.\n\n    More.\n    """\n' + "    pass\n" * lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a = 1\n" * 300, [], id="a file of 300 lines"),
        pytest.param(
            "a = 1\n" * 301, ["agent/a.py: 301 lines; at most 300"], id="a file of 301 lines"
        ),
        pytest.param(function(40), [], id="a function of 40 lines beside its docstring"),
        pytest.param(
            function(41),
            ["agent/a.py:1: judge has 41 lines; at most 40"],
            id="a function of 41 lines",
        ),
        pytest.param(
            'def judge():\n    """Doc."""\n', [], id="a function that is only a docstring"
        ),
    ],
)
def test_sizes_are_counted_without_the_docstring(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert told(tmp_path, "agent/a.py", text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BanManager", "manager"),
        ("parse_helpers", "helpers"),
        ("IPWhitelist", "whitelist"),
        ("utils", "utils"),
        ("utilities", "utilities"),
        ("manage", None),
        ("contextmanager", None),
        ("jailer", None),
    ],
)
def test_a_word_is_unwanted_as_a_part_of_a_name(name: str, expected: str | None) -> None:
    assert tree.unwanted(name) == expected


def test_modules_classes_functions_and_arguments_are_looked_at(tmp_path: Path) -> None:
    text = "class Jail: ...\n\n\nasync def ban_ticket(helper, *blacklist): ...\n"

    assert sorted(told(tmp_path, "agent/utils.py", text)) == [
        "agent/utils.py: utils: utils is not a word of ours",
        "agent/utils.py:1: Jail: jail is not a word of ours",
        "agent/utils.py:4: ban_ticket: ticket is not a word of ours",
        "agent/utils.py:4: blacklist: blacklist is not a word of ours",
        "agent/utils.py:4: helper: helper is not a word of ours",
    ]


@pytest.mark.parametrize("folder", ["agent", "tests", "bench", "checks"])
def test_loose_ends_are_told_in_every_folder(tmp_path: Path, folder: str) -> None:
    left = "FIX" + "ME"

    assert told(tmp_path, f"{folder}/a.py", f"# plain\n# {left} later\n") == [
        f"{folder}/a.py:2: {left}: finish it or take it out"
    ]


def test_names_that_only_contain_such_letters_are_no_loose_ends(tmp_path: Path) -> None:
    assert told(tmp_path, "agent/a.sh", "mktemp /tmp/" + "X" * 6 + "\n") == []


def test_a_file_that_is_no_utf8_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "bad.yaml").write_bytes(b"name: caf\xe9\n")

    assert list(tree.faults(tmp_path)) == []
