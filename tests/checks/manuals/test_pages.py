"""Each command has a page that tells all that its help tells."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from agent import errors
from agent.cli.group import COMMANDS, main
from agent.cli.statuses import STATUSES
from checks.manuals.written import SHARE
from checks.typed import top_context

TREE = Path(__file__).parents[3]
PAGES = sorted((TREE / SHARE / "man").rglob("*.[15]"))


def text_of(name: str) -> str:
    """A page as it is read, in one line: escapes, fonts and requests removed."""
    raw = (TREE / SHARE / "man/man1" / f"{name}.1").read_text()
    bare = re.sub(r"\\f[BIR]|\\&", "", re.sub(r"^\.\w+ ?", "", raw, flags=re.MULTILINE))
    for escape, character in (("\\-", "-"), ("\\(aq", "'"), ("\\(dq", '"'), ("\\ ", " ")):
        bare = bare.replace(escape, character)
    return " ".join(bare.split())


def options(name: str) -> list[click.Option]:
    top = top_context()
    command = main.get_command(top, name)
    assert command is not None
    return [one for one in command.params if isinstance(one, click.Option)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_told_with_its_help(name: str) -> None:
    page = text_of(f"abuse-agent-{name}")

    for option in options(name):
        told = " ".join((option.help or "").partition("  [")[0].split())
        assert all(one in page for one in option.opts), option.opts
        assert told.strip(".") in page


def test_the_program_s_page_lists_every_command_and_every_status() -> None:
    page = text_of("abuse-agent")

    assert [name for name in COMMANDS if f"abuse-agent-{name}(1)" not in page] == []
    assert [one for one in STATUSES.values() if one not in page] == []


def test_every_error_s_status_is_told() -> None:
    kinds = [errors.AgentError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())

    assert {kind.exit_status for kind in kinds} <= set(STATUSES)


def test_the_readme_tells_the_same_statuses() -> None:
    readme = (TREE / "README.md").read_text()
    line = readme.partition("Exit status:")[2].partition("\n\n")[0]

    # Whoever interrupts it at the keyboard knows.
    assert {int(one) for one in re.findall(r"\b\d+\b", line)} == set(STATUSES) - {130}


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="no mandoc here")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_nothing_that_mandoc_warns_of(page: Path) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="no mandoc here")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_fits_80_columns(page: Path) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "ascii", page], capture_output=True, text=True, check=True
    )

    lines = re.sub(".\b", "", done.stdout).splitlines()
    assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []
