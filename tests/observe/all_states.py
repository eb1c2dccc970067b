"""A server with a real socket in each state that its end of a connection can be held in."""

import socket
from contextlib import ExitStack

from tests.range import Hosts, forge_syns, in_namespace, ip


class Server:
    """A dual-stack listener on port 80 and an IPv4 one on 22, and what they accepted."""

    def __init__(self, hosts: Hosts, stack: ExitStack) -> None:
        self.hosts, self.stack = hosts, stack
        with in_namespace(hosts.server):
            self.web = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
            self.ssh = socket.create_server(("0.0.0.0", 22))
        self.keep(self.web)
        self.keep(self.ssh)

    def keep(self, sock: socket.socket) -> socket.socket:
        """Hold a socket until the end of the test."""
        return self.stack.enter_context(sock)

    def pair(self, source: str, port: int = 80) -> tuple[socket.socket, socket.socket]:
        """Connect from this address: the client's end and the server's."""
        wide = ":" in source
        with in_namespace(self.hosts.client):
            client = self.keep(socket.socket(socket.AF_INET6 if wide else socket.AF_INET))
        client.bind((source, 0))
        client.connect((self.hosts.server6 if wide else self.hosts.server4, port))
        served, _ = (self.web if port == 80 else self.ssh).accept()
        return client, self.keep(served)

    def pair_on_link(self, source: str, to: str) -> None:
        """Connect from a link-local address of the client to one of the server."""
        with in_namespace(self.hosts.client):
            client = self.keep(socket.socket(socket.AF_INET6))
            zone = socket.if_nametoindex(self.hosts.client_link)
        client.bind((source, 0, 0, zone))
        client.connect((to, 80, 0, zone))
        self.keep(self.web.accept()[0])

    def cut_wire(self, source: str) -> None:
        """Drop everything that the server sends to this source from now on."""
        ip("-n", self.hosts.server, "route", "add", "blackhole", source)


def make_all_states(server: Server, sources: list[str], port: int) -> None:
    """Bring one connection into each state that the server's end can be held in."""
    source = iter(sources)
    server.pair(next(source), port)  # ESTABLISHED

    client, _ = server.pair(next(source), port)  # CLOSE_WAIT
    client.close()

    client, served = server.pair(next(source), port)  # TIME_WAIT
    served.close()
    client.close()

    _, served = server.pair(next(source), port)  # FIN_WAIT2
    served.shutdown(socket.SHUT_WR)

    _, served = server.pair(next(source), port)  # FIN_WAIT2, of which only a small socket is left
    served.close()

    _, served = server.pair(address := next(source), port)  # FIN_WAIT1
    server.cut_wire(address)
    served.close()

    client, served = server.pair(address := next(source), port)  # LAST_ACK
    client.close()
    assert served.recv(1) == b""
    server.cut_wire(address)
    served.close()

    client, served = server.pair(address := next(source), port)  # CLOSING
    server.cut_wire(address)
    served.shutdown(socket.SHUT_WR)
    client.close()


def half_open(server: Server) -> None:
    """Add SYN_RECV of both families and of both listeners, and a SYN_SENT of our own."""
    hosts = server.hosts
    forge_syns(hosts.client, [str(hosts.silent4[1])] * 2, (hosts.server4, 22))
    forge_syns(hosts.client, [str(hosts.silent4[n]) for n in (2, 3)], (hosts.server4, 80))
    forge_syns(hosts.client, [str(hosts.silent6[4])], (hosts.server6, 80))
    with in_namespace(hosts.server):
        calling = server.keep(socket.socket())
    calling.settimeout(0)
    calling.connect_ex((str(hosts.silent4[5]), 9))
