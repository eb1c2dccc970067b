"""``abuse-agent import``, as an operator meets it."""

import errno
import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agent.cli import told
from agent.cli.group import main
from tests.desk.imports.peers import deflate, written

MANY = "".join(f"198.51.{one >> 8}.{one & 255}\n" for one in range(0, 4_000, 2))


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Give the exit status, what was printed, and what was said on standard error."""
    result = CliRunner().invoke(main, [*map(str, arguments)], standalone_mode=False)
    if isinstance(result.exception, click.UsageError):
        return result.exception.exit_code, "", result.exception.message
    if isinstance(result.exception, Exception):
        text, status = told(result.exception)
        return status, result.stdout, text
    return result.return_value or result.exit_code, result.stdout, result.stderr


def test_what_it_prints_passes_check(tmp_path: Path) -> None:
    status, text, said = run("import", "ddos-deflate", deflate(tmp_path / "ddos"))
    (tmp_path / "my.yaml").write_text(text)

    assert (status, said) == (0, "")
    assert run("check", tmp_path / "my.yaml")[0] == 0


def test_what_it_writes_is_what_it_prints(tmp_path: Path) -> None:
    folder, output = deflate(tmp_path / "ddos"), tmp_path / "my.yaml"

    status, text, said = run("import", "ddos-deflate", folder, "--output", output)

    assert (status, text) == (0, "")
    assert said == f"{output}: written; next: abuse-agent check {output}\n"
    assert output.read_text() == run("import", "ddos-deflate", folder)[1]


def test_a_file_that_is_there_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    folder, output = deflate(tmp_path / "ddos"), tmp_path / "my.yaml"
    output.write_text("mine")

    status, _, said = run("import", "ddos-deflate", folder, "--output", output)
    assert (status, output.read_text()) == (74, "mine")
    assert "my.yaml is there already: --force replaces it" in said

    assert run("import", "ddos-deflate", folder, "--output", output, "--force")[0] == 0
    assert output.read_text() != "mine"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["ddos", "my.yaml"]


def test_a_long_list_becomes_a_range_file_beside_the_policy(tmp_path: Path) -> None:
    folder = deflate(tmp_path / "ddos", ips=MANY)

    status, _, said = run("import", "ddos-deflate", folder)
    assert (status, "give --output FILE" in said) == (2, True)

    output = tmp_path / "my.yaml"
    assert run("import", "ddos-deflate", folder, "--output", output)[0] == 0
    listed = (tmp_path / "my.ignored-addresses.txt").read_text().split("\n")
    assert listed[0] == "# Imported: 2000 networks, of ignored-addresses."
    assert listed[1:-1] == [f"{one}/32" for one in MANY.split()]
    assert "    ranges: [my.ignored-addresses.txt]" in output.read_text()
    assert run("check", output)[1].startswith(f"{output}: right: 2 rules")


def test_range_files_are_kept_too_and_nothing_is_written_then(tmp_path: Path) -> None:
    folder = deflate(tmp_path / "ddos", ips=MANY)
    (tmp_path / "my.ignored-addresses.txt").write_text("mine")

    status, _, said = run("import", "ddos-deflate", folder, "--output", tmp_path / "my.yaml")

    assert (status, "is there already" in said) == (74, True)
    assert not (tmp_path / "my.yaml").exists()
    assert (tmp_path / "my.ignored-addresses.txt").read_text() == "mine"


def test_nothing_is_left_where_it_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = deflate(tmp_path / "ddos", ips=MANY)
    there = os.link

    def refuse(source: str, target: str, **also: bool) -> None:
        if str(target).endswith(".yaml"):
            raise OSError(errno.ENOSPC, "full")
        there(source, target, **also)

    monkeypatch.setattr(os, "link", refuse)

    status, _, said = run("import", "ddos-deflate", folder, "--output", tmp_path / "my.yaml")

    assert (status, "no space left on device" in said) == (74, True)
    assert [one.name for one in tmp_path.iterdir()] == ["ddos"]


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        pytest.param(["nginx"], 2, "'nginx' is not one of", id="no peer"),
        pytest.param(["ddos-deflate", "/nowhere"], 66, "/nowhere: no such file", id="no file"),
        pytest.param(["ddos-deflate", "/dev/null"], 65, "not a regular file", id="a device"),
        pytest.param(["ddos-deflate", "{}/no.conf"], 65, "no setting of ddos", id="another file"),
        pytest.param(["ddos-deflate", "{}", "--force"], 2, "--force replaces", id="force alone"),
        pytest.param(
            ["ddos-deflate", "{}", "--output", "{}/no/my.yaml"], 74, "no such file", id="no folder"
        ),
        pytest.param(["ddos-deflate", "{}", "--output", "{}"], 74, "no regular", id="a folder"),
        pytest.param(["ddos-deflate", "{}", "--output", "a\nb"], 2, "printable", id="a bad name"),
        pytest.param(["ddos-deflate", "a\x00b"], 65, "no file has such", id="a name of nobody"),
    ],
)
def test_wrong_input_is_told_in_a_line(
    tmp_path: Path, arguments: list[str], status: int, expected: str
) -> None:
    deflate(tmp_path)
    written(tmp_path, {"no.conf": "some=thing\n"})
    typed = [one.replace("{}", str(tmp_path)) for one in arguments]

    found, _, said = run("import", *typed)

    assert found == status
    assert expected in said
    assert len(said.strip().split("\n")) == 1
