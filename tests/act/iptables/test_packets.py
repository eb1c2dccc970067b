"""Real packets against the rules of iptables, by both variants."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

import pytest

from agent.act.iptables.firewall import Iptables
from agent.model.plan import Plan
from agent.model.policy import Scope
from tests.builders import NOW, SSH, ban, layout, prefix, throttle
from tests.range import Hosts, connect, forge_syns, in_namespace, serve

pytestmark = pytest.mark.root

_PORTS_BELOW_CLIENTS = range(1024, 30_000)


@pytest.fixture(name="server", params=["-legacy", "-nft"])
def _server(request: pytest.FixtureRequest, hosts: Hosts) -> Iterator[Iptables]:
    with ExitStack() as stack:
        for port in (22, 80, 8080):
            stack.enter_context(serve(hosts.server, port))
        with in_namespace(hosts.server):
            firewall = Iptables(request.param)
            firewall.prepare(layout())
            yield firewall


def reaches(hosts: Hosts, source: str, port: int, *, each: int = 1, within_s: float = 0.3) -> int:
    """Give how many connections from a source to a port come about."""
    to = hosts.server6 if ":" in source else hosts.server4
    with connect(hosts.client, [source], (to, port), each=each, within_s=within_s) as made:
        return made.connected


def test_a_ban_stops_what_it_covers_and_nothing_else(server: Iptables, hosts: Hosts) -> None:
    web, host, all_of_it, free, allowed = (str(hosts.sources4[n]) for n in range(1, 6))
    web6 = str(hosts.sources6[1])
    server.apply(
        Plan(
            add=(
                ban(f"{web}/32"),
                ban("2001:db8:18::/64"),
                ban(f"{host}/32", scope=Scope.HOST),
                ban(f"{all_of_it}/32", scope=Scope.HOST, service=SSH),
                ban(f"{allowed}/32", scope=Scope.HOST),
            ),
            allow=frozenset({prefix(f"{allowed}/32")}),
        ),
        NOW,
    )

    reached = {
        (source, port)
        for source in (web, web6, host, all_of_it, free, allowed)
        for port in (22, 80, 8080)
        if reaches(hosts, source, port)
    }

    assert reached == {
        *((web, 22), (web, 8080), (web6, 22), (web6, 8080), (host, 22)),
        *((one, port) for one in (free, allowed) for port in (22, 80, 8080)),
    }
    stopped = {one.name: one.packets for one in server.inspect().traffic if one.packets}
    assert stopped.keys() == {"aa4-web", "aa6-web", "aa4-host", "aa4-host-ssh"}


def test_a_throttle_lets_so_many_connections_begin(server: Iptables, hosts: Hosts) -> None:
    slow, free = str(hosts.sources4[1]), str(hosts.sources4[2])
    server.apply(Plan(add=(throttle(f"{slow}/32"),)), NOW)

    assert reaches(hosts, slow, 80, each=20, within_s=0.6) == 1
    assert reaches(hosts, slow, 8080, each=20) == 20
    assert reaches(hosts, free, 80, each=20) == 20


@pytest.mark.parametrize("version", [4, 6])
def test_a_forged_innocent_still_connects(server: Iptables, hosts: Hosts, version: int) -> None:
    innocent = str(hosts.sources4[7] if version == 4 else hosts.sources6[7])
    server.apply(Plan(add=(throttle(innocent + ("/32" if version == 4 else "/128")),)), NOW)

    with forged(hosts, innocent, hosts.server4 if version == 4 else hosts.server6) as sent:
        assert reaches(hosts, innocent, 80, within_s=0.6) == 0
        assert reaches(hosts, innocent, 80, within_s=5.0) == 1

    assert sent[0] > 300


@contextmanager
def forged(hosts: Hosts, source: str, to: str) -> Iterator[list[int]]:
    """Send SYNs in the name of a source, each from another port, as long as this is open."""
    sent, over = [0], threading.Event()

    def flood() -> None:
        for number in count():
            port = _PORTS_BELOW_CLIENTS[number % len(_PORTS_BELOW_CLIENTS)]
            sent[0] += forge_syns(hosts.client, [source], (to, 80), from_port=port)
            if over.wait(0.002):
                return

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        while sent[0] < 20:
            over.wait(0.005)
        yield sent
    finally:
        over.set()
        thread.join()
