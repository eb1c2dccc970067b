"""A source explained on a real machine: with an agent and without, with root and without."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
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
  - {name: on-call, kind: partner, prefixes: [198.18.52.8], services: [ssh], grants: exempt}
rules:
  - {name: web-connections, service: web, count: connections, above: 20}
  - {name: web-neighbours, service: web, count: connections, above: 60,
     per: {ipv4: 24, ipv6: 48}, members: 3, mode: observe}
  - {name: web-half-open, service: web, count: half_open, above: 30,
     throttle: 1/s, for: 1m, sustained: 1 of 1}
"""
GUILTY, OFFICE, ON_CALL, CAMPUS = "198.18.50.1", "198.18.50.7", "198.18.52.8", "198.18.51.9"
FAR = "198.18.60.1"


@dataclass(slots=True)
class Desk:
    """A server with an operator at its desk."""

    hosts: Hosts
    firewall: str
    folder: Path
    policy: Path

    def type(self, source: str, *options: str) -> CompletedProcess[str]:
        where = ("--state-dir", str(self.folder))
        return command(self.hosts.server, self.firewall, "explain", source, *options, *where)

    def words(self, source: str, *options: str) -> str:
        """Give what is said, each run of spaces and line breaks as one space."""
        found = self.type(source, *options)
        assert (found.returncode, found.stderr) == (0, "")
        paths = str(self.policy.parent)
        assert all(len(one) <= 80 or paths in one for one in found.stdout.splitlines())
        return " ".join(found.stdout.split())

    def fields(self, source: str, *options: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.type(source, "--json", *options).stdout)
        return found

    def agent(self) -> Any:
        return live(self.hosts.server, self.firewall, self.policy, self.folder)

    def web(self, sources: list[str], each: int) -> Any:
        to = self.hosts.server6 if ":" in sources[0] else self.hosts.server4
        return connect(self.hosts.client, sources, (to, 80), each=each)


@pytest.fixture
def desk(hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]) -> Iterator[Desk]:
    with serve(hosts.server, 80):
        yield Desk(hosts, "nftables", folder, write_policy(POLICY))


def test_a_banned_source_is_told_with_its_ban_its_end_and_what_led_to_it(
    desk: Desk, firewall: str
) -> None:
    desk.firewall = firewall
    with desk.agent() as agent, desk.web([GUILTY], 40):
        ban = agent.wait_for("ban.applied")
        said = desk.words(GUILTY)
        assert said.startswith(f"{GUILTY} is banned from web until 20")
        assert "left): web-connections counted 40, limit 20 who" in said
        assert f"{GUILTY}: drop web until" in said
        assert f"[{ban['ban_id']}] by web-connections" in said
        assert "of all 1 in it, the kernel counts by set" in said

        found = desk.fields(GUILTY)
        (in_force,) = found["bans"]["in_force"]
        (held,) = found["firewall"]["bans"]
        assert in_force["ban_id"] == held["ban_id"] == ban["ban_id"]
        assert found["agent"]["pid"] == agent.process.pid

        done = command(
            *(desk.hosts.server, firewall, "unban", GUILTY, "--state-dir", str(desk.folder))
        )
        assert done.returncode == 0
        found = desk.fields(GUILTY)
        assert found["answer"].startswith(f"{GUILTY} will not be banned: unbanned by hand until")
        (earlier,) = found["bans"]["earlier"]
        assert (earlier["how"], earlier["count"], earlier["limit"]) == ("forgiven", 40, 20)


def test_nobody_above_a_limit_is_told_as_such_with_all_rules_and_states(desk: Desk) -> None:
    with desk.agent() as agent, desk.web([GUILTY], 5) as held:
        agent.wait_for("cycle.completed")
        said = desk.words(GUILTY)
        assert said.startswith(f"{GUILTY} is not banned: it is above no limit who")
        assert "web ESTABLISHED 5" in said
        assert "web-connections: 5 connections, limit 20: below the limit" in said
        assert "nftables holds no ban of it" in said
        del held
        found = desk.fields(GUILTY)
        assert found["now"]["sockets"] == [{"service": "web", "state": "ESTABLISHED", "count": 5}]
        (process,) = found["who"]["processes"]
        assert process["sockets"] == 5
        assert process["name"].startswith("python")


def test_who_is_exempt_guarded_or_patient_is_told_with_what_says_so(desk: Desk) -> None:
    with desk.agent() as agent, desk.web([OFFICE, ON_CALL, CAMPUS], 15):
        agent.wait_for("cycle.completed")
        place = f"{desk.policy}:8"
        assert f"{OFFICE} will never be banned: allowlist entry office, {place} who" in desk.words(
            OFFICE
        )
        own = desk.words(desk.hosts.server4)
        assert own.startswith(f"{desk.hosts.server4} will never be banned: own address (")
        said = desk.words(ON_CALL)
        assert "is not banned: it is above no limit" in said
        assert "on-call" in said
        assert "grants exempt for ssh only" in said
        assert "15 connections, limit 20 x10 = 200: below the limit" in desk.words(CAMPUS)
        (rule,) = [one for one in desk.fields(CAMPUS)["rules"] if one["rule"] == "web-connections"]
        assert (rule["limit"], rule["rule_limit"], rule["patience"]) == (200, 20, 10)
        assert rule["allowlist_declared_at"] == f"{desk.policy}:9"


def test_a_wide_rule_is_told_with_its_count_and_its_hosts(desk: Desk) -> None:
    with desk.web([f"198.18.60.{number}" for number in range(1, 6)], 15):
        found = desk.type(FAR, "--policy", str(desk.policy))
        said = " ".join(found.stdout.split())
        assert "web-neighbours: 75 connections of 198.18.60.0/24 (5 hosts), limit 60: once" in said
        assert "above in 2 of 3 samples it would be banned from web for 10m, but the rule" in said
        assert "no agent is running" in said


def test_an_ipv6_address_is_told_with_its_line(desk: Desk) -> None:
    one, other = "2001:db8:18:5::1", "2001:db8:18:5::2"
    with desk.web([one, other], 12):
        said = " ".join(desk.type(one, "--policy", str(desk.policy)).stdout.split())
        assert "web ESTABLISHED 12 24 it is judged with its line, 2001:db8:18:5::/64" in said
        assert "web-connections: 24 connections of 2001:db8:18:5::/64, limit 20" in said
    mapped = desk.fields(f"::ffff:{GUILTY}", "--policy", str(desk.policy))
    assert mapped["source"] == GUILTY


def test_the_tape_tells_how_long_it_lasts_and_what_was_there_before(desk: Desk) -> None:
    text = POLICY.replace("2 of 3", "60 of 60") + "tape: {floor: 10}\n"
    desk.policy.write_text(text)
    with desk.agent() as agent:
        with desk.web([GUILTY], 40):
            agent.wait_for("source.over_limit")
            for _ in range(3):
                agent.wait_for("cycle.completed")
            found = desk.fields(GUILTY)
        (rule,) = [one for one in found["rules"] if one["rule"] == "web-connections"]
        assert rule["samples"] >= rule["samples_above"] >= 2
        assert rule["samples_needed"] == 60
        assert "of the last" in rule["follows"]
        (peak,) = [one for one in found["tape"]["peaks"] if one["state"] == "ESTABLISHED"]
        assert (peak["service"], peak["count"]) == ("web", 40)
        assert found["tape"]["above"]["web-connections"]["moments"] >= 2
        assert found["tape"]["floor"] == 10

    later = desk.type(GUILTY, "--policy", str(desk.policy))
    said = " ".join(later.stdout.split())
    assert later.returncode == 0
    assert "web-connections: above today's limit in" in said
    elsewhere = desk.type(GUILTY, "--policy", str(desk.policy), "--tape", str(desk.folder / "none"))
    assert "no tape in" in elsewhere.stdout


def test_a_wider_ban_and_who_passes_it_are_told(desk: Desk) -> None:
    with desk.agent() as agent:
        agent.wait_for("cycle.completed")
        words = ("ban", "198.18.50.0/24", "--for", "10m", "--reason", "too loud")
        where = ("--state-dir", str(desk.folder))
        assert command(desk.hosts.server, desk.firewall, *words, *where).returncode == 0

        banned = desk.words(GUILTY)
        assert banned.startswith(
            f"{GUILTY} is banned from this host as part of 198.18.50.0/24 until"
        )
        assert "nftables holds 198.18.50.0/24: drop this host" in banned
        spared = desk.words(OFFICE)
        assert spared.startswith(f"{OFFICE} will never be banned: allowlist entry office")
        assert f"{OFFICE} is in the allow set, which stands ahead of every ban" in spared
        whole = desk.fields("198.18.0.0/16")
        assert "is not banned as a whole: 1 ban of somebody in it is in force" in whole["answer"]


def test_half_open_connections_prove_nobody(desk: Desk) -> None:
    silent = "198.19.0.9"
    for port in range(40_000, 40_040):
        forge_syns(desk.hosts.client, [silent], (desk.hosts.server4, 80), from_port=port)
    said = " ".join(desk.type(silent, "--policy", str(desk.policy)).stdout.split())
    assert "web SYN_RECV 40" in said
    assert "40 half-open: one forged packet makes one" in said
    assert "web-half-open: 40 half-open connections, limit 30: unproven" in said


def test_outgoing_connections_are_told_apart_with_what_waits(desk: Desk) -> None:
    with serve(desk.hosts.client, 443):
        to = (desk.hosts.client4, 443)
        with connect(desk.hosts.server, [desk.hosts.server4], to, each=30):
            found = desk.fields(desk.hosts.client4, "--policy", str(desk.policy))
    assert found["now"]["sockets"] == []
    assert found["now"]["outgoing"] == [{"port": 443, "state": "ESTABLISHED", "count": 30}]
    assert found["rules"] == []


def test_who_is_not_known_at_all_is_told_so_and_the_status_says_it(desk: Desk) -> None:
    found = desk.type("192.0.2.77", "--policy", str(desk.policy))
    assert found.returncode == 66
    assert found.stdout.startswith("192.0.2.77 is not banned: nothing is known of it here\n")
    assert "no tape in" in found.stdout


def test_a_user_without_privilege_is_told_what_is_to_be_had_and_what_is_not(desk: Desk) -> None:
    with desk.agent() as agent, desk.web([GUILTY], 5):
        agent.wait_for("cycle.completed")
        where = ("--state-dir", str(desk.folder))
        found = command_of_nobody(desk.hosts.server, "explain", GUILTY, *where)
    said = " ".join(found.stdout.split())
    assert not found.stderr, found.stderr
    assert said.startswith(f"whether {GUILTY} is banned can't be told: this user may not look into")
    assert "web ESTABLISHED 5" in said
    assert "firewall not known: this needs CAP_NET_ADMIN" in said
    assert "whose 5 sockets are can't be told: this user may not look into" in said


@pytest.mark.parametrize(
    "arguments", [["198.18.0.0/8"], ["host.example"], [GUILTY, "--since", "x"]]
)
def test_what_is_no_source_or_no_time_is_a_usage_error(desk: Desk, arguments: list[str]) -> None:
    assert desk.type(*arguments).returncode == 2


def test_a_bad_policy_is_told_as_one(desk: Desk) -> None:
    desk.policy.write_text("version: 1\n")
    assert desk.type(GUILTY, "--policy", str(desk.policy)).returncode == 78
