"""nftables with real packets: who gets no answer, and who notices nothing."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent.act.nftables.firewall import Nftables
from agent.decide.layout import layout_of
from agent.model.ban import Ban
from agent.model.plan import Plan
from agent.model.policy import Scope, Service
from tests.builders import NOW, SSH, WEB, ban, half_open, policy, prefix, rule, throttle
from tests.range import Hosts, connect, forge_syns, in_namespace, serve

pytestmark = pytest.mark.root

SHORT_S = 0.4
WEB_INSIDE = Service(name="web", ports=frozenset({8080}))


def put(hosts: Hosts, *bans: Ban, allow: tuple[str, ...] = (), web: Service = WEB) -> Nftables:
    """Ban on the server."""
    with in_namespace(hosts.server):
        firewall = Nftables()
        firewall.prepare(layout_of(policy(rule(), half_open(), services=(web, SSH))))
        firewall.apply(Plan(add=bans, allow=frozenset(map(prefix, allow))), NOW)
    return firewall


def reaches(hosts: Hosts, source: str, port: int, within_s: float = SHORT_S) -> bool:
    to = (hosts.server6 if ":" in source else hosts.server4, port)
    with connect(hosts.client, [source], to, within_s=within_s) as made:
        return made.connected == 1


@contextmanager
def served(hosts: Hosts, *ports: int) -> Iterator[None]:
    servers = [serve(hosts.server, port) for port in ports]
    try:
        yield
    finally:
        for one in servers:
            one.close()


@pytest.mark.parametrize(
    ("banned", "inside", "outside"),
    [
        pytest.param("198.18.0.1/32", "198.18.0.1", "198.18.0.2", id="host"),
        pytest.param("198.18.1.0/24", "198.18.1.77", "198.18.2.1", id="/24"),
        pytest.param("2001:db8:18:1::/64", "2001:db8:18:1::9", "2001:db8:18:2::9", id="/64"),
        pytest.param("2001:db8:18:1::9/128", "2001:db8:18:1::9", "2001:db8:18:1::8", id="/128"),
        pytest.param("2001:db8:18::/49", "2001:db8:18:7fff::1", "2001:db8:18:8000::1", id="/49"),
    ],
)
def test_who_is_banned_gets_no_answer_from_the_service_alone(
    hosts: Hosts, banned: str, inside: str, outside: str
) -> None:
    firewall = put(hosts, ban(banned))
    with served(hosts, 80, 22):
        assert not reaches(hosts, inside, 80)
        assert reaches(hosts, inside, 22)
        assert reaches(hosts, outside, 80)
    with in_namespace(hosts.server):
        stopped = [one for one in firewall.inspect().traffic if one.packets]
    assert [one.elements for one in stopped] == [1]
    assert stopped[0].size_bytes >= 40


def test_a_ban_of_the_host_leaves_ssh_open_unless_it_is_about_ssh(hosts: Hosts) -> None:
    about_ssh = ban("198.18.0.2/32", scope=Scope.HOST, service=SSH)
    put(hosts, ban("198.18.0.1/32", scope=Scope.HOST), about_ssh)
    with served(hosts, 80, 22, 9999):
        seen = [
            [reaches(hosts, source, port) for port in (80, 9999, 22)]
            for source in ("198.18.0.1", "198.18.0.2", "198.18.0.3")
        ]
    assert seen == [[False, False, True], [False, False, False], [True, True, True]]


def test_the_allow_set_wins_over_every_ban(hosts: Hosts) -> None:
    bans = (ban("198.18.0.0/24"), ban("198.18.0.0/24", scope=Scope.HOST))
    six = (ban("2001:db8:18::/48"), throttle("198.18.0.7/32"))
    put(hosts, *bans, *six, allow=("198.18.0.7/32", "2001:db8:18:7::/64"))
    with served(hosts, 80):
        assert reaches(hosts, "198.18.0.7", 80)
        assert reaches(hosts, "2001:db8:18:7::1", 80)
        assert not reaches(hosts, "198.18.0.8", 80)
        assert not reaches(hosts, "2001:db8:18:8::1", 80)


def test_behind_a_redirection_the_service_has_the_port_of_its_socket(hosts: Hosts) -> None:
    put(hosts, ban("198.18.0.1/32", service=WEB_INSIDE), web=WEB_INSIDE)
    nat = "table ip n { chain c { type nat hook prerouting priority -100;"
    with in_namespace(hosts.server):
        subprocess.run(
            ["nft", "-f", "-"],
            input=f"{nat} tcp dport 80 redirect to 8080; }}\n}}\n",
            text=True,
            check=True,
        )
    with served(hosts, 8080):
        assert not reaches(hosts, "198.18.0.1", 80)
        assert reaches(hosts, "198.18.0.2", 80)


@pytest.mark.parametrize(
    ("throttled", "source"),
    [("198.18.0.1/32", "198.18.0.1"), ("2001:db8:18:1::/64", "2001:db8:18:1::9")],
)
def test_a_throttled_source_opens_one_connection_a_second(
    hosts: Hosts, throttled: str, source: str
) -> None:
    put(hosts, throttle(throttled))
    to = (hosts.server6 if ":" in source else hosts.server4, 80)
    with served(hosts, 80, 22):
        with connect(hosts.client, [source], to, each=20, within_s=SHORT_S) as made:
            assert made.connected == 1
        with connect(hosts.client, [source], to, each=20, within_s=2.5) as made:
            assert 2 <= made.connected <= 6
        with connect(hosts.client, [source], (to[0], 22), each=20, within_s=SHORT_S) as made:
            assert made.connected == 20


@pytest.mark.parametrize(
    ("throttled", "source"),
    [
        ("198.18.0.1/32", "198.18.0.1"),
        ("198.18.3.0/24", "198.18.3.4"),
        ("2001:db8:18:1::/64", "2001:db8:18:1::9"),
    ],
)
def test_an_innocent_whose_address_is_forged_still_connects(
    hosts: Hosts, throttled: str, source: str
) -> None:
    put(hosts, throttle(throttled))
    to = (hosts.server6 if ":" in source else hosts.server4, 80)
    with served(hosts, 80), flood(hosts, source, to):
        assert [reaches(hosts, source, 80, within_s=5.0) for _ in range(2)] == [True, True]


@contextmanager
def flood(hosts: Hosts, source: str, to: tuple[str, int]) -> Iterator[None]:
    """Forge SYNs of a source without end, each from a port of its own."""
    over = threading.Event()

    def forge() -> None:
        port = 1024
        while not over.wait(0.002):
            port = 1024 + (port + 1) % 30_000
            forge_syns(hosts.client, [source], to, from_port=port)

    forger = threading.Thread(target=forge)
    forger.start()
    try:
        yield
    finally:
        over.set()
        forger.join()
