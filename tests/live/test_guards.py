"""Who is guarded is never banned, and told of: real sockets, and files of a made-up machine."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from agent.model.address import covers
from agent.record.learned import read_learned
from tests.live.agents import command, live
from tests.live.kernel import bans
from tests.live.program import make
from tests.live.test_bans import reaches
from tests.range import Held, Hosts, connect, eventually, in_namespace, ip, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, ban: 1m}
services: {web: {ports: [80]}, ssh: {ports: [22]}}
allowlist:
  - {name: monitoring, kind: infrastructure, prefixes: [198.18.60.1], grants: exempt}
trusted_proxies: {prefixes: [198.18.61.0/24], services: [web]}
rules:
  - {name: web, service: web, count: connections, above: 20}
  - {name: ssh, service: ssh, count: connections, above: 20}
  - name: crowd
    service: web
    count: connections
    above: 20
    members: 8
    per: {ipv4: 24, ipv6: 56}
"""
RESOLVER, GUILTY = "198.18.63.1", "198.18.64.1"
MONITORING, PROXY = "198.18.60.1", "198.18.61.7"
OPERATOR, STRANGER = "198.18.72.9", "198.18.72.10"
PUT_IN_PLACE = (
    'for one in run etc/passwd etc/group etc/resolv.conf; do mount --bind "$0/$one" "/$one"; done'
)


@dataclass(slots=True)
class Machine:
    """A server whose own files are made up, for the agent and for commands beside it."""

    hosts: Hosts
    tree: Path
    policy: Path
    folder: Path
    held: ExitStack = field(default_factory=ExitStack)

    @property
    def before(self) -> tuple[str, ...]:
        """What stands ahead of a command line, so that it runs among these files."""
        return ("unshare", "--mount", "sh", "-ec", f'{PUT_IN_PLACE}; exec "$@"', str(self.tree))

    def attack(self, source: str, port: int = 80, each: int = 21) -> Held:
        """Hold connections for as long as the test lasts."""
        to = (self.hosts.server4, port)
        return self.held.enter_context(connect(self.hosts.client, [source], to, each=each))

    def session(self, user: str, source: str) -> Path:
        """Let somebody be logged in; give the file to remove when that is over."""
        file = self.tree / f"run/systemd/sessions/{user}"
        file.write_text(f"USER={user}\nSTATE=active\nREMOTE_HOST={source}\n")
        return file

    def type(self, firewall: str, *words: str) -> tuple[int, str]:
        """Run a command; give its status, and what it said."""
        where = ("--state-dir", str(self.folder))
        done = command(self.hosts.server, firewall, *words, *where, before=self.before)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def machine(
    hosts: Hosts, tmp_path: Path, folder: Path, write_policy: Callable[[str], Path]
) -> Iterator[Machine]:
    tree = tmp_path / "tree"
    (tree / "run/systemd/sessions").mkdir(parents=True)
    (tree / "etc").mkdir()
    (tree / "etc/resolv.conf").write_text(f"nameserver {RESOLVER}\n")
    (tree / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\n")
    (tree / "etc/group").write_text("sudo:x:27:ann\n")
    made = Machine(hosts, tree, write_policy(POLICY), folder)
    with made.held, serve(hosts.server, 80), serve(hosts.server, 22):
        yield made


def allowed(hosts: Hosts, firewall: str) -> frozenset[str]:
    """Give what the kernel's allow set holds."""
    with in_namespace(hosts.server):
        return frozenset(map(str, make(firewall).allowed()))


def told(machine: Machine, *words: str) -> list[dict[str, Any]]:
    """Run a dry agent for a cycle, and give what it told."""
    status, said = machine.type(
        "nftables", "run", "--dry-run", "--once", "--policy", str(machine.policy), *words
    )
    assert status == 0, said
    return [json.loads(line) for line in said.splitlines()]


def test_who_is_spared_and_misbehaves_is_told_with_the_reason(machine: Machine) -> None:
    for source in (machine.hosts.client4, RESOLVER, MONITORING, PROXY, GUILTY):
        machine.attack(source)
    machine.attack(PROXY, port=22)

    events = told(machine)

    exempt = {one["source"]: one for one in events if one["event"] == "source.exempt"}
    assert {source: one.get("guard") for source, one in exempt.items()} == {
        machine.hosts.client4: "gateway (route tables)",
        RESOLVER: "resolver (/etc/resolv.conf)",
        MONITORING: None,
        PROXY: None,
    }
    by = {source: (one.get("allowlist"), one.get("declared_at")) for source, one in exempt.items()}
    assert by[MONITORING] == ("monitoring", f"{machine.policy}:6")
    assert by[PROXY] == ("trusted_proxies", f"{machine.policy}:7")
    assert {
        (one["source"], one["service"]) for one in events if one["event"] == "ban.would_apply"
    } == {
        (GUILTY, "web"),
        (PROXY, "ssh"),
    }


def test_an_own_address_is_in_the_kernels_allow_set_before_anything_reaches_it(
    machine: Machine, firewall: str
) -> None:
    hosts, new = machine.hosts, "198.18.71.200"
    with live(
        hosts.server, firewall, machine.policy, machine.folder, before=machine.before
    ) as agent:
        agent.wait_for("guard.changed")
        agent.wait_for("cycle.completed")
        assert f"{new}/32" not in allowed(hosts, firewall)

        ip("-n", hosts.server, "addr", "add", f"{new}/32", "dev", "lo")
        crowd = [f"198.18.71.{number}" for number in range(1, 12)]
        to = (hosts.server4, 80)
        machine.held.enter_context(connect(hosts.client, crowd, to, each=2))

        (added,) = agent.wait_for("guard.changed")["added"]
        assert (added["prefix"], added["why"]) == (new, "own address (lo)")
        assert agent.wait_for("ban.applied")["source"] == "198.18.71.0/24"
        kept = map(ip_network, allowed(hosts, firewall))
        assert any(covers(one, ip_network(new)) for one in kept)
        assert set(bans(hosts.server, firewall, machine.policy)) == {"198.18.71.0/24"}


def test_an_administrator_behind_a_nat_with_an_attacker_gets_in_to_ssh(
    machine: Machine, firewall: str
) -> None:
    hosts = machine.hosts
    with live(
        hosts.server, firewall, machine.policy, machine.folder, before=machine.before
    ) as agent:
        agent.wait_for("guard.changed")
        session = machine.session("ann", OPERATOR)
        (added,) = agent.wait_for("guard.changed")["added"]
        assert (added["prefix"], added["services"]) == (OPERATOR, ["ssh"])
        session.unlink()
        (removed,) = agent.wait_for("guard.changed")["removed"]
        assert removed["prefix"] == OPERATOR

        ssh, web = machine.attack(OPERATOR, port=22), machine.attack(OPERATOR)
        machine.attack(STRANGER, port=22)
        exempt, banned = agent.wait_for("source.exempt"), set[tuple[str, str]]()
        while len(banned) < 2:
            one = agent.wait_for("ban.applied")
            banned.add((one["source"], one["service"]))

        assert (exempt["source"], exempt["service"]) == (OPERATOR, "ssh")
        assert exempt["guard"].startswith("session of an administrator until ")
        assert banned == {(OPERATOR, "web"), (STRANGER, "ssh")}
        assert eventually(lambda: web.still_open() == 0)
        assert ssh.still_open() == 21
        assert reaches(hosts, OPERATOR, 22)
        assert not reaches(hosts, OPERATOR, 80, within_s=0.4)
        assert not reaches(hosts, STRANGER, 22, within_s=0.4)
        assert f"{OPERATOR}/32" not in allowed(hosts, firewall)


def test_an_administrator_is_remembered_over_the_agents_end(machine: Machine) -> None:
    where = (machine.hosts.server, "nftables", machine.policy, machine.folder)
    with live(*where, before=machine.before) as agent:
        agent.wait_for("guard.changed")
        machine.session("eve", STRANGER)
        agent.wait_for("guard.changed")
        session = machine.session("ann", OPERATOR)
        assert agent.wait_for("guard.changed")["added"][0]["prefix"] == OPERATOR
        assert eventually(lambda: ip_address(OPERATOR) in read_learned(machine.folder).sessions)
        session.unlink()
        agent.process.kill()
        agent.process.wait()
    (machine.tree / "run/systemd/sessions/eve").unlink()

    listed = {
        one["prefix"]: one for one in json.loads(machine.type("nftables", "guard", "--json")[1])
    }
    assert listed[OPERATOR]["services"] == ["ssh"]
    assert listed[OPERATOR]["until"] is not None
    assert STRANGER not in listed
    for source in (OPERATOR, STRANGER):
        machine.attack(source, port=22)
    with live(*where, before=machine.before) as agent:
        assert agent.wait_for("ban.applied")["source"] == STRANGER
        assert reaches(machine.hosts, OPERATOR, 22)


def test_by_hand_an_administrator_is_banned_from_the_web_and_never_from_ssh(
    machine: Machine,
) -> None:
    machine.session("ann", OPERATOR)
    machine.session("eve", STRANGER)
    words = ("--for", "1m", "--policy", str(machine.policy), "--scope", "service", "--service")

    status, said = machine.type("nftables", "ban", OPERATOR, *words, "ssh")
    assert status == 1
    assert "is not banned: session of an administrator (/run/systemd/sessions)" in said
    status, said = machine.type("nftables", "ban", STRANGER, *words, "ssh")
    assert (status, "session (/run/systemd/sessions)" in said) == (1, True)

    assert machine.type("nftables", "ban", OPERATOR, *words, "web")[0] == 0
    assert reaches(machine.hosts, OPERATOR, 22)
    assert not reaches(machine.hosts, OPERATOR, 80, within_s=0.4)


def test_the_guarded_and_the_policys_infrastructure_are_listed(machine: Machine) -> None:
    machine.session("ann", OPERATOR)
    with live(
        *(machine.hosts.server, "nftables", machine.policy, machine.folder), before=machine.before
    ) as agent:
        agent.wait_for("cycle.completed")
        status, said = machine.type("nftables", "guard", "--json")
        assert status == 0
        text = machine.type("nftables", "guard")[1]

    listed = {one["prefix"]: one for one in json.loads(said)}
    assert listed[RESOLVER]["why"] == "resolver (/etc/resolv.conf)"
    assert listed[OPERATOR]["services"] == ["ssh"]
    assert listed[machine.hosts.server4]["services"] is None
    assert (listed[MONITORING]["allowlist"], listed[MONITORING]["declared_at"]) == (
        "monitoring",
        f"{machine.policy}:6",
    )
    assert listed["198.18.61.0/24"]["services"] == ["web"]
    assert f"infrastructure trusted_proxies ({machine.policy}:7), for web only" in text
