"""The agent as a service: its start, its rights, its bans, and that it comes back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from tests.range import Hosts, connect, eventually, ip, serve
from tests.systemd.conftest import Boot
from tests.systemd.sandbox import Machine

pytestmark = pytest.mark.root

UNIT = "abuse-agent.service"
UNITS = (UNIT, "abuse-agent-sets.service")
DROP_IN = "/etc/systemd/system/abuse-agent.service.d/test.conf"
DEFAULTS = "/etc/default/abuse-agent"
POLICY_FILE = "/etc/abuse-agent/policies/test.yaml"
POLICY = """\
version: 1
every: 200ms
defaults: {ban: 10m, sustained: 1 of 1}
services:
  web: {ports: [80]}
rules:
  - name: crowd
    service: web
    count: connections
    states: [ESTABLISHED]
    above: 100
"""
NET_ADMIN_AND_NET_RAW = 1 << 12 | 1 << 13


@pytest.fixture
def machine(boot: Boot, hosts: Hosts) -> Iterator[Machine]:
    """A machine on a wire, the agent active in it."""
    with boot(hosts.server, {POLICY_FILE: POLICY}, UNITS) as made:
        assert made.show(UNIT, "ActiveState") == "active", made.journal(UNIT)
        yield made


def of_process(machine: Machine) -> dict[str, str]:
    """What /proc tells of the service's process."""
    pid = machine.show(UNIT, "MainPID")
    lines = machine.run("cat", f"/proc/{pid}/status").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def bans(machine: Machine) -> dict[str, str]:
    """The source of each ban in force by its id."""
    told = json.loads(machine.run("abuse-agent", "bans", "--json"))
    return {ban["ban_id"]: ban["source"] for ban in told}


def is_back(machine: Machine, *, restarts: int) -> bool:
    """Whether it runs after having been started again so many times."""
    shown = machine.run("systemctl", "show", "--property=ActiveState,NRestarts", UNIT)
    return set(shown.split()) == {"ActiveState=active", f"NRestarts={restarts}"}


def kept(machine: Machine) -> list[str]:
    """Type, mode, user, group and path of the state folder and of all that is in it."""
    shown = machine.run("find", "/var/lib/abuse-agent", "-printf", "%y %m %u %g %p\n")
    return shown.splitlines()


def owners(machine: Machine) -> set[str]:
    """All users and groups that have a file there."""
    return {name for line in kept(machine) for name in line.split()[2:4]}


def reaches(hosts: Hosts, source: str) -> bool:
    """Whether the source gets an answer from the web server."""
    with connect(hosts.client, [source], (hosts.server4, 80), within_s=0.3) as tried:
        return tried.connected == 1


@contextmanager
def banned(machine: Machine, hosts: Hosts) -> Iterator[str]:
    """Give a source that is banned for what it did to the web server."""
    guilty = str(hosts.sources4[7])
    with (
        serve(hosts.server, 80),
        connect(hosts.client, [guilty], (hosts.server4, 80), each=101) as attack,
    ):
        assert attack.connected == 101
        assert eventually(lambda: bool(machine.events("ban.applied"))), machine.journal(UNIT)
        yield guilty


def test_it_is_active_with_its_first_completed_cycle(boot: Boot, namespace: str) -> None:
    options = "ABUSE_AGENT_OPTIONS=--log-level=debug\n"
    with boot(namespace, {POLICY_FILE: POLICY, DEFAULTS: options}, UNITS) as machine:
        first = machine.events("cycle.completed")[0]
        shown = machine.run(
            *("systemctl", "show", "--timestamp=us+utc", "--value"),
            *("--property=ActiveEnterTimestamp", UNIT),
        )
        status = machine.show(UNIT, "StatusText")

    active = datetime.strptime(f"{shown.strip()}+0000", "%a %Y-%m-%d %H:%M:%S.%f UTC%z")
    assert datetime.fromisoformat(first["timestamp"]) <= active
    assert status == "0 sources, 0 bans in force"


def test_without_a_completed_cycle_the_start_is_not_over(boot: Boot, namespace: str) -> None:
    hangs = "ExecStart=\nExecStart=/bin/sh -c 'kill -STOP $$$$; exec /usr/bin/abuse-agent'\n"
    files = {DROP_IN: f"[Service]\nTimeoutStartSec=1s\n{hangs}"}
    with boot(namespace, files, ()) as machine:
        machine.run("systemctl", "start", "--no-block", UNIT)

        assert eventually(lambda: "start operation timed out" in machine.journal(UNIT))
        assert machine.show(UNIT, "ActiveEnterTimestampMonotonic") == "0"


def test_it_has_a_user_of_its_own_and_two_capabilities(machine: Machine) -> None:
    told = of_process(machine)
    user = machine.run("id", "--user", "abuse-agent").strip()

    assert set(told["Uid"].split()) == {user}
    # A misspelled name in the unit would leave none, silently.
    held = {name: int(told[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")}
    assert set(held.values()) == {NET_ADMIN_AND_NET_RAW}
    assert told["NoNewPrivs"] == "1"


@pytest.mark.parametrize(
    ("firewall", "variant"),
    [
        pytest.param("nftables", "nft", id="nftables"),
        pytest.param("iptables", "nft", id="iptables-nft"),
        pytest.param("iptables", "legacy", id="iptables-legacy"),
    ],
)
def test_it_bans_and_keeps_its_files_to_itself(
    boot: Boot, hosts: Hosts, firewall: str, variant: str
) -> None:
    options = f"ABUSE_AGENT_OPTIONS=--firewall={firewall}\n"
    with boot(hosts.server, {POLICY_FILE: POLICY, DEFAULTS: options}, ()) as machine:
        for name in ("iptables", "ip6tables"):
            machine.run("update-alternatives", "--set", name, f"/usr/sbin/{name}-{variant}")
        machine.run("systemctl", "start", UNIT)

        with banned(machine, hosts) as guilty:
            assert not reaches(hosts, guilty)
            assert reaches(hosts, str(hosts.sources4[8]))
        state, *files = kept(machine)

    assert state == "d 750 abuse-agent abuse-agent /var/lib/abuse-agent"
    assert {line.split()[1][-1] for line in files} == {"0"}, "others read nothing"
    assert {name for line in files for name in line.split()[2:4]} == {"abuse-agent"}


def test_its_bans_outlive_a_kill_and_a_stop(machine: Machine, hosts: Hosts) -> None:
    with banned(machine, hosts) as guilty:
        before = bans(machine)
        machine.run("systemctl", "kill", "--signal=KILL", UNIT)
        assert eventually(lambda: is_back(machine, restarts=1))

        assert (bans(machine), list(before.values())) == (before, [guilty])
        assert len(machine.events("ban.applied")) == 1
        assert not reaches(hosts, guilty)

        machine.run("systemctl", "stop", UNIT)
        assert machine.show(UNIT, "Result") == "success"
        assert bans(machine) == before
        assert not reaches(hosts, guilty)
        assert owners(machine) == {"abuse-agent"}, "a command as root keeps the owner"
        # A command may hold a lock in it: in a folder made anew nobody would find that.
        machine.run("test", "-d", "/run/abuse-agent")


def test_a_hang_is_ended_by_the_watchdog(boot: Boot, namespace: str) -> None:
    files = {POLICY_FILE: POLICY, DROP_IN: "[Service]\nWatchdogSec=1s\n"}
    with boot(namespace, files, UNITS) as machine:
        machine.run("systemctl", "kill", "--signal=STOP", UNIT)

        assert eventually(lambda: is_back(machine, restarts=1))
        assert "Watchdog timeout" in machine.journal(UNIT)


def test_a_reload_takes_the_new_policy(machine: Machine) -> None:
    machine.run("sed", "-i", "s/above: 100/above: 50/", POLICY_FILE)
    machine.run("systemctl", "reload", UNIT)

    assert eventually(lambda: len(machine.events("policy.loaded")) == 2)
    assert machine.show(UNIT, "ActiveState") == "active"


def test_it_ends_for_good_only_where_another_start_can_not_help(boot: Boot, namespace: str) -> None:
    with boot(namespace, {POLICY_FILE: "version: 2\n"}, UNITS) as machine:
        assert machine.show(UNIT, "ActiveState") == "failed"
        assert machine.show(UNIT, "ExecMainStatus") == "78"
        assert machine.show(UNIT, "NRestarts") == "0"


def test_one_line_makes_it_a_dry_run(boot: Boot, hosts: Hosts) -> None:
    files = {POLICY_FILE: POLICY, DEFAULTS: "ABUSE_AGENT_OPTIONS=--dry-run\n"}
    with (
        boot(hosts.server, files, UNITS) as machine,
        serve(hosts.server, 80),
        connect(hosts.client, [str(hosts.sources4[7])], (hosts.server4, 80), each=101) as crowd,
    ):
        assert eventually(lambda: bool(machine.events("ban.would_apply")))
        assert crowd.still_open() == 101


def test_its_user_sees_who_logs_in_and_hears_of_new_addresses(
    machine: Machine, hosts: Hosts
) -> None:
    def guarded() -> dict[str, str]:
        return {
            one["prefix"]: one["why"]
            for event in machine.events("guard.changed")
            for one in event["added"]
        }

    session = "/run/systemd/sessions"
    text = r"USER=root\nUID=0\nREMOTE_HOST=198.18.9.9\n"
    machine.run("sh", "-ec", f"mkdir -p {session}; printf '{text}' > {session}/9")
    ip("-n", hosts.server, "addr", "add", "198.18.9.200/32", "dev", "lo")

    assert eventually(lambda: {"198.18.9.9", "198.18.9.200"} <= guarded().keys())
    assert guarded()["198.18.9.9"] == f"session of an administrator ({session})"
    assert guarded()["198.18.9.200"] == "own address (lo)"
