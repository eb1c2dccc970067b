"""What others break, the next cycles mend; what others do elsewhere is none of our business."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.live.agents import LiveAgent, live
from tests.live.foreign import by_hand, reaching, shell, tool
from tests.range import Hosts, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
services:
  web: {ports: [80]}
rules:
  - {name: web, service: web, count: connections, above: 20}
"""
WEB, HOST = "198.18.0.9", "2001:db8:18:109::9"
BANS = {WEB: ("--scope", "service"), HOST: ("--scope", "host")}
FOREIGN = ("203.0.113.5", "203.0.113.6")
"""In our set without our comment; the second one without an end, where a set takes that."""
MENDING = ("firewall.healed", "ban.restored", "ban.lifted")
CYCLES_AT_MOST = 200
AT_ONCE = 2
"""Cycles, of which the first may have begun before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What somebody does, and what of ours is gone by it.

    Attributes:
        commands: The words of each; ``{iptables}`` and ``{ip6tables}`` are the variant's.
        missing: Some names that are told; all of the others may be as well.
        loses_bans: Whether bans are lost with them.
    """

    commands: tuple[str, ...]
    missing: frozenset[str]
    loses_bans: bool = False


def both(*words: str) -> tuple[str, ...]:
    """Give the commands for both families."""
    return tuple(f"{{{name}}} {each}" for each in words for name in ("iptables", "ip6tables"))


TABLE = frozenset({"inet abuse_agent"})
NFT = (
    Harm(commands=("nft flush ruleset",), missing=TABLE, loses_bans=True),
    Harm(commands=("nft delete table inet abuse_agent",), missing=TABLE, loses_bans=True),
    Harm(commands=("nft flush chain inet abuse_agent input",), missing=frozenset({"input"})),
    Harm(
        commands=("nft insert rule inet abuse_agent services4 accept",),
        missing=frozenset({"services4"}),
    ),
    Harm(
        commands=("nft add table inet abuse_agent { flags dormant; }",),
        missing=TABLE,
    ),
)
CHAINS = frozenset({"mangle chain abuse-agent", "mangle INPUT", "mangle FORWARD (IPv6)"})
IPTABLES = (
    Harm(commands=both("-t mangle -F", "-t mangle -X"), missing=CHAINS),
    Harm(
        commands=both("-t raw -F"), missing=frozenset({"raw PREROUTING", "raw chain abuse-agent"})
    ),
    Harm(
        commands=("{iptables} -t mangle -D INPUT -j abuse-agent",),
        missing=frozenset({"mangle INPUT"}),
    ),
    Harm(
        commands=("{iptables} -t mangle -I abuse-agent -j ACCEPT",),
        missing=frozenset({"mangle chain abuse-agent"}),
    ),
    Harm(
        commands=(*both("-t mangle -F", "-t mangle -X", "-t raw -F", "-t raw -X"), "ipset destroy"),
        missing=CHAINS | {"aa4-web", "aa6-host", "aa4-allow"},
        loses_bans=True,
    ),
)
UNRELATED = {
    "nftables": (
        "nft add table inet theirs",
        "nft add chain inet theirs c",
        "nft delete table inet theirs",
    ),
    "iptables": (
        *both("-A INPUT -j ACCEPT", "-t mangle -A PREROUTING -j ACCEPT"),
        "ipset create theirs hash:ip",
        "ipset destroy theirs",
    ),
}


@contextmanager
def asleep(agent: LiveAgent) -> Iterator[None]:
    """Keep the agent from running meanwhile, so that it finds everything at once."""
    os.kill(agent.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(agent.process.pid, signal.SIGCONT)


def run(server: str, firewall: str, command: str) -> None:
    """Run a command of somebody else's."""
    if firewall != "nftables":
        command = command.format(iptables=tool(firewall, 4), ip6tables=tool(firewall, 6))
    shell(server, *command.split())


def cycles_since(agent: LiveAgent, start: datetime) -> int:
    """How many cycles have told something since."""
    return len(
        {
            one["cycle"]
            for one in agent.told
            if one["cycle"] and datetime.fromisoformat(one["timestamp"]) >= start
        }
    )


def restored(agent: LiveAgent) -> None:
    """Wait until both bans are told as restored, none twice."""
    assert {agent.wait_for("ban.restored")["source"] for _ in BANS} == {*BANS}


def harm_elements(server: str, firewall: str) -> None:
    """Empty our sets, and put in what is not ours."""
    quiet, endless = FOREIGN
    if firewall == "nftables":
        target = "inet abuse_agent service-web-hosts4"
        text = (
            f"flush set {target}\nflush set inet abuse_agent host-hosts6\n"
            f"add element {target} {{ {quiet} timeout 1h, {endless} timeout 0s }}\n"
        )
        shell(server, "nft", "-f", "-", text=text)
        return
    text = f"flush\nadd aa4-web {quiet} timeout 3600\nadd aa4-web {endless} timeout 0\n"
    shell(server, "ipset", "restore", text=text)


def test_what_others_break_is_mended_at_once_and_nothing_else_is_touched(
    hosts: Hosts, firewall: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    server = hosts.server
    with (
        serve(server, 80),
        live(server, firewall, write_policy(POLICY), folder) as agent,
    ):
        agent.wait_for("cycle.completed")
        for source, words in BANS.items():
            order = ("ban", source, "--for", "10m", *words, "--state-dir", str(folder), "--json")
            by_hand(server, firewall, *order)
            agent.wait_for("ban.applied")

        for harm in NFT if firewall == "nftables" else IPTABLES:
            structure_is_mended(server, firewall, agent, harm)
        assert reaching(hosts, BANS, 80) == {80: set()}
        elements_are_mended(server, firewall, agent)
        assert reaching(hosts, BANS, 80) == {80: set()}
        others_are_left_alone(server, firewall, agent)


def structure_is_mended(server: str, firewall: str, agent: LiveAgent, harm: Harm) -> None:
    with asleep(agent):
        for command in harm.commands:
            run(server, firewall, command)
        start = datetime.now(UTC)
    healed = agent.wait_for("firewall.healed")
    assert harm.missing <= set(healed["missing"]), harm
    assert cycles_since(agent, start) <= AT_ONCE
    if harm.loses_bans:
        restored(agent)
    agent.wait_for("cycle.completed")


def elements_are_mended(server: str, firewall: str, agent: LiveAgent) -> None:
    """Where the last look was a moment ago, the next one waits for its share of the time."""
    before = len(agent.told)
    with asleep(agent):
        harm_elements(server, firewall)
    for _ in range(CYCLES_AT_MOST):
        agent.wait_for("cycle.completed")
        if "firewall.healed" in agent.names()[before:]:
            break
    told = {name: [one for one in agent.told[before:] if one["event"] == name] for name in MENDING}
    (healed,) = told["firewall.healed"]
    assert healed["bans"] == len(BANS)
    assert sorted(one["source"] for one in told["ban.restored"]) == sorted(BANS)
    assert {one["source"]: one["reasons"][0] for one in told["ban.lifted"]} == {
        # nft gives an element without a time the one that our sets say.
        FOREIGN[0]: "foreign",
        FOREIGN[1]: "foreign" if firewall == "nftables" else "permanent",
    }


def others_are_left_alone(server: str, firewall: str, agent: LiveAgent) -> None:
    before = len(agent.told)
    for command in UNRELATED[firewall.partition("-")[0]]:
        run(server, firewall, command)
        agent.wait_for("cycle.completed")
    for _ in range(5):
        agent.wait_for("cycle.completed")
    assert set(agent.names()[before:]) == {"cycle.completed"}
