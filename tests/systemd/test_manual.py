"""The man pages and the completion come with the program."""

import subprocess
from pathlib import Path

import pytest

from tests.systemd.sandbox import TREE

pytestmark = pytest.mark.root


def files_of(folder: Path) -> dict[str, str]:
    """The texts below a folder, by their names."""
    return {
        str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()
    }


def test_an_installed_program_brings_its_manual(program: Path) -> None:
    there, ours = files_of(program / "share"), files_of(TREE / "share")

    assert ours
    assert {name: there.get(name) for name in ours} == ours


def test_the_manual_is_linked_to_where_it_is_looked_for_and_taken_away_again(
    program: Path, tmp_path: Path
) -> None:
    (tmp_path / "man/man1").mkdir(parents=True)
    (tmp_path / "man/man1/other.1").touch()

    for _ in range(2):  # as at an upgrade
        subprocess.run(["cp", "-rsf", f"{program}/share/.", tmp_path], check=True)

    assert files_of(program / "share").items() <= files_of(tmp_path).items()
    subprocess.run(["find", tmp_path, "-lname", f"{program}/*", "-delete"], check=True)
    assert set(files_of(tmp_path)) == {"man/man1/other.1"}
