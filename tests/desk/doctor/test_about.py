from datetime import UTC, datetime

import pytest

from agent.desk.doctor.about import about
from agent.desk.doctor.facts import Facts, Machine
from agent.model.sample import State
from agent.observe.table.values import OUTGOING, Group, Listening, Sockets

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def listening(*ports: int) -> tuple[Listening, ...]:
    return tuple(Listening(port=port, waiting=0, backlog=128, inode=port) for port in ports)


def test_the_machine_and_what_it_does_are_told_first() -> None:
    facts = Facts(
        now=NOW,
        watched_s=3.0,
        counters={"Tcp.PassiveOpens": 900, "Tcp.ActiveOpens": 20},
        grown={"Tcp.PassiveOpens": 41, "Tcp.ActiveOpens": 1},
        machine=Machine(memory_bytes=8 << 30, processors=2, kernel="6.1.0"),
        sockets=Sockets(
            groups={
                (State.ESTABLISHED, 80): Group(count=7),
                (State.ESTABLISHED, OUTGOING): Group(count=2),
            },
            listening=listening(443, 80, 80),
        ),
    )

    assert list(about(facts)) == [
        "Linux 6.1.0, 2 processors, 8.0 GiB of memory",
        "7 connections to services here, 2 opened from here; in 3s 42 were opened",
        "listening ports: 80, 443",
    ]


def test_of_what_was_not_counted_nothing_is_said() -> None:
    facts = Facts(now=NOW, watched_s=3.0, sockets=Sockets())

    assert list(about(facts)) == [
        "1 processor",
        "0 connections to services here, 0 opened from here",
        "nothing listens",
    ]


def test_of_unread_sockets_nothing_is_said() -> None:
    facts = Facts(now=NOW, watched_s=0, unread={"sockets": "netlink: Operation not permitted"})

    assert list(about(facts)) == ["1 processor"]


@pytest.mark.parametrize(
    ("size", "told"),
    [
        pytest.param(512 << 20, "512 MiB of memory", id="small"),
        pytest.param(1536 << 20, "1.5 GiB of memory", id="large"),
    ],
)
def test_memory_is_told_in_a_unit_that_fits(size: int, told: str) -> None:
    facts = Facts(now=NOW, watched_s=0, machine=Machine(memory_bytes=size))

    assert next(about(facts)) == f"1 processor, {told}"


def test_of_very_many_ports_ten_are_named() -> None:
    facts = Facts(now=NOW, watched_s=0, sockets=Sockets(listening=listening(*range(1, 13))))

    assert list(about(facts))[-1] == "listening ports: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"
