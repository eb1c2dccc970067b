"""The range itself: what other tests build upon."""

import subprocess
from itertools import islice

import pytest

from tests.range import Hosts, connect, eventually, forge_syns, in_namespace, ip, namespace, serve

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
