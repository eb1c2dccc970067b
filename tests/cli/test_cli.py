"""The commands as an operator types them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent import cli
from agent.cli import group
from tests.service.test_runner import GOOD

ONCE_AS_TEXT = ("--dry-run", "--once", "--log-format=text")
POLICIES = sorted((Path(__file__).parents[2] / "policies").glob("*.yaml"))


def abuse_agent(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "80"},
    )


def events(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [json.loads(line)["event"] for line in done.stdout.splitlines()]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return path


def test_one_dry_cycle(good: Path) -> None:
    done = abuse_agent("--dry-run", "--once", "--policy", str(good), "--log-level", "debug")

    assert (done.returncode, done.stderr) == (0, "")
    assert events(done)[:2] == ["agent.started", "policy.loaded"]
    assert events(done)[-2:] == ["cycle.completed", "agent.stopped"]


def test_run_may_be_said_or_left_out(good: Path) -> None:
    said = abuse_agent("run", "--dry-run", "--once", "--policy", str(good))

    assert events(said)[-1] == "agent.stopped"


def test_the_packaged_policy_is_the_default() -> None:
    done = abuse_agent("--dry-run", "--once")

    loaded = json.loads(done.stdout.splitlines()[1])
    assert [Path(file).name for file in loaded["files"]] == ["default.yaml"]


def test_text_is_one_line_an_event_without_colour(good: Path) -> None:
    done = abuse_agent("--dry-run", "--once", "--policy", str(good), "--log-format", "text")

    assert "\x1b" not in done.stdout
    assert "nothing will be banned" in done.stdout.splitlines()[0]


def test_every_ready_made_policy_is_right() -> None:
    done = abuse_agent("check", *map(str, POLICIES))

    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(POLICIES) >= 5


def test_what_will_surprise_is_told_beside_a_right_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(f"{GOOD}trusted_proxies: {{prefixes: [192.0.2.1]}}\n")

    done = abuse_agent("check", str(path))

    assert (done.returncode, done.stderr) == (0, "")
    right, note, line, caret = done.stdout.splitlines()
    assert right.endswith("1 allowlist entry, 1 warning")
    assert note.startswith(f"{path}:7:18: warning: trusted_proxies: trusted_proxies are exempt")
    assert line.endswith("trusted_proxies: {prefixes: [192.0.2.1]}")
    assert caret.index("^") - line.index("{") == 0


def test_paths_are_policies_of_their_own_unless_together(tmp_path: Path, good: Path) -> None:
    services, rules = tmp_path / "services.yaml", tmp_path / "rules.yaml"
    head, tail = GOOD.split("rules:")
    services.write_text(head)
    rules.write_text(f"version: 1\nrules:{tail}")

    apart = abuse_agent("check", str(services), str(rules))
    together = abuse_agent("check", "--together", str(services), str(rules))

    assert apart.returncode == 78
    assert (together.returncode, together.stderr) == (0, "")
    assert abuse_agent("check", str(good), str(good)).returncode == 0


def test_every_fault_is_one_line_that_begins_with_its_place(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOOD.replace("200ms", "200").replace("above: 100", "above: ten"))

    for arguments in (("check", str(bad)), ("--dry-run", "--policy", str(bad))):
        done = abuse_agent(*arguments)
        lines = done.stderr.splitlines()
        told = [line for line in lines if not line.startswith(" ")]
        assert done.returncode == 78
        assert [line.split(" ", 1)[0] for line in told] == [f"{bad}:2:8:", f"{bad}:6:70:"]
        assert len(lines) == (6 if arguments[0] == "check" else 2)
        assert done.stdout == ""


def test_check_draws_the_line_with_the_word_marked(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOOD.replace("above: 100", "above: ten"))

    _, line, caret = abuse_agent("check", str(bad)).stderr.splitlines()

    assert caret.strip(" |") == "^^^"
    assert line[caret.index("^") :].startswith("ten")


def test_check_tells_programs_all_in_one_object(tmp_path: Path, good: Path) -> None:
    bad, odd = tmp_path / "bad.yaml", tmp_path / "odd.yaml"
    bad.write_text(GOOD.replace("above: 100", "above: ten"))
    odd.write_text(f"{GOOD}trusted_proxies: {{prefixes: [192.0.2.1]}}\n")

    done = abuse_agent("check", "--json", str(bad), str(odd), "nowhere.yaml")
    told = json.loads(done.stdout)

    assert (done.returncode, done.stderr, told["right"]) == (78, "", False)
    assert told["files"] == [str(bad), str(odd), "nowhere.yaml"]
    assert [(fault["file"], fault["line"], fault["path"]) for fault in told["faults"]] == [
        (str(bad), 6, "rules[0].above"),
        ("nowhere.yaml", 0, ""),
    ]
    assert set(told["faults"][0]) == {"file", "line", "column", "path", "problem"}
    assert [warning["kind"] for warning in told["warnings"]] == ["proxies"]
    assert told["summary"]["policies"] == 3
    assert (told["summary"]["faults"], told["summary"]["warnings"]) == (2, 1)
    assert json.loads(abuse_agent("check", "--json", str(good)).stdout)["right"] is True
    assert abuse_agent("check", "--json", "nowhere.yaml").returncode == 66


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        pytest.param(["check", "nowhere.yaml"], 66, "does not exist", id="no-such-policy"),
        pytest.param(["--dry-run", "--policy", "nowhere"], 66, "does not exist", id="run-without"),
        pytest.param(["check"], 2, "Missing argument", id="nothing-to-check"),
        pytest.param(["chekc"], 2, "No such command 'chekc'", id="unknown-command"),
        pytest.param(["--dry-rum"], 2, "No such option", id="unknown-option"),
        pytest.param(["--dry-run", "--assume-sustained"], 2, "goes with --once", id="not-once"),
        pytest.param(["--log-format", "xml"], 2, "'json', 'text'", id="unknown-format"),
    ],
)
def test_bad_input_is_told_in_a_few_words(
    arguments: list[str], status: int, says: str, tmp_path: Path
) -> None:
    done = abuse_agent(*arguments, cwd=tmp_path)

    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_version_is_told() -> None:
    assert abuse_agent("--version").stdout.startswith("abuse-agent 0.")


def test_a_closed_output_is_no_error(good: Path) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", '"$0" -m agent check "$1" | true', sys.executable, good],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_at_the_output_is_no_traceback(good: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "agent", "--dry-run", "--once", "--policy", str(good)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_bug_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(group.main, "main", broken)
    with pytest.raises(SystemExit) as exit_:
        cli.entry()

    assert exit_.value.code == 70
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("command", [["check"], ["--dry-run", "--once", "--policy"]])
@pytest.mark.parametrize(
    ("output", "status"),
    [
        pytest.param(">&-", 0, id="closed"),
        pytest.param(">/dev/full", 74, id="full"),
    ],
)
def test_an_output_that_takes_nothing(
    command: list[str], output: str, status: int, good: Path
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$@" {output}', "sh", sys.executable, "-m", "agent", *command, good],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == status
    assert done.stderr.count("\n") == (status == 74)
    assert "bug" not in done.stderr


def test_a_name_that_the_terminal_can_not_show_is_no_error(tmp_path: Path) -> None:
    odd = tmp_path / "w\u00e9b.yaml"
    odd.write_text(GOOD)
    done = subprocess.run(
        [sys.executable, "-m", "agent", *ONCE_AS_TEXT, f"--policy={odd}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "w\\xe9b.yaml" in done.stdout


def test_check_tells_of_range_files_without_finding_the_policy_wrong(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("192.0.2.0/24\n<html>\n")
    (tmp_path / "old.txt").write_text("# date: 2020-01-01\n192.0.2.0/24\n")
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        GOOD + "allowlist:\n"
        "  - {name: cdn, kind: partner, ranges: [bad.txt, old.txt, none.txt], grants: 5x}\n"
    )

    done = abuse_agent("check", str(policy))

    assert done.returncode == 0
    assert f"cdn: {tmp_path}/bad.txt:2:1: '<html>' is no address" in done.stdout
    assert "old.txt: its list is of 2020-01-01, older than 90 days" in done.stdout
    assert "none.txt: it is not there" in done.stdout


def test_a_tape_that_the_policy_does_not_want_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(f"{GOOD}tape: none\n")

    done = abuse_agent("--dry-run", "--once", "--policy", str(path), "--tape", str(tmp_path / "t"))

    assert (done.returncode, "the policy records nothing (tape: none)" in done.stderr) == (2, True)
