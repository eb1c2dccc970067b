"""abuse-agent doctor as it is typed: in namespaces with settings of their own, with root or not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live.agents import ROOT, command, command_of_nobody, live
from tests.range import Hosts, in_namespace
from tests.range.hosts import set_sysctl

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
services: {web: {ports: [80]}}
rules: [{name: web, service: web, count: connections, above: 20}]
"""


def typed(namespace: str, *options: str) -> subprocess.CompletedProcess[str]:
    enter = ("ip", "netns", "exec", namespace, sys.executable, "-m", "agent")
    return subprocess.run(
        (*enter, "doctor", "--watch", "0s", *options),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )


def told(namespace: str, folder: Path) -> dict[str, Any]:
    """Give what is not well, by name; not the clock and the disk, which are the machine's own."""
    found = typed(namespace, "--json", "--state-dir", str(folder))
    assert (found.returncode in {0, 1}, found.stderr) == (True, "")
    findings = json.loads(found.stdout)["findings"]
    return {
        one["name"]: one
        for one in findings
        if one["grade"] in {"wrong", "advice"}
        and one["topic"] != "machine"
        and not one["name"].startswith("/")
    }


def test_a_fresh_namespace_is_well(namespace: str, tmp_path: Path) -> None:
    assert told(namespace, tmp_path / "none") == {}
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ipv4/tcp_syncookies", "0"),
        ("ipv4/tcp_fin_timeout", "2"),
        ("ipv4/tcp_synack_retries", "0"),
        ("ipv4/tcp_keepalive_time", "30"),
        ("ipv4/tcp_timestamps", "0"),
        ("ipv4/tcp_max_tw_buckets", "50"),
        ("ipv4/tcp_abort_on_overflow", "1"),
    ],
)
def test_a_harmful_value_in_force_is_told_with_its_command(
    namespace: str, tmp_path: Path, setting: str, value: str
) -> None:
    set_sysctl(namespace, setting, value)
    name = f"net.{setting.replace('/', '.')}"

    found = told(namespace, tmp_path)

    assert found.keys() == {name}
    assert list(tmp_path.iterdir()) == []
    assert found[name]["value"] == value
    assert found[name]["do"][0].startswith(f"sysctl -w {name}=")


def test_nobody_is_told_the_same_and_what_could_not_be_seen(namespace: str, tmp_path: Path) -> None:
    set_sysctl(namespace, "ipv4/tcp_syncookies", "0")
    here = ("doctor", "--watch", "0s", "--state-dir", str(tmp_path / "none"))

    found = command_of_nobody(namespace, *here)

    assert (found.returncode, found.stderr) == (0, "")
    assert "net.ipv4.tcp_syncookies: 0" in found.stdout


def test_a_bad_policy_is_wrong_and_the_rest_is_told(namespace: str, tmp_path: Path) -> None:
    policy = tmp_path / "bad.yaml"
    policy.write_text("version: none\n")

    found = typed(namespace, "--policy", str(policy), "--state-dir", str(tmp_path / "none"))

    assert (found.returncode, found.stderr) == (1, "")
    assert "WRONG    policy" in found.stdout


def of_agent(namespace: str, folder: Path) -> dict[str, str]:
    """Give the grade of what is told of the agent and its rules."""
    where = ("--state-dir", str(folder), "--watch", "0s", "--json")
    found = json.loads(command(namespace, "nftables", "doctor", *where).stdout)["findings"]
    return {one["name"]: one["grade"] for one in found if one["topic"] in {"agent", "firewall"}}


def test_a_running_agent_is_well_and_a_foreign_flush_is_told_once_it_is_gone(
    hosts: Hosts, tmp_path: Path
) -> None:
    policy, folder = tmp_path / "policy.yaml", tmp_path / "state"
    policy.write_text(POLICY)
    with live(hosts.server, "nftables", policy, folder) as agent:
        agent.wait_for("cycle.completed")
        while_running = of_agent(hosts.server, folder)
        agent.end()
    with in_namespace(hosts.server):
        subprocess.run(["nft", "flush", "ruleset"], check=True)

    assert set(while_running.values()) == {"fine"}
    assert while_running.keys() >= {"agent", "capabilities", "policy", "verify"}
    assert of_agent(hosts.server, folder)["verify"] == "advice"


def test_nobody_is_told_why_the_agent_could_not_be_seen(hosts: Hosts, tmp_path: Path) -> None:
    policy, folder = tmp_path / "policy.yaml", tmp_path / "state"
    policy.write_text(POLICY)
    with live(hosts.server, "nftables", policy, folder) as agent:
        agent.wait_for("cycle.completed")
        found = command_of_nobody(
            hosts.server, "doctor", "--watch", "0s", "--state-dir", str(folder)
        )

    assert (found.returncode, found.stderr) == (0, "")
    assert "unknown  agent" in found.stdout
    assert "run it as root" in found.stdout


def test_rules_of_legacy_iptables_beside_the_other_are_told(namespace: str, tmp_path: Path) -> None:
    rule = ("INPUT", "-s", "192.0.2.1", "-j", "DROP")
    with in_namespace(namespace):
        says = subprocess.run(["iptables", "--version"], capture_output=True, text=True, check=True)
        subprocess.run(["iptables-legacy", "-A", *rule], check=True)
    is_other = "nf_tables" in says.stdout

    assert ("firewall" in told(namespace, tmp_path)) is is_other

    with in_namespace(namespace):
        subprocess.run(["iptables-legacy", "-D", *rule], check=True)
    assert told(namespace, tmp_path) == {}
