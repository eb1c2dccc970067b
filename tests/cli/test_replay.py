"""``replay``, ``suggest`` and ``check`` with a tape, as an operator meets them."""

import gzip
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from agent.cli import told
from agent.cli.group import main
from agent.errors import AgentError
from agent.model.address import HOST
from agent.model.frame import Rest
from agent.model.inputs import Standing
from tests.desk.replay.frames import frame
from tests.desk.replay.tapes import write_tape

POLICY = """\
version: 1
every: 5s
safety: {known_clients_share: 100%}
services:
  web: {ports: [80, 443]}
allowlist:
  - {name: office, kind: nat, prefixes: [203.0.113.9], grants: exempt}
rules:
  - {name: web-connections, service: web, count: connections, above: LIMIT}
"""
BAD, OFFICE = "198.51.100.7", "203.0.113.9"
REST = (Rest(width=HOST, floor=10, counts={("web", "connections"): {2: 9_990}}),)


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Give a tape of 120 moments, the last of which was just now."""
    begin = datetime.now(UTC) - timedelta(minutes=10)
    known = {"standing": Standing(known=frozenset({bytes([198, 51, 100, 8])}))}
    return write_tape(
        tmp_path / "tape",
        (
            frame(
                number,
                {BAD: 150, OFFICE: 400, "198.51.100.8": 60},
                at=begin + number * timedelta(seconds=5),
                inputs=known,
                rest=REST,
            )
            for number in range(120)
        ),
    )


def policy(folder: Path, limit: int, name: str = "policy.yaml") -> str:
    path = folder / name
    path.write_text(POLICY.replace("LIMIT", str(limit)))
    return str(path)


def run(*arguments: str, given: str | None = None) -> tuple[int, str]:
    """Give the exit status and all that was printed."""
    if given is not None:
        program = (sys.executable, "-m", "agent", *arguments)
        done = subprocess.run(program, input=given, text=True, capture_output=True, check=False)
        return done.returncode, done.stdout + done.stderr
    result: Result = CliRunner().invoke(main, arguments, standalone_mode=False)
    if isinstance(result.exception, AgentError):
        text, status = told(result.exception)
        return status, result.output + text
    if isinstance(result.exception, click.UsageError):
        return result.exception.exit_code, result.exception.message
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.return_value or result.exit_code, result.output


def test_it_tells_whom_when_for_how_long_and_why(tmp_path: Path, tape: Path) -> None:
    status, said = run("replay", "--policy", policy(tmp_path, 100), "--tape", str(tape))

    assert status == 0
    lines = said.split("\n")
    assert re.match(r"120 cycles, 20.* UTC, judged by policy [0-9a-f]{12} from ", lines[0])
    assert lines[1:3] == ["banned: 1 source", f"  {BAD} from web"]
    assert re.match(
        r"    20\d\d-\d\d-\d\d [\d:]{8}  for 10m: web-connections: 150 connections, limit 100, "
        r"above in 3 of the last 5 samples",
        lines[3],
    )
    assert "slowed down: nobody" in lines
    (left,) = [line for line in lines if OFFICE in line]
    assert left.startswith(f"  {OFFICE}: exempt: office, ")
    assert "policy.yaml:7; web-connections: up to 400 connections, limit 100, in 120 cycles" in left


def test_json_has_all_of_it(tmp_path: Path, tape: Path) -> None:
    _, said = run("replay", "--policy", policy(tmp_path, 100), "--tape", str(tape), "--json")

    found: dict[str, Any] = json.loads(said)["replay"]
    (ban,) = found["bans"]
    assert (ban["source"], ban["rule"], ban["for_s"], ban["lifted"]) == (
        BAD,
        "web-connections",
        600.0,
        None,
    )
    assert found["cycles"] == 120
    assert {one["source"]: one["allowlist"] for one in found["sources"]} == {
        BAD: None,
        OFFICE: "office",
    }


def test_against_another_policy_it_ends_with_1_where_anything_differs(
    tmp_path: Path, tape: Path
) -> None:
    low, high = policy(tmp_path, 100), policy(tmp_path, 200, "old.yaml")
    same = policy(tmp_path, 101, "same.yaml")

    status, said = run("replay", "--policy", low, "--against", high, "--tape", str(tape))
    nothing, quiet = run("replay", "--policy", low, "--against", same, "--tape", str(tape))

    assert status == 1
    assert f"1 source treated otherwise than by {high}:\n  {BAD}\n    {low}: banned from" in said
    assert f"    {high}: above no limit" in said
    assert nothing == 0
    assert quiet.rstrip().endswith(f"nothing differs from {same}")


def test_since_and_until_cut_out_a_part(tmp_path: Path, tape: Path) -> None:
    arguments = ("replay", "--policy", policy(tmp_path, 100), "--tape", str(tape))

    _, said = run(*arguments, "--since", "5m", "--until", "2m")
    status, none = run(*arguments, "--until", "1h")

    assert int(said.split(" ")[0]) in range(34, 38)
    assert status == 66
    assert none == f"abuse-agent: {tape}: nothing was recorded to 1h ago"


def test_a_limit_below_the_floor_is_refused_with_the_reason(tmp_path: Path, tape: Path) -> None:
    status, said = run("replay", "--policy", policy(tmp_path, 5), "--tape", str(tape))

    assert status == 78
    assert "policy.yaml:9:1: web-connections: its limit 5 lies below the tape's floor" in said


def test_no_tape_and_an_empty_one(tmp_path: Path) -> None:
    arguments = ("replay", "--policy", policy(tmp_path, 100), "--tape", str(tmp_path / "tape"))

    status, said = run(*arguments)
    write_tape(tmp_path / "tape", [])

    assert (status, "there is no tape: a live run" in said) == (66, True)
    assert run(*arguments) == (66, f"abuse-agent: {tmp_path}/tape: nothing is recorded there yet")


def test_what_is_damaged_is_told_and_the_rest_is_judged(tmp_path: Path, tape: Path) -> None:
    (piece,) = tape.iterdir()
    content = piece.read_bytes()
    piece.write_bytes(content[:-40] + bytes(40))

    status, said = run("replay", "--policy", policy(tmp_path, 100), "--tape", str(tape))

    assert status == 0
    assert said.startswith(piece.name)
    assert "banned: 1 source" in said
    assert run("suggest", "--policy", policy(tmp_path, 100), "--tape", str(tape))[1].startswith(
        piece.name
    )


@pytest.mark.parametrize("command", ["replay --policy", "suggest --policy", "check"])
def test_a_tape_that_is_nothing_but_damage_is_no_empty_one(
    tmp_path: Path, tape: Path, command: str
) -> None:
    (piece,) = tape.iterdir()
    piece.write_bytes(b"what is this" * 100)

    status, said = run(*command.split(), policy(tmp_path, 100), "--tape", str(tape))

    assert (status, said.startswith(f"abuse-agent: {tape}: {piece.name}: ")) == (65, True)


@pytest.mark.parametrize("command", ["replay", "suggest"])
def test_a_part_that_ends_before_it_begins_is_a_usage_error(command: str) -> None:
    status, said = run(command, "--since", "1h", "--until", "2h")

    assert (status, "both say how long ago" in said) == (2, True)


def test_a_tape_of_which_nothing_can_be_read_is_65(tmp_path: Path, tape: Path) -> None:
    (piece,) = tape.iterdir()
    piece.write_bytes(b"no tape at all, but long enough to be one")

    status, said = run("replay", "--policy", policy(tmp_path, 100), "--tape", str(tape))

    assert (status, f"{piece.name}: it is no tape" in said) == (65, True)


NETSTAT = """\
Active Internet connections (w/o servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State
"""


def listing(count: int, junk: str = "") -> str:
    rows = (
        f"tcp        0      0 192.0.2.1:80            {BAD}:{port}      ESTABLISHED\n"
        for port in range(20_000, 20_000 + count)
    )
    return NETSTAT + "".join(rows) + junk


def test_saved_listings_are_judged_as_well(tmp_path: Path) -> None:
    file = tmp_path / "saved.txt.gz"
    file.write_bytes(gzip.compress(listing(150, "tcp what is this\n").encode()))
    arguments = ("replay", "--policy", policy(tmp_path, 100))

    status, said = run(*arguments, "--assume-sustained", str(file))
    _, piped = run(*arguments, "-", given=listing(150) * 3)

    assert status == 0
    assert "read 150 sockets in 1 moment; 2 other lines, 1 line not understood" in said
    assert "what is this" in said
    assert "no LISTEN rows: what is on the ports of the policy's services counts as inbound" in said
    assert f"banned: 1 source\n  {BAD} from web" in said
    assert "read 450 sockets in 3 moments" in piped
    assert f"banned: 1 source\n  {BAD} from web" in piped


def test_one_moment_is_not_said_to_last(tmp_path: Path) -> None:
    _, said = run("replay", "--policy", policy(tmp_path, 100), "-", given=listing(150))

    assert "1 moment can't show what lasts: web-connections want" in said
    assert "banned: nobody" in said
    assert f"  {BAD}: not above it for long enough; web-connections: up to 150" in said


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("nowhere.txt",), 66, "nowhere.txt: No such file"),
        (("/",), 66, "/: a folder"),
        (("--state-dir", "/nowhere"), 66, "/nowhere/tape: there is no tape"),
    ],
)
def test_what_is_not_there_is_66(
    tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    found, said = run("replay", "--policy", policy(tmp_path, 100), *arguments)

    assert (found, words in said) == (status, True)


def test_what_is_no_listing_is_65(tmp_path: Path) -> None:
    status, _ = run("replay", "--policy", policy(tmp_path, 100), "-", given="hello\n")

    assert status == 65


def test_suggest_tells_what_is_normal_and_rules_that_are_right(tmp_path: Path, tape: Path) -> None:
    status, said = run("suggest", "--policy", policy(tmp_path, 100), "--tape", str(tape))

    assert status == 0
    assert "connections to web, a source in a cycle:\n  p50 2, p99 2, p99.9 2, most 150" in said
    assert "known clients 60" in said
    assert re.search(rf"    400  {OFFICE}  at .*: exempt as office, .*policy.yaml:7", said)
    rules = said[said.index("rules:\n") : said.index("\n\nbanned:")]
    pasted = tmp_path / "pasted.yaml"
    pasted.write_text(f"version: 1\nservices: {{web: {{ports: [80, 443]}}}}\n{rules}\n")
    assert run("check", str(pasted))[0] == 0
    assert "above: 120" in rules
    assert f"banned: 1 source\n  {BAD} from web" in said


def test_suggest_as_json(tmp_path: Path, tape: Path) -> None:
    _, said = run("suggest", "--policy", policy(tmp_path, 100), "--tape", str(tape), "--json")

    (web,) = json.loads(said)["subjects"]
    assert (web["p50"], web["p99_9"], web["max"], web["known_clients_max"]) == (2, 2, 150, 60)
    assert [one["source"] for one in web["top"]] == [OFFICE, BAD, "198.51.100.8"]


def test_check_warns_of_a_limit_below_what_is_normal_here(tmp_path: Path, tape: Path) -> None:
    _, said = run("check", policy(tmp_path, 50), "--tape", str(tape))
    _, fine = run("check", policy(tmp_path, 60), "--tape", str(tape))

    assert "policy.yaml:9" in said
    assert "the limit 50 lies below what is normal here: by the tape a known client" in said
    assert "normal here" not in fine
    status, none = run("check", policy(tmp_path, 60), "--tape", "/nowhere")
    assert (status, none.startswith("abuse-agent: /nowhere: there is no tape")) == (66, True)


def test_the_first_minutes_of_a_short_tape_do_not_speak_for_the_rest(tmp_path: Path) -> None:
    begin = datetime.now(UTC) - timedelta(minutes=20)
    rest = (Rest(width=HOST, floor=10, counts={("web", "connections"): {2: 500}}),)
    crowd = {f"192.0.2.{number}": 150 for number in range(1, 4)}
    moments = (
        frame(number, crowd if number < 40 else {}, at=begin + timedelta(seconds=number), rest=rest)
        for number in range(400)
    )
    tape = write_tape(tmp_path / "tape", moments)

    assert "normal here" not in run("check", policy(tmp_path, 50), "--tape", str(tape))[1]
