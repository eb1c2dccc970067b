"""The tree has what is written from the source, and whatever differs is told by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checks.manuals.told import Command, Option
from checks.manuals.written import drift, edition_of, silent, write, written

TREE = Path(__file__).parents[3]
WANTED = {"share/man/man1/a.1": ".TH A\nbody\n", "share/zsh/_a": "#compdef a\n"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(tmp_path, WANTED)
    return tmp_path


def test_this_tree_is_up_to_date() -> None:
    assert [str(fault) for fault in drift(TREE, written(TREE))] == []


def test_the_same_source_gives_the_same_bytes() -> None:
    assert written(TREE) == written(TREE)


def changed(root: Path) -> None:
    (root / "share/man/man1/a.1").write_text(".TH A\nBody\n")


def longer(root: Path) -> None:
    (root / "share/zsh/_a").write_text("#compdef a\n\n")


def removed(root: Path) -> None:
    (root / "share/zsh/_a").unlink()


def added(root: Path) -> None:
    (root / "share/man/man1/gone.1").write_text(".TH GONE\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            changed, "share/man/man1/a.1:2: is out of date: run ./dev manuals", id="changed"
        ),
        pytest.param(longer, "share/zsh/_a:2: is out of date: run ./dev manuals", id="longer"),
        pytest.param(removed, "share/zsh/_a: is not there: run ./dev manuals", id="removed"),
        pytest.param(
            added,
            "share/man/man1/gone.1: is written by nobody any more: run ./dev manuals",
            id="left over",
        ),
    ],
)
def test_what_differs_is_told_and_writing_mends_it(
    tree: Path, change: Callable[[Path], None], expected: str
) -> None:
    assert list(drift(tree, WANTED)) == []

    change(tree)

    assert [str(fault) for fault in drift(tree, WANTED)] == [expected]
    assert write(tree, WANTED) == [expected.partition(":")[0]]
    assert list(drift(tree, WANTED)) == []
    assert write(tree, WANTED) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param(
            Command(name="ban", summary="Ban.", options=(Option(names=("--for",)),)),
            [
                "the help of abuse-agent ban: does not say what --for does",
                "the help of abuse-agent ban: has no example: see agent/cli/examples.py",
            ],
            id="neither help nor example",
        ),
        pytest.param(Command(name="sets", summary="Make."), [], id="of programs"),
        pytest.param(
            Command(
                name="ban",
                summary="Ban.",
                options=(Option(names=("--for",), help="How long."),),
                examples=(("abuse-agent ban", "why"),),
            ),
            [],
            id="all told",
        ),
    ],
)
def test_what_a_help_does_not_tell_is_a_fault(command: Command, expected: list[str]) -> None:
    assert [str(fault) for fault in silent(command)] == expected


@pytest.mark.parametrize(
    ("changelog", "expected"),
    [
        pytest.param("## [Unreleased]\n", "2026-11-27", id="before the first release"),
        pytest.param(
            "## [Unreleased]\n## [0.2.0] - 2027-03-01\n## [0.1.0] - 2027-01-31\n",
            "2027-03-01",
            id="the latest release",
        ),
    ],
)
def test_a_page_has_the_date_of_the_latest_release(changelog: str, expected: str) -> None:
    assert edition_of(changelog).date == expected
