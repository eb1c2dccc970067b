"""Each page check tells what does not hold, and is silent when all holds."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checks import docs
from checks.fault import Fault, tell

HELP = "Usage: abuse-agent [OPTIONS]\n\n  Watches.\n"

TREE = {
    "README.md": (
        "# abuse-agent\n\nSee [the graph](docs/ARCHITECTURE.md#graph) and default.yaml.\n"
        "\n    ./dev run\n\n<!-- help -->\n```text\n" + HELP + "```\n<!-- /help -->\n"
    ),
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n",
    "docs/ARCHITECTURE.md": (
        "# Architecture\n\n```mermaid\ngraph LR\n```\n\n"
        "- psutil: reads where netlink is refused\n\nThe rooms: `observe/`.\n"
    ),
    "policies/default.yaml": "version: 1\n",
    "agent/observe/psutil.py": "",
    "pyproject.toml": '[project]\ndependencies = ["psutil>=6"]\n',
    "dev": "HELP\n    ./dev run ARGS  runs\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def told(root: Path) -> list[str]:
    return [str(fault) for fault in docs.faults(root, HELP)]


def test_a_tree_whose_pages_are_right_has_no_fault(tree: Path) -> None:
    assert told(tree) == []


def added(name: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((file.read_text() if file.exists() else "") + text)

    return change


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        file = root / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            added("README.md", "\n[gone](docs/gone.md)\n"),
            "README.md:15: docs/gone.md leads nowhere",
            id="a link that leads nowhere",
        ),
        pytest.param(
            added("docs/more.md", "![figure](../figure.png)\n"),
            "docs/more.md:1: ../figure.png leads nowhere",
            id="a figure that is not there",
        ),
        pytest.param(
            added("docs/more.md", "\n[a]: gone.md\n"),
            "docs/more.md:2: gone.md leads nowhere",
            id="a reference that leads nowhere",
        ),
        pytest.param(
            added("README.md", "\n./dev destroy\n"),
            "README.md:15: ./dev has no verb destroy",
            id="a verb that is not offered",
        ),
        pytest.param(
            replaced("README.md", "  Watches.", "  Guards."),
            "README.md:7: the help block is not what abuse-agent --help prints; first: Watches.",
            id="a help text of another day",
        ),
        pytest.param(
            replaced("README.md", "<!-- /help -->", ""),
            "README.md: no fenced block between <!-- help --> and <!-- /help -->",
            id="a help block without an end",
        ),
        pytest.param(
            added("policies/mail.yaml", "version: 1\n"),
            "policies/mail.yaml: neither README.md nor docs/policy.md tells of it",
            id="a policy nobody is told of",
        ),
        pytest.param(
            added("tests/scenarios/flood/scene.yaml", "title: A flood\n"),
            "docs/scenarios.md: flood stands in 0 lines of its table, and there are 1: "
            "run ./dev bench scenarios",
            id="a scene without results",
        ),
        pytest.param(
            added("docs/scenarios.md", "| [flood](../README.md) | A flood |\n"),
            "docs/scenarios.md: flood stands in 1 lines of its table, and there are 0: "
            "run ./dev bench scenarios",
            id="results of a scene that is gone",
        ),
        pytest.param(
            added("docs/more.md", "\n```console\n# abuse-agent bans --jsn\nabuse-agent x\n```\n"),
            "docs/more.md:3: abuse-agent bans --jsn can't be typed: No such option '--jsn'."
            " Did you mean '--json'?",
            id="an option in a console block that is not there",
        ),
        pytest.param(
            added("docs/more.md", "\n\n    ss -tan | abuse-agent replay --xyz -   # a comment\n"),
            "docs/more.md:3: abuse-agent replay --xyz - can't be typed: No such option '--xyz'.",
            id="an option in an indented block that is not there",
        ),
        pytest.param(
            added("docs/more.md", "See `abuse-agent destroy SOURCE`.\n"),
            "docs/more.md:1: there is no command destroy",
            id="a command in a sentence that is not there",
        ),
        pytest.param(
            added("docs/more.md", "See `abuse-agent ban SOURCE --until 5m`.\n"),
            "docs/more.md:1: abuse-agent ban has no option --until",
            id="an option in a sentence that is not there",
        ),
        pytest.param(
            replaced("CHANGELOG.md", "[Unreleased]", "[0.1.0]"),
            "CHANGELOG.md: no section ## [Unreleased]",
            id="a changelog without room for the next",
        ),
        pytest.param(
            added("docs/ARCHITECTURE.md", "\n<!-- graph -->\n```text\n```\n"),
            "docs/ARCHITECTURE.md: 2 graphs; there is one, fenced as mermaid or"
            " marked <!-- graph -->",
            id="a second graph",
        ),
        pytest.param(
            replaced("docs/ARCHITECTURE.md", ": reads where netlink is refused", ""),
            "docs/ARCHITECTURE.md: no list or table line gives the reason for psutil",
            id="a dependency without a reason",
        ),
        pytest.param(
            replaced("docs/ARCHITECTURE.md", "observe/", "observed"),
            "docs/ARCHITECTURE.md: does not name agent/observe",
            id="a room that the page forgot",
        ),
    ],
)
def test_what_does_not_hold_is_told_with_its_place(
    tree: Path, change: Callable[[Path], None], expected: str
) -> None:
    change(tree)

    assert told(tree) == [expected]


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "docs/ARCHITECTURE.md"])
def test_a_missing_page_is_told_once(tree: Path, name: str) -> None:
    (tree / name).unlink()

    assert f"{name}: there is no such page" in told(tree)
    assert not any(line.startswith(f"{name}:") for line in told(tree)[1:])


def test_links_in_code_and_to_other_places_are_left_alone(tree: Path) -> None:
    added("docs/more.md", "[a](https://example.net/b) [c](#d)\n```\n[e](f.md)\n```\n")(tree)

    assert told(tree) == []


def test_what_is_typed_right_is_left_alone(tree: Path) -> None:
    added(
        "docs/more.md",
        "`abuse-agent explain SOURCE`, `abuse-agent COMMAND`, `abuse-agent --policy PATH`\n\n"
        '    abuse-agent ban 192.0.2.1 --for 1h --reason "it\'s theirs"\n\n'
        "```console\n$ abuse-agent bans | sort\nsource: it's shown\n```\n",
    )(tree)

    assert told(tree) == []


def test_pages_in_hidden_folders_are_not_ours(tree: Path) -> None:
    (tree / ".dev").mkdir()
    added(".dev/page.md", "[gone](gone.md)\n")(tree)

    assert told(tree) == []


def test_a_help_that_can_not_be_had_is_a_fault(tree: Path) -> None:
    found = [str(fault) for fault in docs.faults(tree, "")]

    assert found == ["README.md: abuse-agent --help failed, so its block can't be checked"]


def test_the_exit_status_says_whether_there_was_a_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fault = Fault(file="README.md", line=12, problem="leads nowhere")

    assert tell([]) == 0
    assert tell([fault, fault]) == 1
    assert capsys.readouterr().out == "README.md:12: leads nowhere\n"
