"""The doctor in a range where each illness is really made, and in a healthy one."""

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from agent.model.sample import State
from tests.live import illnesses
from tests.live.agents import command
from tests.range import Hosts, connect, nginx, started, visit

pytestmark = pytest.mark.root

SOCKETS = frozenset({"states", "connections", "queues"})
KERNEL = SOCKETS | {"counters", "settings"}
"""All that a range has of its own; the disk and the clock are this machine's."""

WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Root's files, and no look into processes that may do more than this one."""

Illness: TypeAlias = Callable[[Hosts], AbstractContextManager[str]]


def doctor(
    hosts: Hosts,
    folder: Path,
    topics: frozenset[str] = SOCKETS,
    before: Sequence[str] = (),
) -> tuple[int, list[dict[str, Any]]]:
    """Give the exit status, and what is told of these topics and is not fine."""
    where = ("--state-dir", str(folder / "state"), "--firewall", "nftables")
    words = ("doctor", "--json", "--watch", "1s", *where)
    done = command(hosts.server, "auto", *words, before=before)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    found = [one for one in told["findings"] if one["topic"] in topics]
    assert {one["name"] for one in found} >= {"CLOSE_WAIT", "TIME_WAIT", "local ports", "Recv-Q"}
    return done.returncode, [one for one in found if one["grade"] != "fine"]


def web(hosts: Hosts, folder: Path) -> AbstractContextManager[object]:
    return nginx(hosts.server, [80], folder)


@pytest.mark.parametrize(
    ("illness", "name"),
    [
        pytest.param(illnesses.never_closing, "CLOSE_WAIT", id="never-closes"),
        pytest.param(illnesses.not_accepting, "accept queues", id="does-not-accept"),
        pytest.param(illnesses.half_open, "SYN_RECV", id="full-backlog"),
        pytest.param(illnesses.calling_out, "local ports", id="ports-exhausted"),
        pytest.param(illnesses.lingering_out, "local ports", id="ports-lingering"),
        pytest.param(illnesses.scanning, "SYN_SENT", id="scanner"),
        pytest.param(illnesses.dead_upstream, "SYN_SENT", id="dead-upstream"),
        pytest.param(illnesses.not_reading, "Recv-Q", id="does-not-read"),
        pytest.param(illnesses.unacknowledged, "FIN_WAIT1", id="fin-wait-1"),
        pytest.param(illnesses.last_acknowledgement, "LAST_ACK", id="last-ack"),
        pytest.param(illnesses.half_closed, "FIN_WAIT2", id="fin-wait-2"),
        pytest.param(illnesses.lingering, "TIME_WAIT", id="time-wait-full"),
    ],
)
def test_an_illness_is_named_with_whose_it_is_and_nothing_else(
    hosts: Hosts, tmp_path: Path, illness: Illness, name: str
) -> None:
    with illness(hosts) as culprit:
        status, loud = doctor(hosts, tmp_path, KERNEL)

    assert status == 1
    assert [one["name"] for one in loud if one["grade"] == "wrong"] == [name], loud
    # Counters and settings may advise beside it: what is sent again, what the test has set.
    found = [one for one in loud if one["topic"] in SOCKETS]
    assert [(one["name"], one["grade"]) for one in found] == [(name, "wrong")], found
    assert culprit in f"{found[0]['says']} {found[0]['why']}"
    assert found[0]["do"]


def test_clients_that_take_nothing_are_named(hosts: Hosts, tmp_path: Path) -> None:
    with web(hosts, tmp_path / "web"), illnesses.not_taking(hosts) as culprit:
        status, (found,) = doctor(hosts, tmp_path)

    assert (status, found["name"], found["grade"]) == (1, "Send-Q", "wrong")
    assert f"{culprit}: 20" in found["says"]
    assert "nginx" in found["says"]


def test_a_real_slow_reader_is_named(hosts: Hosts, tmp_path: Path) -> None:
    slow = [
        "slowhttptest",
        "-X",
        "-c",
        "30",
        "-r",
        "30",
        "-w",
        "512",
        "-y",
        "1024",
        "-n",
        "5",
        "-z",
        "32",
        "-k",
        "3",
        "-l",
        "30",
        "-u",
    ]
    words = [*slow, f"http://{hosts.server4}/long"]
    with web(hosts, tmp_path / "web"), started(hosts.client, words, tmp_path / "told"):
        illnesses.wait_for(hosts, State.ESTABLISHED, 30)
        time.sleep(1.0)
        _, (found,) = doctor(hosts, tmp_path)

    assert (found["name"], found["grade"]) == ("Send-Q", "wrong")
    assert f"{hosts.client4}: 30" in found["says"]


def test_who_may_not_look_into_processes_gets_the_same_without_their_names(
    hosts: Hosts, tmp_path: Path
) -> None:
    with illnesses.scanning(hosts):
        status, (found,) = doctor(hosts, tmp_path, before=WITHOUT_RIGHTS)

    assert (status, found["name"], found["grade"]) == (1, "SYN_SENT", "wrong")
    assert "held by a process of uid 0, which only root may look into: 120" in found["says"]
    assert str(os.getpid()) not in found["says"]
    assert any("sudo abuse-agent doctor" in line for line in found["do"])


def test_a_healthy_web_server_is_told_as_healthy(hosts: Hosts, tmp_path: Path) -> None:
    visitors = [f"198.18.3.{number}" for number in range(1, 21)]
    keeping = [f"198.18.4.{number}" for number in range(1, 21)]
    to = (hosts.server4, 80)
    with (
        web(hosts, tmp_path / "web"),
        connect(hosts.client, keeping, to, each=2),
        visit(hosts.client, visitors, to, every_s=0.1, asks=True) as asking,
        visit(hosts.client, visitors, to, every_s=0.1),
        illnesses.not_taking(hosts, 4),
    ):
        assert doctor(hosts, tmp_path, KERNEL)[1] == []
        assert asking.so_far()[0] > 50
        assert illnesses.counts(hosts, State.TIME_WAIT) > 50


@pytest.mark.parametrize(
    "sibling",
    [
        pytest.param(lambda hosts: illnesses.never_closing(hosts, 5), id="a-few-close-wait"),
        pytest.param(lambda hosts: illnesses.half_open(hosts, 40), id="half-of-a-backlog"),
        pytest.param(lambda hosts: illnesses.calling_out(hosts, 60), id="ports-left"),
        pytest.param(
            lambda hosts: illnesses.calling(hosts, [(str(hosts.silent4[1]), 5432)] * 5),
            id="a-host-that-is-down",
        ),
        pytest.param(lambda hosts: illnesses.not_reading(hosts, 5), id="a-few-unread"),
        pytest.param(lambda hosts: illnesses.unacknowledged(hosts, 20), id="some-clients-vanished"),
        pytest.param(lambda hosts: illnesses.half_closed(hosts, 20), id="some-half-closed"),
        pytest.param(lambda hosts: illnesses.lingering(hosts, 150, 4096), id="time-wait-of-a-day"),
    ],
)
def test_what_only_looks_like_an_illness_is_none(
    hosts: Hosts, tmp_path: Path, sibling: Illness
) -> None:
    with sibling(hosts):
        assert doctor(hosts, tmp_path)[1] == []
