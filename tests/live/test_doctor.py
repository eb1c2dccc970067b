"""The doctor in a range where each illness is really made, and in a healthy one."""

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.desk.doctor.facts import Facts
from agent.desk.doctor.of_sockets import of_sockets
from agent.desk.doctor.values import Finding, Grade
from agent.model.sample import State
from agent.observe.owners import read_holders
from agent.observe.table.read import read_sockets
from tests.live import illnesses
from tests.range import Hosts, connect, in_namespace, nginx, visit

pytestmark = pytest.mark.root

SETTINGS = (
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_max_syn_backlog",
)
Illness = Callable[[Hosts], AbstractContextManager[str]]


def look(namespace: str) -> Facts:
    with in_namespace(namespace):
        before = read_sockets()
        time.sleep(1.0)
        sockets = read_sockets(before.kept)
        settings = {
            name: Path("/proc/sys", *name.split(".")).read_text().strip() for name in SETTINGS
        }
    return Facts(
        now=datetime.now(UTC),
        watched_s=1.0,
        settings=settings,
        sockets=sockets,
        before=before,
        holders=read_holders(sockets.inodes()),
    )


def loud(namespace: str) -> list[Finding]:
    """Give what the doctor does not find well."""
    return [one for one in of_sockets(look(namespace)) if one.grade is not Grade.FINE]


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
    hosts: Hosts, illness: Illness, name: str
) -> None:
    with illness(hosts) as culprit:
        found = loud(hosts.server)

    assert [(one.name, one.grade) for one in found] == [(name, Grade.WRONG)], found
    assert culprit in f"{found[0].says} {found[0].why}"
    assert found[0].do


def test_clients_that_take_nothing_are_named(hosts: Hosts, tmp_path: Path) -> None:
    with web(hosts, tmp_path / "web"), illnesses.not_taking(hosts) as culprit:
        (found,) = loud(hosts.server)

    assert (found.name, found.grade) == ("Send-Q", Grade.WRONG)
    assert f"{culprit}: 20" in found.says
    assert "nginx" in found.says


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
        assert loud(hosts.server) == []
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
def test_what_only_looks_like_an_illness_is_none(hosts: Hosts, sibling: Illness) -> None:
    with sibling(hosts):
        assert loud(hosts.server) == []


def test_a_burst_that_is_accepted_in_time_is_no_illness(hosts: Hosts) -> None:
    with ExitStack() as stack:
        with in_namespace(hosts.server):
            server = stack.enter_context(socket.create_server((hosts.server4, 80), backlog=5))
        with in_namespace(hosts.server):
            before = read_sockets()
        stack.enter_context(connect(hosts.client, [illnesses.SOURCE], (hosts.server4, 80), each=6))
        facts = Facts(
            now=datetime.now(UTC), watched_s=1.0, before=before, sockets=look(hosts.server).sockets
        )
        assert [one for one in of_sockets(facts) if one.grade is not Grade.FINE] == []
        assert server.fileno() > 0
