"""What others do to the same kernel: an operator's own commands, and other programs'."""

import json
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.live.agents import command
from tests.range import Hosts, connect, in_namespace

SUFFIX = {"iptables-legacy": "-legacy", "iptables-nft": "-nft"}
"""Of the commands of each variant, by the firewall's name."""


def shell(namespace: str, *words: str, text: str = "") -> str:
    """Run a command there, with a text to read, and give what it printed."""
    done = attempt(namespace, *words, text=text)
    assert not done.returncode, (words, done.stderr)
    return done.stdout


def attempt(namespace: str, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command there that may fail."""
    with in_namespace(namespace):
        return subprocess.run(
            words, input=text, capture_output=True, text=True, check=False, timeout=30
        )


def tool(firewall: str, version: int, verb: str = "") -> str:
    """Give the name of iptables' command for a family, such as ``ip6tables-nft-save``."""
    return f"{'iptables' if version == 4 else 'ip6tables'}{SUFFIX[firewall]}{verb}"


def by_hand(namespace: str, firewall: str, *arguments: str) -> list[dict[str, object]]:
    """Run a command of the agent's that changes bans, and give what it told."""
    done = command(namespace, firewall, *arguments)
    assert not done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def address(hosts: Hosts, source: str) -> str:
    """The server's address of the source's family."""
    return hosts.server6 if ":" in source else hosts.server4


def reaches(hosts: Hosts, source: str, port: int, *, within_s: float = 5.0) -> bool:
    """Whether one new connection is made in time."""
    with connect(hosts.client, [source], (address(hosts, source), port), within_s=within_s) as one:
        return one.connected == 1


def reaching(hosts: Hosts, sources: Iterable[str], *ports: int) -> dict[int, set[str]]:
    """Who of them gets a connection to each port; who gets none within a second does not.

    A SYN that is lost comes again after a second: nobody's may be lost.
    """
    pairs = [(one, port) for port in ports for one in sources]
    with ThreadPoolExecutor(max_workers=8) as pool:
        told = pool.map(lambda pair: reaches(hosts, *pair, within_s=0.9), pairs)
        reached = {pair for pair, has_reached in zip(pairs, told, strict=True) if has_reached}
    return {port: {one for one, at in reached if at == port} for port in ports}
