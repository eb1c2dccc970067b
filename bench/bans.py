"""Many bans at once, and the same elements as bare scripts of ipset and nft."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

from agent.act.comment import comment_of
from agent.act.interface import Firewall
from agent.act.ipset.names import set_name
from agent.act.iptables.firewall import Iptables
from agent.act.nftables.firewall import Nftables
from agent.act.nftables.layout import TABLE
from agent.act.nftables.names import kind_of, label_of, name_of
from agent.model.address import Prefix, Source
from agent.model.ban import Ban
from agent.model.layout import Layout
from agent.model.policy import Answer, Scope, Service

WEB = Service(name="web", ports=frozenset({80, 443}))
LASTS = timedelta(hours=6)
KINDS = ("nftables", "iptables", "iptables-legacy")
"""Ours to open by name; `iptables` is whatever variant the command of this machine is."""

_AGENT = """\
import sys
from agent import cli
from agent.act import choose
from bench.bans import open_firewall
name, *sys.argv[1:] = sys.argv[1:]
choose.open_firewall = lambda _choice: open_firewall(name)
cli.entry()
"""


def open_firewall(name: str) -> Firewall:
    """Open a firewall by its name here."""
    if name == "nftables":
        return Nftables()
    return Iptables(suffix=name.removeprefix("iptables"))


def agent(name: str, *options: object) -> list[str]:
    """Give the command of a live agent on a firewall of this name."""
    return [sys.executable, "-c", _AGENT, name, *map(str, options)]


def bans(count: int, begins: datetime, first: int = 0) -> tuple[Ban, ...]:
    """Give bans of web: hosts, every fifth an IPv6 /64, every five-hundredth a /24."""
    return tuple(_ban(number, begins) for number in range(first, first + count))


def _ban(number: int, begins: datetime) -> Ban:
    return Ban(
        ban_id=f"bench{number:011d}",
        source=Source(_prefix(number)),
        answer=Answer.DROP,
        rate=None,
        scope=Scope.SERVICE,
        service=WEB,
        rule="web",
        measure="connections",
        count=101,
        limit=100,
        begins=begins,
        lasts=LASTS,
        reasons=("web: 101 connections, above 100",),
        policy_sha256="0" * 64,
    )


def _prefix(number: int) -> Prefix:
    if number % 500 == 0:
        return IPv4Network((int(ip_address("60.0.0.0")) + (number << 8), 24))
    if number % 5 == 0:
        return IPv6Network((int(ip_address("2a00::")) + (number << 64), 64))
    return IPv4Network((int(ip_address("50.0.0.1")) + number, 32))


def write_bare(name: str, path: Path, some: Sequence[Ban], layout: Layout) -> list[str]:
    """Write a script with the elements of these bans, and give the command that runs it."""
    if name == "nftables":
        path.write_text("".join(_of_nft(some, layout)))
        return ["nft", "-f", str(path)]
    path.write_text("".join(_of_ipset(some, layout)))
    return ["ipset", "restore", "-file", str(path)]


def _of_ipset(some: Sequence[Ban], layout: Layout) -> Iterator[str]:
    timeout = int(LASTS.total_seconds())
    for ban in some:
        if home := layout.set_for(ban):
            where, prefix = set_name(home, ban.source.prefix.version), ban.source.prefix
            yield f'add {where} {prefix} timeout {timeout} comment "{comment_of(ban)}"\n'


def _of_nft(some: Sequence[Ban], layout: Layout) -> Iterator[str]:
    """Write one statement a set, as ``nft list ruleset`` does."""
    timeout, by_set = int(LASTS.total_seconds()), defaultdict(list)
    for ban in some:
        if home := layout.set_for(ban):
            prefix = ban.source.prefix
            kind = kind_of(prefix)
            element = prefix.network_address if kind.length else prefix
            text = f'{element} timeout {timeout}s comment "{comment_of(ban)}"'
            by_set[name_of(label_of(home), kind)].append(text)
    for where, each in by_set.items():
        yield f"add element inet {TABLE} {where} {{ {', '.join(each)} }}\n"
