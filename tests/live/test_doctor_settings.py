"""The doctor before settings that are really made, in a namespace of their own."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.desk.doctor.examine import examine
from agent.desk.doctor.values import Finding, Grade, Topic
from agent.desk.where import Where
from agent.observe.written import read_written
from tests.range import Hosts, forge_syns, in_namespace
from tests.range.hosts import set_sysctl

pytestmark = pytest.mark.root

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
STRANGE = "203.0.113.9"
"""Nobody has a route to it."""


def told(hosts: Hosts, folder: Path, *, forged: int = 0) -> dict[str, Finding]:
    """Give what is not fine of the server's settings, while so many forged SYNs come."""

    def pause(_seconds: float) -> None:
        forge_syns(hosts.client, [STRANGE] * forged, (hosts.server4, 80))

    where = Where(
        folder=folder,
        paths=(),
        firewall=None,
        now=NOW,
        stopwatch=iter((0.0, 3.0)).__next__,
        boot_id="a-boot",
    )
    with in_namespace(hosts.server):
        found = examine(where, timedelta(seconds=3), pause).findings
    ours = [one for one in found if one.topic in {Topic.SETTINGS, Topic.COUNTERS}]
    assert {"net.ipv4.tcp_syncookies", "Tcp.RetransSegs"} <= {one.name for one in ours}
    return {one.name: one for one in ours if one.grade is not Grade.FINE}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tcp_syncookies", "0"),
        ("tcp_syncookies", "2"),
        ("tcp_synack_retries", "1"),
        ("tcp_fin_timeout", "2"),
        ("tcp_keepalive_time", "30"),
        ("tcp_max_tw_buckets", "20"),
        ("tcp_timestamps", "0"),
        ("tcp_abort_on_overflow", "1"),
    ],
)
def test_a_harmful_value_in_force_is_told_with_the_command(
    hosts: Hosts, tmp_path: Path, name: str, value: str
) -> None:
    assert told(hosts, tmp_path) == {}
    set_sysctl(hosts.server, f"ipv4/{name}", value)

    (found,) = told(hosts, tmp_path).values()

    assert (found.name, found.value) == (f"net.ipv4.{name}", value)
    (command,) = found.do
    to = command.removeprefix(f"sysctl -w net.ipv4.{name}=")
    set_sysctl(hosts.server, f"ipv4/{name}", to)
    assert told(hosts, tmp_path) == {}


def test_a_range_of_local_ports_over_a_service_is_told_until_it_is_reserved(
    hosts: Hosts, tmp_path: Path
) -> None:
    set_sysctl(hosts.server, "ipv4/ip_local_port_range", "1024\t65535")
    with in_namespace(hosts.server):
        service = socket.create_server((hosts.server4, 8080))

    with service:
        (found,) = told(hosts, tmp_path).values()
        set_sysctl(hosts.server, "ipv4/ip_local_reserved_ports", "8080")

        assert (found.name, found.value) == ("net.ipv4.ip_local_port_range", "1024 65535")
        assert "8080" in found.says
        assert told(hosts, tmp_path) == {}


@pytest.mark.parametrize("who", ["all", "its-own"])
def test_packets_that_a_strict_filter_drops_are_told_with_the_interface(
    hosts: Hosts, tmp_path: Path, who: str
) -> None:
    link = hosts.server_link
    for one in ("all", link):
        set_sysctl(hosts.server, f"ipv4/conf/{one}/rp_filter", "0")
    set_sysctl(hosts.server, f"ipv4/conf/{'all' if who == 'all' else link}/rp_filter", "1")

    assert told(hosts, tmp_path) == {}
    (found,) = told(hosts, tmp_path, forged=7).values()

    assert found.name == "net.ipv4.conf.all.rp_filter"
    assert found.says.startswith("7 packets were dropped")
    assert link in found.says


def test_a_file_that_says_something_else_is_told_with_its_place(
    hosts: Hosts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "sysctl.conf").write_text("# tuning\nnet/ipv4/tcp_fin_timeout = 2\n")
    monkeypatch.setattr("agent.desk.doctor.examine.read_written", lambda _: read_written(tmp_path))

    (found,) = told(hosts, tmp_path).values()

    assert found.name == "/etc/sysctl.conf:2 net.ipv4.tcp_fin_timeout"
    assert "60 is in force" in found.says
