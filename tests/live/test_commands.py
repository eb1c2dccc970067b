"""Commands as an operator types them, with a running agent and without one."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.live.agents import ROOT, LiveAgent, command, live
from tests.live.test_bans import reaches
from tests.range import Hosts, connect, eventually, in_namespace, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, ban: 1m}
services:
  web: {ports: [80]}
  ssh: {ports: [22]}
allowlist:
  - {name: office, kind: partner, prefixes: [198.18.50.7], grants: exempt}
rules:
  - {name: web, service: web, count: connections, above: 20}
"""
SOURCE, NEIGHBOUR, OFFICE = "198.18.50.1", "198.18.50.2", "198.18.50.7"
LINE = "2001:db8:18:50::/64"


@dataclass(slots=True)
class Desk:
    """A server with an operator at its desk."""

    hosts: Hosts
    firewall: str
    folder: Path
    policy: Path
    agent: LiveAgent | None = None

    def type(self, *arguments: str, places: bool = True) -> CompletedProcess[str]:
        """Run a command; `places` names policy and firewall as well as the state directory."""
        named = ("--policy", str(self.policy)) if places and self.agent is None else ()
        where = ("--state-dir", str(self.folder))
        return command(self.hosts.server, self.firewall, *arguments, *where, *named)

    def done(self, *arguments: str, places: bool = True) -> str:
        """Run a command that has to succeed; give what it printed."""
        found = self.type(*arguments, places=places)
        assert (found.returncode, found.stderr) == (0, ""), arguments
        return found.stdout

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.done("bans", "--json", places=False))
        return found

    def reaches(self, source: str, port: int = 80) -> bool:
        return reaches(self.hosts, source, port, within_s=0.4)


@pytest.fixture(params=["alone", "with an agent"])
def desk(
    request: pytest.FixtureRequest,
    hosts: Hosts,
    firewall: str,
    folder: Path,
    write_policy: Callable[[str], Path],
) -> Iterator[Desk]:
    made = Desk(hosts, firewall, folder, write_policy(POLICY))
    with ExitStack() as stack:
        for port in (22, 80, 99):
            stack.enter_context(serve(hosts.server, port))
        if request.param != "alone":
            made.agent = stack.enter_context(live(hosts.server, firewall, made.policy, folder))
            made.agent.wait_for("cycle.completed")
        yield made


def test_a_source_is_banned_listed_verified_and_freed(desk: Desk) -> None:
    with connect(desk.hosts.client, [SOURCE], (desk.hosts.server4, 80)) as held:
        said = desk.done("ban", SOURCE, "--for", "10m", "--reason", "scans us")
        assert said.startswith(f"{SOURCE} is banned from this host for 10m: by hand: scans us\n")
        assert "1 connection of banned sources closed" in said
        assert eventually(lambda: held.still_open() == 0)
    assert not desk.reaches(SOURCE)
    assert not desk.reaches(SOURCE, 99)
    assert desk.reaches(SOURCE, 22)
    assert desk.reaches(NEIGHBOUR)
    (one,) = desk.listed()
    assert (one["source"], one["rule"], one["count"], one["for_s"]) == (SOURCE, "manual", None, 600)
    assert 590 < one["left_s"] <= 600
    assert "all is as it should be" in desk.done("verify")
    if desk.agent:
        assert desk.agent.wait_for("ban.applied")["ban_id"] == one["ban_id"]

    assert f"{SOURCE} stays free for 30m" in desk.done("unban", SOURCE)
    assert desk.reaches(SOURCE)
    assert desk.listed() == []
    assert "unbanned by hand until" in desk.done("guard", places=False)
    if desk.agent:
        assert desk.agent.wait_for("ban.lifted")["reasons"] == ["by hand"]

    # The newest word counts: it can be banned again at once.
    desk.done("ban", SOURCE, "--for", "10m", "--scope", "service", "--service", "web")
    assert not desk.reaches(SOURCE)
    assert desk.reaches(SOURCE, 99)


def test_who_is_let_pass_is_not_banned_whatever_happens(desk: Desk) -> None:
    desk.done("ban", "198.18.50.0/25", "--for", "10m")
    assert not desk.reaches(SOURCE)
    assert desk.reaches(OFFICE)

    desk.done("allow", SOURCE, "--for", "2h")

    assert desk.reaches(SOURCE)
    assert not desk.reaches(NEIGHBOUR)
    if desk.agent:
        with connect(desk.hosts.client, [SOURCE], (desk.hosts.server4, 80), each=21):
            assert "allowed by hand" in desk.agent.wait_for("source.exempt", source=SOURCE)["guard"]


def test_teardown_leaves_nothing_and_waits_for_the_agent_to_end(desk: Desk) -> None:
    desk.done("ban", LINE, "--for", "10m")
    if desk.agent:
        refused = desk.type("teardown")
        assert (refused.returncode, "stop it first" in refused.stderr) == (75, True)
        desk.agent.end()

    said = command(desk.hosts.server, desk.firewall, "teardown", "--state-dir", str(desk.folder))

    assert (said.returncode, said.stderr) == (0, "")
    assert "bans ended: 1" in said.stdout
    assert desk.listed() == []
    again = command(desk.hosts.server, desk.firewall, "teardown", "--state-dir", str(desk.folder))
    assert again.stdout == "nothing was there\n"


@pytest.mark.parametrize("desk", ["alone"], indirect=True)
def test_who_is_free_already_is_told_until_when(desk: Desk) -> None:
    desk.done("allow", SOURCE, "--for", "2h")

    again = desk.type("unban", SOURCE)

    assert again.returncode == 66
    assert re.search(r"is not banned; it is free until \d{4}-\d\d-\d\d [\d:]{8} UTC", again.stderr)


def test_programs_are_told_alike(namespace: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    state = ("--state-dir", str(tmp_path / "state"), "--json")
    where = ("--policy", str(tmp_path / "policy.yaml"), *state)

    def told(*arguments: str) -> Any:
        done = command(namespace, "nftables", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    banned = told("ban", SOURCE, "--for", "10m", "--reason", "a\x1b[2J", *where)
    assert list(banned)[:5] == ["timestamp", "level", "event", "mode", "cycle"]
    assert banned["reasons"] == ["by hand: a\x1b[2J"]
    freed, let = told("unban", SOURCE, *where), told("allow", OFFICE, "--for", "2h", *where)
    assert [list(one) for one in (freed, let)] == [["source", "lifted", "until"]] * 2
    assert (freed["lifted"], let["lifted"]) == ([SOURCE], [])
    ends = {one["prefix"]: one["until"] for one in told("guard", *state)}
    assert (ends[SOURCE], ends["127.0.0.0/8"]) == (freed["until"], None)
    gone = told("teardown", *state)
    assert gone["removed"][0].endswith("inet abuse_agent")
    assert (gone["bans_ended"], gone["notes"]) == (0, [])


def test_nothing_that_was_typed_plays_with_the_terminal(namespace: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    state = ("--state-dir", str(tmp_path / "state"))
    where = ("--policy", str(tmp_path / "policy.yaml"), *state)

    said = [
        command(namespace, "nftables", *arguments).stdout
        for arguments in (
            ("ban", SOURCE, "--for", "10m", "--reason", "a\x1b[2J\x07\u202e", *where),
            ("bans", *state),
            ("status", *state),
        )
    ]

    assert all(line.isprintable() for each in said for line in each.splitlines())
    assert all("a\\x1b[2J\\x07\\u202e" in each for each in said[:2])


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        pytest.param(["ban", OFFICE, "--for", "1m"], 1, "on the allowlist as office", id="exempt"),
        pytest.param(["ban", "127.0.0.1", "--for", "1m"], 1, "loopback", id="guarded"),
        pytest.param(["unban", NEIGHBOUR], 66, "is not banned", id="not-banned"),
        pytest.param(["ban", SOURCE, "--for", "10"], 2, "as 10m or 1h30m", id="no-unit"),
        pytest.param(["ban", "198.0.0.0/8", "--for", "1m"], 2, "at most a /16", id="too-wide"),
        pytest.param(["ban", "198.18.50.1/24", "--for", "1m"], 2, "198.18.50.0/24", id="host-bits"),
        pytest.param(
            ["ban", "example.net", "--for", "1m"], 2, "a name; give an address", id="a-name"
        ),
        pytest.param(
            ["ban", SOURCE, "--for", "1m", "--service", "web"], 2, "--scope service", id="no-scope"
        ),
    ],
)
def test_what_can_not_be_done_is_said_in_a_line(
    namespace: str, tmp_path: Path, arguments: list[str], status: int, says: str
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    where = ("--policy", str(policy), "--state-dir", str(tmp_path / "state"))

    done = command(namespace, "nftables", *arguments, *where)

    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_commands_use_the_agents_own_policy_whatever_the_files_say(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    where = ("--state-dir", str(folder))
    with live(hosts.server, "nftables", policy, folder) as agent:
        agent.wait_for("cycle.completed")
        write_policy("version: 1\nrules: [")

        banned = command(hosts.server, "nftables", "ban", SOURCE, "--for", "1m", *where)
        spared = command(hosts.server, "nftables", "ban", OFFICE, "--for", "1m", *where)
        freed = command(hosts.server, "nftables", "unban", SOURCE, *where)
        write_policy(POLICY.replace("above: 20", "above: 30"))
        other = ("--policy", str(policy))
        refused = command(hosts.server, "nftables", "ban", SOURCE, "--for", "1m", *where, *other)
        moved = command(hosts.server, "nftables", "verify", *where, "--firewall", "iptables")

    assert [one.returncode for one in (banned, spared, freed, refused, moved)] == [0, 1, 0, 75, 75]
    assert "leave out --policy" in refused.stderr
    assert "leave out --firewall" in moved.stderr


def test_an_agent_with_another_state_directory_is_not_overlooked(
    hosts: Hosts, folder: Path, tmp_path: Path, write_policy: Callable[[str], Path]
) -> None:
    with live(hosts.server, "nftables", write_policy(POLICY), folder) as agent:
        agent.wait_for("cycle.completed")
        found = [
            command(hosts.server, "nftables", *words, "--state-dir", str(tmp_path / "other"))
            for words in (("teardown",), ("status",), ("ban", SOURCE, "--for", "1m"))
        ]

    assert [one.returncode for one in found] == [75, 75, 75]
    assert all("--state-dir" in one.stderr for one in found)
    assert not (tmp_path / "other").exists()


def test_bans_move_with_the_agent_to_another_firewall(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    where = ("--state-dir", str(folder), "--policy", str(policy))
    iptables = ("--firewall", "iptables")
    with in_namespace(hosts.server):
        subprocess.run(
            [sys.executable, "-m", "agent", "ban", SOURCE, "--for", "10m", *where, *iptables],
            check=True,
            capture_output=True,
            cwd=ROOT,
        )
        moved = subprocess.run(
            [sys.executable, "-m", "agent", "--once", *where, "--firewall", "nftables"],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        left = subprocess.run(["ipset", "list", "-n"], capture_output=True, text=True, check=True)
    told = [json.loads(line)["event"] for line in moved.stdout.splitlines()]

    assert "firewall.moved" in told
    assert "ban.restored" in told
    assert left.stdout == ""
