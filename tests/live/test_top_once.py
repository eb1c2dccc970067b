"""One moment of a real machine: with an agent and without, with root and without."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.agents import command, command_of_nobody, live
from tests.range import Hosts, connect, forge_syns, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 2 of 3, ban: 10m}
services:
  web: {ports: [80]}
  ssh: {ports: [22]}
allowlist:
  - {name: office, kind: partner, prefixes: [198.18.50.7], grants: exempt}
  - {name: campus, kind: nat, prefixes: [198.18.51.0/24], grants: 10x}
rules:
  - {name: web-connections, service: web, count: connections, above: 20}
  - {name: web-neighbours, service: web, count: connections, above: 60,
     per: {ipv4: 24, ipv6: 48}, members: 3, mode: observe}
"""
OTHER = POLICY.replace("above: 20}", "above: 40}")
GUILTY, OFFICE, CAMPUS, GUEST = "198.18.50.1", "198.18.50.7", "198.18.51.9", "198.18.60.2"


@dataclass(slots=True)
class Desk:
    """A server with an operator at its desk."""

    hosts: Hosts
    folder: Path
    policy: Path

    def type(self, *options: str) -> str:
        where = ("--state-dir", str(self.folder))
        found = command(self.hosts.server, "nftables", "top", *options, *where)
        assert (found.returncode, found.stderr) == (0, "")
        return found.stdout

    def fields(self, *options: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.type("--json", *options))
        return found

    def agent(self) -> Any:
        return live(self.hosts.server, "nftables", self.policy, self.folder)

    def hold(self, sources: list[str], each: int, port: int = 80) -> Any:
        to = self.hosts.server6 if ":" in sources[0] else self.hosts.server4
        return connect(self.hosts.client, sources, (to, port), each=each)


@pytest.fixture
def desk(hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]) -> Iterator[Desk]:
    with serve(hosts.server, 80), serve(hosts.server, 22), serve(hosts.server, 8443):
        yield Desk(hosts, folder, write_policy(POLICY))


def rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["source"]: row for row in found["rows"]}


def test_each_source_is_told_with_what_it_holds_of_which_service(desk: Desk) -> None:
    line = "2001:db8:18:5::"
    with (
        desk.hold([GUEST], 5),
        desk.hold([GUEST], 3, port=22),
        desk.hold([f"{line}1", f"{line}2"], 2, port=8443),
    ):
        forge_syns(desk.hosts.client, ["198.19.0.9"], (desk.hosts.server4, 80))
        found = desk.fields("--policy", str(desk.policy))
        told = rows(found)
        assert list(told) == [GUEST, f"{line}/64", "198.19.0.9"]
        assert (told[GUEST]["sockets"], told[GUEST]["services"]) == (8, {"web": 5, "ssh": 3})
        assert told[f"{line}/64"]["services"] == {"port 8443": 4}
        assert told["198.19.0.9"]["states"] == {"SYN_RECV": 1}
        assert found["states"] == {"ESTABLISHED": 12, "LISTEN": 3, "SYN_RECV": 1}
        assert (found["sockets"], found["sources"], found["matching"]) == (16, 3, 3)
        assert found["services"] == ["web", "ssh", "port 8443"]
        assert told[GUEST]["nearest"] == {
            "rule": "web-connections",
            "judged": GUEST,
            "count": 5,
            "limit": 20,
            "share": 0.25,
            "is_watched_only": False,
        }

        for options, expected in (
            (("--service", "ssh"), {GUEST: 3}),
            (("--service", "8443"), {f"{line}/64": 4}),
            (("--state", "syn-recv"), {"198.19.0.9": 1}),
            (("--prefix", "198.18.0.0/16"), {GUEST: 8}),
            (("--sort", "address", "--most", "1"), {GUEST: 8}),
            (("--sort", "limit", "--most", "1"), {GUEST: 8}),
        ):
            some = desk.fields("--policy", str(desk.policy), *options)
            assert {who: row["sockets"] for who, row in rows(some).items()} == expected, options


def test_beside_an_agent_bans_and_who_is_spared_are_told(desk: Desk) -> None:
    with desk.agent() as agent, desk.hold([OFFICE, CAMPUS], 12), desk.hold([GUILTY], 40):
        ban = agent.wait_for("ban.applied")
        found = desk.fields()
        (in_force,) = found["bans"]
        assert (in_force["ban_id"], in_force["source"]) == (ban["ban_id"], GUILTY)
        assert 500 < in_force["left_s"] <= 600
        assert found["agent"]["pid"] == agent.process.pid
        assert found["unread"] == {}
        told = rows(found)
        assert (told[OFFICE]["who"], told[OFFICE]["is_spared"]) == ("office, exempt", True)
        assert told[OFFICE]["nearest"] is None
        assert (told[CAMPUS]["who"], told[CAMPUS]["nearest"]["limit"]) == ("campus, 10x", 200)

        said = desk.type()
        assert all(len(line) <= 80 for line in said.splitlines())
        assert f"\n{GUILTY}  drop web   9m" in said
        assert "\nagent    " in said

        desk.policy.write_text(OTHER)
        assert desk.fields()["unread"] == {}, "it is the agent's own policy that counts"


def test_a_source_that_is_here_and_banned_shows_its_ban(desk: Desk) -> None:
    where = ("--state-dir", str(desk.folder))
    with desk.agent() as agent, desk.hold([GUEST], 4):
        agent.wait_for("cycle.completed")
        words = ("ban", f"{GUEST}", "--for", "20m", "--scope", "service", "--service", "ssh")
        done = command(desk.hosts.server, "nftables", *words, *where)
        assert done.returncode == 0, done.stderr
        (row,) = desk.fields()["rows"]
        assert (row["source"], row["sockets"]) == (GUEST, 4)
        assert (row["ban"]["rule"], row["ban"]["service"]) == ("manual", "ssh")
        assert "drop 19m" in desk.type() or "drop 20m" in desk.type()


def test_without_an_agent_that_is_said_and_its_last_policy_counts(desk: Desk) -> None:
    with desk.agent() as agent:
        agent.wait_for("cycle.completed")
        agent.end()
    with desk.hold([GUEST], 5):
        found = desk.fields()
        assert (found["agent"], found["bans"]) == (None, [])
        assert found["rows"][0]["nearest"]["rule"] == "web-connections"
        said = desk.type()
        assert "no agent is running" in said
        assert "no bans in force" in said


def test_nobody_is_told_what_is_to_be_had_and_what_is_not(desk: Desk) -> None:
    with desk.agent() as agent, desk.hold([GUEST], 5):
        agent.wait_for("cycle.completed")
        where = ("--state-dir", str(desk.folder))
        found = command_of_nobody(desk.hosts.server, "top", "--json", *where)
        told = json.loads(found.stdout)
        assert found.stderr == ""
        assert rows(told)[GUEST]["sockets"] == 5
        assert told["bans"] is None
        assert sorted(told["unread"]) == ["policy", "state"]
        assert "whether an agent has others can't be told" in told["unread"]["policy"]
        assert "this user may not look into" in told["unread"]["state"]
        said = command_of_nobody(desk.hosts.server, "top", *where).stdout
        assert "bans can't be told" in said
        assert "unread   state: this user may not look into" in said


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--state", "ESTABLISH"), "ESTABLISHED, SYN_SENT, SYN_RECV"),
        (("--state", "LISTEN"), "is no state of a source"),
        (("--service", "mail"), "there are web and ssh, and ports, as port 8443"),
        (("--service", "port 0"), "there are web and ssh"),
        (("--service", "port 65536"), "there are web and ssh"),
        (("--prefix", "198.18.0.1/16"), "the network is 198.18.0.0/16"),
        (("--most", "0"), "1<=x"),
    ],
)
def test_what_nobody_can_be_asked_for_is_told_in_one_line(
    desk: Desk, options: tuple[str, ...], problem: str
) -> None:
    where = ("--state-dir", str(desk.folder), "--policy", str(desk.policy))
    found = command(desk.hosts.server, "nftables", "top", *options, *where)
    assert found.returncode == 2
    assert problem in found.stderr.splitlines()[-1]


def test_a_bad_policy_is_told_as_one(desk: Desk) -> None:
    desk.policy.write_text("version: 1\n")
    where = ("--state-dir", str(desk.folder), "--policy", str(desk.policy))
    assert command(desk.hosts.server, "nftables", "top", *where).returncode == 78
