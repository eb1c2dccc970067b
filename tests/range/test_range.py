"""The range itself: what other tests build upon."""

import subprocess
from itertools import islice
from pathlib import Path

import pytest

from tests.range import (
    Hosts,
    connect,
    dnsmasq,
    eventually,
    forge_syns,
    in_namespace,
    ip,
    namespace,
    nginx,
    serve,
    visit,
)

pytestmark = pytest.mark.root


def test_connections_come_from_the_addresses_asked_for(hosts: Hosts) -> None:
    sources = [str(hosts.sources4[n]) for n in range(1, 401)]
    with serve(hosts.server, 80) as server:
        with connect(hosts.client, sources, (hosts.server4, 80), each=2) as clients:
            assert clients.connected == 800
            assert clients.still_open() == server.still_open() == 800

        assert eventually(lambda: server.still_open() == 0)


def test_ipv6_has_a_range_as_well(hosts: Hosts) -> None:
    sources = [str(host) for host in islice(hosts.sources6.hosts(), 50)]
    with (
        serve(hosts.server, 80),
        connect(hosts.client, sources, (hosts.server6, 80)) as clients,
    ):
        assert clients.connected == 50


def test_what_nobody_answers_is_given_up(hosts: Hosts) -> None:
    to = (str(hosts.silent4[1]), 80)
    with connect(hosts.server, [hosts.server4], to, within_s=0.2) as clients:
        assert clients.connected == 0


def test_forged_syns_stay_half_open(hosts: Hosts) -> None:
    sources = [str(hosts.silent4[n]) for n in range(1, 301)]
    with serve(hosts.server, 80):
        assert forge_syns(hosts.client, sources, (hosts.server4, 80)) == 300

        with in_namespace(hosts.server):
            seen = subprocess.check_output(["ss", "-tnH", "state", "syn-recv"], text=True)
        assert len(seen.splitlines()) == 300


def test_a_namespace_is_gone_after_a_failure() -> None:
    def fail() -> None:
        with namespace() as name:
            names.append(name)
            raise ZeroDivisionError

    names: list[str] = []
    with pytest.raises(ZeroDivisionError):
        fail()

    assert names[0] not in ip("netns", "list")


def test_a_server_that_closes_leaves_nothing_behind(hosts: Hosts) -> None:
    def waiting() -> int:
        with in_namespace(hosts.server):
            seen = subprocess.check_output(["ss", "-tnH", "state", "close-wait"], text=True)
        return len(seen.splitlines())

    with serve(hosts.server, 80, closes=True) as closes, serve(hosts.server, 81) as holds:
        for port in (80, 81):
            connect(hosts.client, ["198.18.0.1"], (hosts.server4, port), each=5).close()

        assert eventually(lambda: waiting() == 5)
        assert eventually(lambda: closes.still_open() == 0)
        assert holds.still_open() == 0


def test_visits_are_made_again_and_again_until_packets_are_dropped(hosts: Hosts) -> None:
    sources = ["198.18.0.1", "198.18.0.2"]
    with (
        serve(hosts.server, 80, closes=True),
        visit(hosts.client, sources, (hosts.server4, 80), every_s=0.05) as visits,
    ):
        assert eventually(lambda: visits.so_far()[0] >= 6)
        assert visits.so_far()[1] == 0

        ip("-n", hosts.client, "route", "add", "blackhole", f"{hosts.server4}/32", "table", "7")
        ip("-n", hosts.client, "rule", "add", "from", "198.18.0.2", "lookup", "7")
        assert eventually(lambda: visits.so_far()[1] > 0)


def test_a_browser_is_given_its_page_by_a_web_server(hosts: Hosts, tmp_path: Path) -> None:
    with (
        nginx(hosts.server, [80], tmp_path),
        visit(hosts.client, ["198.18.0.1"], (hosts.server4, 80), every_s=0.05, asks=True) as four,
        visit(
            hosts.client, ["2001:db8:18::1"], (hosts.server6, 80), every_s=0.05, asks=True
        ) as six,
    ):
        assert eventually(lambda: four.so_far()[0] >= 3 and six.so_far()[0] >= 3)
        assert (four.so_far()[1], six.so_far()[1]) == (0, 0)


def test_a_name_server_knows_what_it_was_told(hosts: Hosts, tmp_path: Path) -> None:
    lines = ["ptr-record=1.0.18.198.in-addr.arpa,crawl-1.example.org"]
    with dnsmasq(hosts.client, lines, tmp_path / "dns"), in_namespace(hosts.server):
        asked = ["python3", "-c", _QUESTION.format(server=hosts.client4)]
        assert b"crawl-1" in subprocess.check_output(asked)


_QUESTION = """
import socket, sys
asked = b"".join(bytes([len(one)]) + one for one in b"1.0.18.198.in-addr.arpa".split(b"."))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(5)
head = b"\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0"
sock.sendto(head + asked + b"\\0\\0\\x0c\\0\\1", ("{server}", 53))
sys.stdout.buffer.write(sock.recv(512))
"""
