"""Real connections in namespaces: which of them a ban takes away, and which it leaves."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from agent.act.cut.cutting import Cut, cut
from agent.act.cut.removal import Removal
from agent.errors import FirewallError, ObserveError, PrivilegeError, RefusedError
from agent.model.ban import Ban
from agent.model.policy import Scope, Service
from tests.builders import SSH, WEB, ban, prefix, throttle
from tests.range import Hosts, eventually, forge_syns, in_namespace, ip

pytestmark = pytest.mark.root

SSH_PORTS = frozenset({22})
BAD, GOOD = "198.18.0.1", "198.18.0.2"
BAD6, SAME_LINE6, GOOD6 = "2001:db8:18::1", "2001:db8:18::2", "2001:db8:18:1::1"
REDIRECT = """
table inet t {
  chain pre {
    type nat hook prerouting priority dstnat
    tcp dport 8000 redirect to :80
  }
}
"""
Ends = tuple[socket.socket, socket.socket]


class Server:
    """Listeners on port 80 (dual-stack), 8443 and 22, and connections to them."""

    def __init__(self, hosts: Hosts, stack: ExitStack) -> None:
        self.hosts, self.stack = hosts, stack
        with in_namespace(hosts.server):
            self.listeners = {
                80: socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True),
                22: socket.create_server(("0.0.0.0", 22)),
                8443: socket.create_server(("0.0.0.0", 8443)),
            }
        for listener in self.listeners.values():
            self.keep(listener).settimeout(5)

    def keep(self, sock: socket.socket) -> socket.socket:
        """Hold a socket until the end of the test."""
        return self.stack.enter_context(sock)

    def call(self, source: str, port: int = 80) -> socket.socket:
        """Connect from this address; nobody accepts."""
        wide = ":" in source
        with in_namespace(self.hosts.client):
            client = self.keep(socket.socket(socket.AF_INET6 if wide else socket.AF_INET))
        client.settimeout(5)
        client.bind((source, 0))
        client.connect((self.hosts.server6 if wide else self.hosts.server4, port))
        return client

    def accept(self, port: int = 80) -> socket.socket:
        served, _ = self.listeners[port].accept()
        served.settimeout(5)
        return self.keep(served)

    def pair(self, source: str, port: int = 80) -> Ends:
        """Connect from this address: the client's end and the server's."""
        return self.call(source, port), self.accept(port)

    def cut(self, *bans: Ban, allowed: tuple[str, ...] = ()) -> Cut:
        """Cut in the server's namespace."""
        with in_namespace(self.hosts.server):
            return cut(bans, frozenset(prefix(text) for text in allowed), SSH_PORTS)

    def table(self) -> list[str]:
        """Give the states and peers of the server's sockets, listeners apart."""
        with in_namespace(self.hosts.server):
            text = subprocess.check_output(["ss", "-tanH"], text=True)
        rows = [line.split() for line in text.splitlines()]
        return sorted(f"{row[0]} {row[4]}" for row in rows if row[0] != "LISTEN")


@pytest.fixture
def server(hosts: Hosts) -> Iterator[Server]:
    with ExitStack() as stack:
        yield Server(hosts, stack)


def is_alive(ends: Ends) -> bool:
    """Whether data gets through, both ways."""
    for sender, receiver in (ends, ends[::-1]):
        sender.sendall(b"x")
        if receiver.recv(1) != b"x":
            return False
    return True


def is_dead(ends: Ends) -> bool:
    """Whether both ends are told at once that it is over: an error, no hang."""
    client, served = ends
    with pytest.raises(ConnectionAbortedError):
        served.recv(1)
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    return True


def host(source: str = f"{BAD}/32", **changes: object) -> Ban:
    return ban(source, **{"scope": Scope.HOST, **changes})


def test_a_banned_source_loses_its_connections_to_the_service_and_nothing_else(
    server: Server,
) -> None:
    lost = [server.pair(BAD) for _ in range(3)]
    kept = [server.pair(BAD, 8443), server.pair(BAD, 22), server.pair(GOOD)]

    assert server.cut(ban(f"{BAD}/32")) == Cut(sockets=3)

    assert all(map(is_dead, lost))
    assert all(map(is_alive, kept))


def test_mapped_and_plain_sockets_are_both_found(server: Server) -> None:
    mapped = server.pair(BAD)
    plain = server.pair(BAD, 8443)
    web = ban(f"{BAD}/32", service=WEB)
    other = ban(f"{BAD}/32", service=Service(name="other", ports=frozenset({8443})))

    assert server.cut(web, other).sockets == 2

    assert is_dead(mapped)
    assert is_dead(plain)


def test_a_line_of_ipv6_loses_all_of_its_addresses(server: Server) -> None:
    lost = [server.pair(BAD6), server.pair(SAME_LINE6)]
    kept = server.pair(GOOD6)

    assert server.cut(ban("2001:db8:18::/64")).sockets == 2

    assert all(map(is_dead, lost))
    assert is_alive(kept)


def test_the_allowed_inside_a_banned_prefix_keep_theirs(server: Server) -> None:
    lost, kept = server.pair(BAD), server.pair(GOOD)
    lost6, kept6 = server.pair(BAD6), server.pair(GOOD6)

    outcome = server.cut(
        ban("198.18.0.0/24"),
        ban("2001:db8:18::/48"),
        allowed=(f"{GOOD}/32", "2001:db8:18:1::/64"),
    )

    assert outcome == Cut(sockets=2)
    assert is_dead(lost)
    assert is_dead(lost6)
    assert is_alive(kept)
    assert is_alive(kept6)


def test_a_ban_of_the_host_takes_every_service_but_ssh(server: Server) -> None:
    lost = [server.pair(BAD), server.pair(BAD, 8443)]
    kept = [server.pair(BAD, 22), server.pair(GOOD)]

    assert server.cut(host()).sockets == 2

    assert all(map(is_dead, lost))
    assert all(map(is_alive, kept))


def test_a_ban_of_the_host_about_ssh_takes_ssh_too(server: Server) -> None:
    lost = [server.pair(BAD), server.pair(BAD, 22)]

    assert server.cut(host(service=SSH)).sockets == 2

    assert all(map(is_dead, lost))


def test_a_throttle_takes_nothing(server: Server) -> None:
    kept = server.pair(BAD)

    assert server.cut(throttle(f"{BAD}/32")) == Cut()

    assert is_alive(kept)


@pytest.mark.parametrize("scope", list(Scope))
def test_what_this_machine_began_stays(server: Server, scope: Scope) -> None:
    hosts = server.hosts
    with in_namespace(hosts.client):
        far = server.keep(socket.create_server((BAD, 9000)))
    with in_namespace(hosts.server):
        # From a port of the service's, on which nothing listens.
        near = server.keep(socket.create_connection((BAD, 9000), 5, (hosts.server4, 443)))
    there = server.keep(far.accept()[0])
    with in_namespace(hosts.server):
        calling = server.keep(socket.socket())
    calling.settimeout(0)
    calling.connect_ex((str(hosts.silent4[1]), 9))

    outcome = server.cut(
        ban(f"{BAD}/32", scope=scope, service=WEB), ban(str(hosts.silent4), scope=scope)
    )

    assert outcome == Cut()
    assert is_alive((there, near))
    assert len(server.table()) == 2


def test_half_open_connections_go(server: Server) -> None:
    hosts = server.hosts
    forge_syns(hosts.client, [str(hosts.silent4[n]) for n in (1, 2, 3)], (hosts.server4, 80))
    forge_syns(hosts.client, [str(hosts.silent4[1])], (hosts.server4, 22))
    forge_syns(hosts.client, [str(hosts.silent6[1])], (hosts.server6, 80))
    assert eventually(lambda: len(server.table()) == 5)

    outcome = server.cut(ban(f"{hosts.silent4[1]}/32"), ban("2001:db8:19::/64"))

    assert outcome.sockets == 2
    assert len(server.table()) == 3


def test_connections_that_nobody_accepted_yet_go(server: Server) -> None:
    waiting = [server.call(BAD), server.call(GOOD)]

    assert server.cut(ban(f"{BAD}/32")).sockets == 1

    assert is_dead((waiting[0], server.accept()))
    assert is_alive((waiting[1], server.accept()))


def test_connections_in_every_state_of_their_end_go(server: Server) -> None:
    hosts = server.hosts
    client, _ = server.pair(BAD)  # CLOSE_WAIT
    client.close()
    client, served = server.pair(BAD)  # TIME_WAIT
    served.close()
    client.close()
    _, served = server.pair(BAD)  # FIN_WAIT2
    served.shutdown(socket.SHUT_WR)
    _, served = server.pair(BAD)  # FIN_WAIT2, of which only a small socket is left
    served.close()
    gone = "198.18.0.9"
    _, closed = server.pair(gone)  # FIN_WAIT1
    client, closing = server.pair(gone)  # CLOSING
    last_client, last = server.pair(gone)  # LAST_ACK
    last_client.close()
    assert last.recv(1) == b""
    ip("-n", hosts.server, "route", "add", "blackhole", gone)
    closed.close()
    closing.shutdown(socket.SHUT_WR)
    client.close()
    last.close()
    states = ["CLOSE-WAIT", "CLOSING", "FIN-WAIT-1", "FIN-WAIT-2", "FIN-WAIT-2", "LAST-ACK"]
    assert eventually(lambda: [one.split()[0] for one in server.table()] == [*states, "TIME-WAIT"])

    assert server.cut(ban("198.18.0.0/24")).sockets == 7

    assert server.table() == []


def test_a_link_local_ban_holds_on_its_address_alone(server: Server) -> None:
    hosts = server.hosts
    ip("-n", hosts.server, "addr", "add", "fe80::1:1/64", "dev", hosts.server_link, "nodad")
    ip("-n", hosts.client, "addr", "add", "fe80::9:9/64", "dev", hosts.client_link, "nodad")
    with in_namespace(hosts.client):
        zone = socket.if_nametoindex(hosts.client_link)
        client = server.keep(socket.socket(socket.AF_INET6))
    client.settimeout(5)
    client.connect(("fe80::1:1", 80, 0, zone))

    assert server.cut(ban("fe80::9:9/128")).sockets == 1

    assert is_dead((client, server.accept()))


def test_nothing_to_cut_is_a_success(server: Server) -> None:
    assert server.cut() == Cut()
    assert server.cut(ban(f"{BAD}/32"), host(f"{GOOD}/32")) == Cut()


def test_listeners_live_on(server: Server) -> None:
    server.pair(BAD)

    assert server.cut(host("0.0.0.0/0", service=SSH), host("::/0", service=SSH)).sockets == 1

    assert is_alive(server.pair(BAD))
    assert is_alive(server.pair(GOOD, 22))


def test_many_connections_are_cut_in_one_go(server: Server) -> None:
    for _ in range(600):
        server.pair(BAD)
    kept = server.pair(GOOD)

    assert server.cut(ban(f"{BAD}/32")) == Cut(sockets=600)

    assert is_alive(kept)
    assert len(server.table()) == 1


def test_behind_a_redirect_the_reset_gets_through_and_the_flow_goes(server: Server) -> None:
    with in_namespace(server.hosts.server):
        subprocess.run(["nft", "-f", "-"], input=REDIRECT, text=True, check=True)
    lost = server.call(BAD, 8000), server.accept()
    kept = server.call(GOOD, 8000), server.accept()

    assert server.cut(ban(f"{BAD}/32")) == Cut(sockets=1, flows=1)

    assert is_dead(lost)
    assert is_alive(kept)


@pytest.mark.parametrize("tracked", [False, True], ids=["sockets", "flows alone"])
def test_without_the_capability_it_says_which(server: Server, tracked: bool) -> None:
    kept = server.pair(BAD, 22)
    if tracked:
        with in_namespace(server.hosts.server):
            subprocess.run(["nft", "-f", "-"], input=REDIRECT, text=True, check=True)
        assert is_alive(kept)
    one = host() if tracked else ban(f"{BAD}/32", service=SSH)

    assert "CAP_NET_ADMIN" in said_as_nobody(server.hosts, one)

    assert is_alive(kept)


def said_as_nobody(hosts: Hosts, one: Ban) -> str:
    """Cut in a child that has given up root, and with it every capability."""
    answer, say = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with in_namespace(hosts.server):
                os.setgroups([])
                os.setgid(65_534)
                os.setuid(65_534)
                try:
                    cut([one], frozenset(), SSH_PORTS)
                except PrivilegeError as error:
                    os.write(say, str(error).encode())
        finally:
            os._exit(0)
    os.close(say)
    with os.fdopen(answer) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


@pytest.mark.parametrize(
    ("told", "kind"), [(RefusedError("no"), FirewallError), (ObserveError("broken"), None)]
)
def test_sockets_that_are_not_told_are_no_silent_success(
    monkeypatch: pytest.MonkeyPatch, told: ObserveError, kind: type | None
) -> None:
    def fail(_: object) -> None:
        raise told

    monkeypatch.setattr("agent.act.cut.cutting.destroy_sockets", fail)
    monkeypatch.setattr("agent.act.cut.cutting.remove_flows", lambda _: Removal(removed=1))
    if kind is None:
        assert cut([ban()], frozenset(), SSH_PORTS) == Cut(flows=1, failure="broken")
        return
    with pytest.raises(kind):
        cut([ban()], frozenset(), SSH_PORTS)


def test_flows_that_are_not_told_leave_the_sockets_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RefusedError("no ctnetlink")

    monkeypatch.setattr(
        "agent.act.cut.cutting.destroy_sockets",
        lambda _: Removal(removed=3, left=1, failure="busy"),
    )
    monkeypatch.setattr("agent.act.cut.cutting.remove_flows", fail)

    assert cut([ban()], frozenset(), SSH_PORTS) == Cut(
        sockets=3, left=1, failure="busy; no ctnetlink"
    )
