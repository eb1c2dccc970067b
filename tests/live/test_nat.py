"""Bans behind NAT: ports that are translated on the server, and containers behind it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.live.agents import live
from tests.live.foreign import by_hand, reaching, shell, tool
from tests.range import Hosts, connect, eventually, ip, namespace, serve
from tests.range.hosts import set_sysctl, wait_for_link, wire

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, ban: 1m}
services:
  web: {ports: [8080]}
  shop: {ports: [8081]}
  box: {ports: [9000]}
rules:
  - {name: web, service: web, count: connections, above: 20}
  - {name: shop, service: shop, count: connections, above: 20, scope: host}
"""
WEB = ("198.18.0.9", "2001:db8:18:9::9")
SHOP = ("198.18.1.9", "2001:db8:18:109::9")
BOXED = ("198.18.2.9", "2001:db8:18:209::9")
HOSTILE = ("198.18.3.9", "2001:db8:18:309::9")
BYSTANDERS = ("198.18.200.1", "2001:db8:18:c8::1")
EVERYBODY = {*WEB, *SHOP, *BOXED, *HOSTILE, *BYSTANDERS}

REDIRECTED = {80: 8080, 81: 8081}
"""On the server."""

FORWARDED, BOX_PORT = 82, 9000
BOX4, BOX6 = "10.88.0.2", "fd00:88::2"


def translate(server: str, firewall: str) -> None:
    """Translate ports with the same kind of rules as the firewall under test has."""
    if firewall == "nftables":
        lines = [f"tcp dport {at} redirect to :{to}" for at, to in REDIRECTED.items()]
        lines += [
            f"meta nfproto ipv4 tcp dport {FORWARDED} dnat ip to {BOX4}:{BOX_PORT}",
            f"meta nfproto ipv6 tcp dport {FORWARDED} dnat ip6 to [{BOX6}]:{BOX_PORT}",
        ]
        head = "type nat hook prerouting priority dstnat;"
        text = "\n".join(lines)
        shell(
            server,
            "nft",
            "-f",
            "-",
            text=f"table inet nat {{ chain before {{ {head}\n{text}\n}}\n}}\n",
        )
        return
    for version, box in ((4, BOX4), (6, f"[{BOX6}]")):
        rule = (tool(firewall, version), "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport")
        for at, to in REDIRECTED.items():
            shell(server, *rule, f"{at}", "-j", "REDIRECT", "--to-ports", f"{to}")
        shell(server, *rule, f"{FORWARDED}", "-j", "DNAT", "--to-destination", f"{box}:{BOX_PORT}")


@contextmanager
def container(hosts: Hosts) -> Iterator[str]:
    """Make a namespace behind the server, and give its name."""
    with namespace() as box:
        wire(hosts.server, "box0", box, "box1")
        for where, link, end in ((hosts.server, "box0", 1), (box, "box1", 2)):
            ip("-n", where, "addr", "add", f"10.88.0.{end}/24", "dev", link)
            ip("-n", where, "addr", "add", f"fd00:88::{end}/64", "dev", link, "nodad")
            wait_for_link(where, link)
        ip("-n", box, "route", "add", "default", "via", "10.88.0.1")
        ip("-n", box, "-6", "route", "add", "default", "via", "fd00:88::1")
        set_sysctl(hosts.server, "ipv4/ip_forward", "1")
        set_sysctl(hosts.server, "ipv6/conf/all/forwarding", "1")
        yield box


def test_bans_hold_behind_redirect_and_into_a_container(
    hosts: Hosts, firewall: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    with ExitStack() as stack:
        box = stack.enter_context(container(hosts))
        translate(hosts.server, firewall)
        servers = {
            port: stack.enter_context(serve(hosts.server, port)) for port in (22, 8080, 8081, 99)
        }
        stack.enter_context(serve(box, BOX_PORT))
        assert reaching(hosts, BYSTANDERS, FORWARDED) == {FORWARDED: {*BYSTANDERS}}
        for port, sources in ((80, WEB), (81, SHOP)):
            for one in sources:
                to = (hosts.server6 if ":" in one else hosts.server4, port)
                stack.enter_context(connect(hosts.client, [one], to, each=21))
        agent = stack.enter_context(live(hosts.server, firewall, policy, folder))
        for _ in (*WEB, *SHOP):
            agent.wait_for("ban.applied")

        # The sockets that the redirected connections ended in are gone as well.
        assert eventually(lambda: not any(servers[p].still_open() for p in (8080, 8081)))
        for source in BOXED:
            words = ("--scope", "service", "--service", "box")
            ban(hosts, firewall, folder, source, *words)
        for source in HOSTILE:
            ban(hosts, firewall, folder, source, "--scope", "host")
        assert reaching(hosts, EVERYBODY, 80, 81, 82, 99, 22) == {
            80: EVERYBODY - {*WEB, *SHOP, *HOSTILE},
            81: EVERYBODY - {*SHOP, *HOSTILE},
            82: EVERYBODY - {*SHOP, *HOSTILE, *BOXED},
            99: EVERYBODY - {*SHOP, *HOSTILE},
            22: EVERYBODY,
        }


def ban(hosts: Hosts, firewall: str, folder: Path, source: str, *words: str) -> None:
    order = ("ban", source, "--for", "30s", *words, "--state-dir", str(folder), "--json")
    told = by_hand(hosts.server, firewall, *order)
    assert [one["event"] for one in told] == ["ban.applied"]
