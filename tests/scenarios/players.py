"""Everybody in a live scene but the agent: servers, innocents, attackers and their tools."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.model.policy import Answer, Policy
from tests.identify.name_server import (
    Behaviour,
    NameServer,
    answers,
    dead,
    first_of,
    lying,
    slow,
)
from tests.range import (
    Held,
    Hosts,
    connect,
    dnsmasq,
    in_namespace,
    ip,
    nginx,
    serve,
    started,
    visit,
)
from tests.range.hosts import set_sysctl
from tests.scenarios.group import Does, Group, Role
from tests.scenarios.player import Forger, Holding, Player, Tool, Visiting
from tests.scenarios.scene import Live, Scene
from tests.scenarios.witness import rule_of


@dataclass(slots=True)
class Players:
    """All of them.

    Attributes:
        scene: What is played.
        policy: The agent's.
        hosts: Where.
        folder: For what their programs write.
    """

    scene: Scene
    policy: Policy
    hosts: Hosts
    folder: Path
    _at_work: dict[str, Player] = field(default_factory=dict)
    _servers: dict[int, Held] = field(default_factory=dict)
    _lost: list[str] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _dns: ExitStack = field(default_factory=ExitStack)
    _tools: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def _live(self) -> Live:
        assert self.scene.live is not None
        return self.scene.live

    def __enter__(self) -> Self:
        """Set the stage."""
        with ExitStack() as stack:
            stack.callback(self._close)
            self._lay_routes()
            set_sysctl(self.hosts.server, "core/somaxconn", str(self._live.backlog))
            web = [port for port, kind in self._live.serve.items() if kind == "nginx"]
            if web:
                folder = self.folder / "nginx"
                self._stack.enter_context(nginx(self.hosts.server, web, folder))
            for port in self._live.serve.keys() - web:
                self._serve(port)
            self._answer_names()
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send everybody home."""
        self._close()

    def come(self, cycle: int) -> None:
        """Have those groups begin whose first cycle is the next one."""
        for name, group in self.scene.groups.items():
            if group.cycles[0] == cycle + 1:
                self._at_work[name] = _BEGIN[group.does](self, group)

    def go(self, cycle: int) -> None:
        """Have those groups end whose last cycle this was."""
        for name, group in self.scene.groups.items():
            if group.cycles[1] == cycle and name in self._at_work:
                self._lost += self._losses_of(name)
                self._at_work.pop(name).close()

    def losses(self) -> list[str]:
        """Give what innocents have lost; and what the guilty still have."""
        found = [*self._lost]
        for name, player in self._at_work.items():
            group = self.scene.groups[name]
            found += self._losses_of(name)
            is_cut = group.role is Role.GUILTY and (
                rule_of(group, self.policy).answer is Answer.DROP
            )
            if is_cut and (left := player.left()):
                found.append(f"{name}: {left} connections are left of the guilty")
        return found

    def serve_again(self, port: int) -> None:
        """Start a server anew."""
        self._servers.pop(port).close()
        self._serve(port)

    def end_dns(self) -> None:
        """End the name server."""
        self._dns.close()

    def _answer_names(self) -> None:
        """Start the name server, if there is one."""
        client = self.hosts.client
        if self._live.dns:
            folder = self.folder / "dns"
            self._dns.enter_context(dnsmasq(client, (*_ZONES, *self._live.dns), folder))
        if self._live.slow_dns_s or self._live.others:
            behaviour = _behaviour(self._live)
            with in_namespace(client):
                server = NameServer(behaviour, self.hosts.client4, 53)
            self._dns.callback(server.close)

    def _losses_of(self, name: str) -> list[str]:
        if self.scene.groups[name].role is not Role.INNOCENT:
            return []
        return [f"{name}: {text}" for text in self._at_work[name].losses()]

    def _serve(self, port: int) -> None:
        self._servers[port] = serve(
            *(self.hosts.server, port),
            backlog=self._live.backlog,
            closes=self._live.serve[port] == "closes",
        )

    def _close(self) -> None:
        closing: list[Player | Held] = [*self._at_work.values(), *self._servers.values()]
        for one in closing:
            one.close()
        self._dns.close()
        self._stack.close()

    def _lay_routes(self) -> None:
        """Route whoever is from elsewhere through the client, which owns or drops them."""
        hosts = self.hosts
        real = {text for one in self.scene.groups.values() for text in one.of if _is_real(one)}
        for text in {text for one in self.scene.groups.values() for text in one.of}:
            if text.startswith(_KNOWN):
                continue
            gateway = hosts.client6 if ":" in text else hosts.client4
            ip("-n", hosts.server, "route", "replace", text, "via", gateway)
            owned = ("local", text, "dev", "lo") if text in real else ("blackhole", text)
            ip("-n", hosts.client, "route", "replace", *owned)

    def _hold(self, group: Group) -> Player:
        held = tuple(
            connect(self.hosts.client, sources, (to, group.port), each=group.each)
            for sources, to in self._sides(group)
        )
        return Holding(len(group.addresses) * group.each, held)

    def _visit(self, group: Group) -> Player:
        asks = group.does is Does.BROWSE
        return Visiting(
            tuple(
                visit(self.hosts.client, sources, (to, group.port), asks=asks)
                for sources, to in self._sides(group)
            )
        )

    def _forge(self, group: Group) -> Player:
        ((_, to),) = self._sides(group)
        return Forger(self.hosts.client, group, to)

    def _dial(self, group: Group) -> Player:
        """Have the server connect to them, where somebody listens."""
        self._stack.enter_context(serve(self.hosts.client, group.port))
        held = tuple(
            connect(self.hosts.server, [own], (source, group.port), each=group.each)
            for sources, own in self._sides(group)
            for source in sources
        )
        return Holding(len(group.addresses) * group.each, held)

    def _run(self, group: Group) -> Player:
        """Run a tool, by an address of the server's own that only the group's source uses."""
        (source,) = map(str, group.addresses)
        number, hosts = next(self._tools), self.hosts
        to = f"10.99.1.{number}"
        ip("-n", hosts.server, "addr", "add", f"{to}/32", "dev", hosts.server_link)
        route = ("-n", hosts.client, "route", "add", to, "via", hosts.server4)
        if source.startswith(_SILENT):
            ip(*route)
        else:
            ip("-n", hosts.client, "addr", "add", f"{source}/32", "dev", "lo")
            ip(*route, "src", source)
        words = group.run.format(to=to, port=group.port).split()
        return Tool(started(hosts.client, words, self.folder / f"tool{number}"))

    def _sides(self, group: Group) -> Iterator[tuple[Sequence[str], str]]:
        """Give the sources of each family, with the server's address."""
        for version, to in ((4, self.hosts.server4), (6, self.hosts.server6)):
            sources = [str(one) for one in group.addresses if one.version == version]
            if sources:
                yield sources, to


_ZONES = tuple(f"local=/{name}/" for name in ("in-addr.arpa", "ip6.arpa", "com", "net", "example"))
"""What nobody has told the name server of below these is not there."""

_SILENT = "198.19."
_KNOWN = ("198.18.", "198.19.", "2001:db8:18:", "2001:db8:19:")
"""How the ranges begin that every client owns, or keeps silent about."""

_BEGIN: dict[Does, Callable[[Players, Group], Player]] = {
    Does.HOLD: Players._hold,  # noqa: SLF001 - a table of its own methods
    Does.VISIT: Players._visit,  # noqa: SLF001 - ditto
    Does.BROWSE: Players._visit,  # noqa: SLF001 - ditto
    Does.SYN: Players._forge,  # noqa: SLF001 - ditto
    Does.DIAL: Players._dial,  # noqa: SLF001 - ditto
    Does.RUN: Players._run,  # noqa: SLF001 - ditto
}


def _behaviour(live: Live) -> Behaviour:
    """Give how a name server of our own answers."""
    if live.slow_dns_s:
        return slow(answers({}), live.slow_dns_s)
    zone: dict[tuple[str, str], list[str]] = {}
    for address, name in live.names.items():
        zone[ip_address(address).reverse_pointer, "PTR"] = [f"{name}."]
        zone[name, "A"] = [address]
    return first_of(zone, {"silent": dead, "lies": lying}[live.others])


def _is_real(group: Group) -> bool:
    return group.does is not Does.SYN
