"""What real shells complete, by the scripts that are in the tree."""

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.cli.group import COMMANDS
from agent.record.sqlite.ledger import open_ledger
from agent.service import clock
from checks.manuals.completion import brief
from checks.manuals.told import read_commands
from tests.builders import ban
from tests.checks.manuals.shells import SCRIPTS, SHELLS, is_there

OF_RUN = (
    "--dry-run --once --assume-sustained --policy --firewall --state-dir --tape --log-format "
    "--log-level"
)
LOADER = "bash-completion"
"""Finds the script for bash by itself, and then runs that."""

BANNED = ("192.0.2.10", "192.0.2.44", "2001:db8:7::/64")


@pytest.fixture(params=[one for one in SHELLS if one != LOADER])
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not is_there(name):
        pytest.skip(f"no {name} here")
    return name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a policy, another folder, and a state directory with three bans."""
    (tmp_path / "my.yaml").touch()
    (tmp_path / "kept").mkdir()
    ledger = open_ledger(
        tmp_path / "state", boot_id=clock.boot_id(), stopwatch=clock.stopwatch, now=clock.now()
    )
    now = datetime.now(UTC)
    bans = [
        ban(f"{one}" if "/" in one else f"{one}/32", ban_id=f"b{at}", begins=now)
        for at, one in enumerate(BANNED)
    ]
    assert all(one.until > now + timedelta(minutes=1) for one in bans)
    ledger.intend(bans)
    ledger.settle(bans, ())
    ledger.close()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("", COMMANDS, id="commands"),
        pytest.param("unb", ["unban"], id="a command"),
        pytest.param("--", [*OF_RUN.split(), "--help", "--version"], id="options without one"),
        pytest.param("--dry-run --o", ["--once"], id="an option without a command"),
        pytest.param("ban --s", ["--scope", "--service", "--state-dir"], id="options of one"),
        pytest.param("ban --scope ", ["host", "service"], id="choices"),
        pytest.param("ban 192.0.2.1 --scope h", ["host"], id="a choice behind an argument"),
        pytest.param("--log-format ", ["json", "text"], id="choices without a command"),
        pytest.param("check m", ["my.yaml"], id="a file as an argument"),
        pytest.param("replay my.yaml m", ["my.yaml"], id="another file"),
        pytest.param("import ddos", ["ddos-deflate"], id="a choice as an argument"),
        pytest.param("import ddos-deflate m", ["my.yaml"], id="a file behind it"),
        pytest.param("--policy m", ["my.yaml"], id="a file as a value"),
        pytest.param("--policy=m", ["--policy=my.yaml"], id="a file behind an equals sign"),
        pytest.param("run --tape k", ["kept"], id="a folder"),
        pytest.param("bans x", [], id="nothing where nothing may stand"),
        pytest.param("ban --for ", [], id="no guess at a value"),
        pytest.param("nonsense ", [], id="nothing of an unknown command"),
        pytest.param("unban --state-dir state ", BANNED, id="who is banned"),
        pytest.param("explain --state-dir=state 192", BANNED[:2], id="some of them"),
        pytest.param("unban --state-dir state 2001:d", BANNED[2:], id="with colons"),
        pytest.param("unban --state-dir kept ", [], id="nobody where there is no ledger"),
        pytest.param("unban --state-dir my.yaml ", [], id="not a word where it can't be read"),
    ],
)
def test_a_shell_completes(shell: str, line: str, expected: list[str], folder: Path) -> None:
    words = SHELLS[shell][0](f"abuse-agent {line}", folder)

    *before, last = f"abuse-agent {line}".split(" ")
    # Who offers nothing leaves what was typed; folders may come with their slash.
    offered = [one.rstrip("/") if one == "kept/" else one for one in words[len(before) :]]
    assert words[: len(before)] == before
    assert sorted(set(offered) - {last} - {""}) == sorted(expected)


@pytest.mark.parametrize("shell", [LOADER], indirect=True)
@pytest.mark.parametrize(
    ("line", "expected"),
    [("unb", "unban"), ("unban --state-dir state 2001:d", BANNED[2]), ("--policy=m", "my.yaml")],
)
def test_the_usual_loader_finds_the_script(
    shell: str, line: str, expected: str, folder: Path
) -> None:
    assert SHELLS[shell][0](f"abuse-agent {line}", folder)[-1].endswith(expected)


@pytest.mark.skipif(shutil.which("sudo") is None, reason="no sudo here")
@pytest.mark.parametrize("shell", [one for one in SHELLS if one != "bash"], indirect=True)
def test_a_shell_completes_behind_sudo(shell: str, folder: Path) -> None:
    complete = SHELLS[shell][0]

    assert complete("sudo abuse-agent unb", folder)[-1] == "unban"
    assert complete("sudo abuse-agent ban --scope h", folder)[-1] == "host"
    assert complete("sudo abuse-agent --policy m", folder)[-1] == "my.yaml"


@pytest.mark.parametrize(
    "name",
    [
        "bash-completion/completions/abuse-agent",
        "zsh/site-functions/_abuse-agent",
        "fish/vendor_completions.d/abuse-agent.fish",
    ],
)
def test_a_script_knows_every_command_and_every_option(name: str) -> None:
    text = (SCRIPTS / name).read_text()
    names = re.findall(r"(?:-l |--)([a-z][a-z-]+)", text)

    for command in read_commands():
        assert re.search(rf"\b{command.name}\b", text)
        assert {one.names[-1].removeprefix("--") for one in command.options} <= set(names)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck here")
def test_shellcheck_has_nothing_to_say_of_the_script_for_bash() -> None:
    script = SCRIPTS / "bash-completion/completions/abuse-agent"
    done = subprocess.run(
        ["shellcheck", "-s", "bash", script], capture_output=True, text=True, check=False
    )

    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Print JSON.", "Print JSON"),
        ("Run it; say no more.", "Run it"),
        ("With --once: go on.", "With --once: go on"),
        ("Of `a` thing. And more", "Of a thing"),
        ("word " * 20, "word word word word word word word word word word word word ..."),
    ],
)
def test_a_list_shows_a_sentence_at_most(text: str, expected: str) -> None:
    assert brief(text) == expected
