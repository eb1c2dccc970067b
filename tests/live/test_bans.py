"""Bans that hold, cut and end: real clients, each firewall, both families, every scope."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.live.agents import LiveAgent, live
from tests.range import Held, Hosts, connect, eventually, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, ban: 3s, escalate: {times: 1, up_to: 3s, within: 1m}}
services:
  web: {ports: [80]}
  shop: {ports: [81]}
  forum: {ports: [82]}
  ssh: {ports: [22]}
allowlist:
  - name: partner
    kind: partner
    prefixes: [198.18.40.200, "2001:db8:18:4000::c8"]
    grants: exempt
rules:
  - {name: web, service: web, count: connections, above: 20}
  - {name: shop, service: shop, count: connections, above: 20, scope: host}
  - name: forum
    service: forum
    count: connections
    above: 20
    members: 8
    per: {ipv4: 24, ipv6: 56}
"""
PORTS = (22, 80, 81, 82, 99)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who connects to a port in such numbers that a rule fires, and what is banned then."""

    port: int
    sources: tuple[str, ...]
    each: int
    banned: str


WEB = (
    Crowd(80, ("198.18.0.9",), 21, "198.18.0.9"),
    Crowd(80, ("2001:db8:18:9::9",), 21, "2001:db8:18:9::/64"),
)
SHOP = (
    Crowd(81, ("198.18.1.9",), 21, "198.18.1.9"),
    Crowd(81, ("2001:db8:18:109::9",), 21, "2001:db8:18:109::/64"),
)
FORUM = (
    Crowd(82, tuple(f"198.18.40.{n}" for n in range(1, 12)), 2, "198.18.40.0/24"),
    Crowd(82, tuple(f"2001:db8:18:40{n:02}::1" for n in range(1, 12)), 2, "2001:db8:18:4000::/56"),
)
CROWDS = (*WEB, *SHOP, *FORUM)
BYSTANDERS = ("198.18.200.1", "2001:db8:18:c8::1")
PARTNERS = ("198.18.40.200", "2001:db8:18:4000::c8")


def address(hosts: Hosts, source: str) -> str:
    """The server's address of the source's family."""
    return hosts.server6 if ":" in source else hosts.server4


def reaches(hosts: Hosts, source: str, port: int, *, within_s: float = 5.0) -> bool:
    """Whether one new connection is made in time."""
    with connect(hosts.client, [source], (address(hosts, source), port), within_s=within_s) as one:
        return one.connected == 1


@dataclass(slots=True)
class Scene:
    """Servers on all ports, everybody connected, and an agent that has banned the crowds."""

    servers: dict[int, Held]
    crowds: dict[Crowd, Held]
    others: dict[int, list[Held]]
    agent: LiveAgent

    def open_at(self, port: int) -> int:
        """How many connections the server's own process holds that are not broken."""
        return self.servers[port].still_open()


@contextmanager
def scene(hosts: Hosts, firewall: str, policy: Path, folder: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        servers = {port: stack.enter_context(serve(hosts.server, port)) for port in PORTS}
        others = {
            port: [
                stack.enter_context(connect(hosts.client, [one], (address(hosts, one), port)))
                for one in (*BYSTANDERS, *PARTNERS)
            ]
            for port in (80, 81, 82)
        }
        crowds = {
            one: stack.enter_context(
                connect(
                    hosts.client,
                    one.sources,
                    (address(hosts, one.sources[0]), one.port),
                    each=one.each,
                )
            )
            for one in CROWDS
        }
        agent = stack.enter_context(live(hosts.server, firewall, policy, folder))
        for _ in CROWDS:
            agent.wait_for("ban.applied")
        yield Scene(servers, crowds, others, agent)


def test_a_ban_holds_cuts_and_ends(
    hosts: Hosts, firewall: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    with scene(hosts, firewall, write_policy(POLICY), folder) as at:
        banned = {event["source"] for event in at.agent.told if event["event"] == "ban.applied"}
        assert banned == {one.banned for one in CROWDS}

        # Cut within the cycle: the server's process sees an error, and so does the client.
        assert eventually(lambda: [at.open_at(port) for port in (80, 81, 82)] == [4, 4, 4])
        assert all(held.still_open() == 0 for held in at.crowds.values())
        # Everybody else notices nothing.
        assert all(held.still_open() == 1 for each in at.others.values() for held in each)
        assert all(reaches(hosts, one, port) for one in BYSTANDERS for port in (80, 81, 82))
        # Nor do other ports of the same source, but for a ban of the host; that leaves ssh open.
        assert all(reaches(hosts, one.sources[0], 99) for one in (*WEB, *FORUM))
        assert all(reaches(hosts, one.sources[0], 22) for one in CROWDS)

        for _ in CROWDS:
            at.agent.wait_for("ban.expired")
        for one in CROWDS:
            assert eventually(partial(reaches, hosts, one.sources[0], one.port))
        at.agent.wait_for("cycle.completed")
        assert at.agent.names().count("ban.applied") == len(CROWDS)


def test_who_is_banned_gets_no_answer_and_exempt_members_lose_no_packet(
    hosts: Hosts, firewall: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    longer = write_policy(POLICY.replace("ban: 3s", "ban: 1m"))
    with scene(hosts, firewall, longer, folder) as at:
        for one in (*CROWDS, *(Crowd(99, shop.sources, 1, "") for shop in SHOP)):
            assert not reaches(hosts, one.sources[0], one.port, within_s=0.3)
        # A SYN that is lost comes again after a second: none is.
        for partner in PARTNERS:
            for _ in range(20):
                assert reaches(hosts, partner, 82, within_s=0.5)
        assert all(held.still_open() == 1 for each in at.others.values() for held in each)


def test_a_ban_ends_though_the_agent_is_dead_and_nobody_is_banned_for_what_was_left(
    hosts: Hosts, firewall: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    with scene(hosts, firewall, policy, folder) as at:
        at.agent.close()

        def all_reach() -> bool:
            return all(reaches(hosts, one.sources[0], one.port, within_s=0.3) for one in CROWDS)

        assert not all_reach()
        assert eventually(all_reach)
        with live(hosts.server, firewall, policy, folder) as again:
            for _ in range(3):
                again.wait_for("cycle.completed")
            assert "ban.applied" not in again.names()
            assert again.names().count("ban.expired") == len(CROWDS)
