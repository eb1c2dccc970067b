"""What is told of firewall, agent and machine: nothing where no agent was ever installed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.desk.check import Checked
from agent.desk.doctor.facts import Facts
from agent.desk.doctor.host.of_host import of_host
from agent.desk.doctor.host.values import Fences, Host, Room, Service
from agent.desk.doctor.values import Finding, Grade
from agent.errors import Fault
from agent.model.caution import Warned
from agent.record.locks import Agent
from tests.desk.doctor.sick import NOW, facts, sockets

MEBIBYTE = 1 << 20
RIGHT = Checked(files=("/etc/p.yaml",), texts={})
RUNS = Agent(pid=7, firewall="nftables", every_s=5.0, cycled=NOW - timedelta(seconds=4))
WELL = Host(
    fences=Fences(commands=("iptables (nf_tables)", "nft"), faults=()),
    service=Service(
        running=RUNS,
        capabilities=1 << 12,
        is_installed=True,
        is_enabled=True,
        policy=RIGHT,
        quiet_s="0",
    ),
    rooms=(Room(path="/", free_bytes=9000 * MEBIBYTE, total_bytes=20_000 * MEBIBYTE),),
    is_clock_set=True,
)
BARE = Host(service=Service(policy=RIGHT), is_clock_set=True)


def loud(host: Host, **unread: str) -> list[Finding]:
    told: Facts = replace(facts(sockets()), host=host, unread=unread)
    return [one for one in of_host(told) if one.grade is not Grade.FINE]


def service(**fields: object) -> Host:
    return replace(WELL, service=replace(WELL.service, **fields))  # type: ignore[arg-type]


def room(free: int, *, read_only: bool = False) -> Host:
    one = Room(
        path="/var", free_bytes=free * MEBIBYTE, total_bytes=20_000 * MEBIBYTE, read_only=read_only
    )
    return replace(WELL, rooms=(one,))


@pytest.mark.parametrize("host", [WELL, BARE, room(5000), room(1024)])
def test_a_machine_that_is_well_is_left_alone(host: Host) -> None:
    assert loud(host) == []


@pytest.mark.parametrize(
    ("host", "name", "grade", "says"),
    [
        (service(running=None), "agent", Grade.WRONG, "nobody is banned"),
        (
            service(running=replace(RUNS, cycled=NOW - timedelta(seconds=21))),
            "agent",
            Grade.WRONG,
            "21s ago",
        ),
        (service(capabilities=0), "capabilities", Grade.WRONG, "CAP_NET_ADMIN"),
        (
            service(policy=replace(RIGHT, faults=(Fault(file="p", problem="no \x1b rule"),))),
            "policy",
            Grade.WRONG,
            "no \\x1b rule",
        ),
        (
            service(
                policy=replace(
                    RIGHT, warnings=(Warned(file="p", problem="is of 2020", kind="range-file"),)
                )
            ),
            "range file",
            Grade.ADVICE,
            "is of 2020",
        ),
        (service(quiet_s="30s"), "journal", Grade.ADVICE, "drop lines"),
        (replace(WELL, is_clock_set=False), "clock", Grade.ADVICE, "nothing sets"),
        (replace(WELL, is_clock_set=None), "clock", Grade.UNKNOWN, "does not tell"),
        (room(63), "disk", Grade.WRONG, "full"),
        (room(900), "disk", Grade.ADVICE, "full"),
        (room(900, read_only=True), "disk", Grade.WRONG, "only be read"),
        (
            replace(WELL, fences=Fences(legacy=("filter",), beside=True)),
            "firewall",
            Grade.ADVICE,
            "hold all the same",
        ),
        (
            replace(WELL, fences=Fences(saved=("/etc/x would be refused",))),
            "saved rules",
            Grade.WRONG,
            "refused",
        ),
        (replace(WELL, fences=Fences(faults=("a set is gone",))), "verify", Grade.WRONG, "gone"),
    ],
)
def test_each_illness_is_told(host: Host, name: str, grade: Grade, says: str) -> None:
    (found,) = loud(host)

    assert (found.name, found.grade) == (name, grade)
    assert says in found.says
    assert found.says.isprintable()


def test_rules_of_an_agent_that_does_not_run_are_advice() -> None:
    stopped = service(running=None, is_enabled=False)

    (found,) = loud(replace(stopped, fences=Fences(faults=("a set is gone",))))

    assert found.grade is Grade.ADVICE


def test_a_dry_run_needs_no_capability() -> None:
    assert loud(service(running=replace(RUNS, firewall="dry-run"), capabilities=0)) == []


def test_what_can_not_be_looked_at_is_unknown_with_its_reason() -> None:
    found = loud(WELL, firewall="this needs CAP_NET_ADMIN", agent="this user may not look")

    assert [(one.name, one.grade) for one in found] == [
        ("verify", Grade.UNKNOWN),
        ("agent", Grade.UNKNOWN),
    ]
    assert "CAP_NET_ADMIN" in found[0].says
