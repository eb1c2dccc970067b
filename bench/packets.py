"""What an innocent's packets pay for 100,000 bans in force, and for a rule for each address."""

import argparse
import gc
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from agent.decide import layout_of
from agent.model.plan import Plan
from agent.model.policy import Policy
from agent.policy import load_policy
from bench.bans import KINDS, bans, open_firewall
from bench.cable import Cable, cable
from bench.rooms import inside, room
from bench.rounds import load, machine, now, ratio
from bench.sample import TEN_RULES

BANS = 100_000
TARGET = 0.97
RULES = (1_000, 5_000, 20_000)
"""Of ``iptables -A INPUT -s ADDRESS -j DROP``."""

_NONE = "no firewall"


@dataclass(frozen=True, slots=True)
class Server:
    """A namespace behind a cable, with what it is protected by."""

    name: str
    where: int
    cable: Cable


def protect(name: str, policy: Policy) -> None:
    """Put a firewall into this namespace: one of ours, or so many rules."""
    if name in KINDS:
        firewall = open_firewall(name)
        firewall.prepare(layout_of(policy))
        firewall.apply(Plan(add=bans(BANS, now())), now())
        if len(firewall.installed(now()).bans) != BANS:
            raise RuntimeError(f"{name} does not hold {BANS} bans")
    elif name != _NONE:
        rules = "".join(_rules(int(name.partition(" ")[0].replace(",", ""))))
        subprocess.run(["iptables-restore"], input=rules, text=True, check=True)


def _rules(count: int) -> Iterator[str]:
    first = int(ip_address("50.0.0.1"))
    yield "*filter\n:INPUT ACCEPT [0:0]\n"
    for number in range(count):
        yield f"-A INPUT -s {ip_address(first + number)} -j DROP\n"
    yield "COMMIT\n"


def compare(servers: Sequence[Server], times: int, *, is_offloaded: bool) -> str:
    """Load the cables in turn, again and again."""
    for one in servers:
        one.cable.set_offload(one.where, is_on=is_offloaded)
    flows: dict[str, list[float]] = {one.name: [] for one in servers}
    opened: dict[str, list[float]] = {one.name: [] for one in servers}
    for number in range(times + 1):
        for one in servers:
            flow, new = one.cable.throughput(), one.cable.connections()
            if number:  # the first round warms up
                flows[one.name].append(flow)
                opened[one.name].append(new)
    pieces = "64 KB at a time" if is_offloaded else "packets of 1,500 bytes"
    lines = [f"\nOne TCP flow in {pieces} ({load()})\n"]
    lines += ["| behind | Gbit/s | share | target | connections/s | share |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_row(one.name, flows, opened) for one in servers)])


def _row(name: str, flows: dict[str, list[float]], opened: dict[str, list[float]]) -> str:
    share, new = (ratio(each[name], each[_NONE]) for each in (flows, opened))
    target = f"at least {TARGET:.0%}" if name in KINDS else ""
    if target and share < TARGET:
        target += ", missed"
    told = f"{name}, {BANS:,} bans" if name in KINDS else name
    flow, rate = median(flows[name]), median(opened[name])
    return f"| {told} | {flow:.2f} | {share:.1%} | {target} | {rate:,.0f} | {new:.1%} |"


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="./dev bench packets", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="of each (default: 9)")
    parser.add_argument("--quick", action="store_true", help="3 rounds, small packets only")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("bench packets needs root, for network namespaces of its own")
    gc.disable()
    print(machine())
    with ExitStack() as closing:
        path = Path(closing.enter_context(TemporaryDirectory())) / "policy.yaml"
        path.write_text(TEN_RULES)
        policy = load_policy([str(path)])
        closing.enter_context(inside(closing.enter_context(room())))
        servers = []
        for number, name in enumerate((_NONE, *KINDS, *(f"{one:,} rules" for one in RULES)), 1):
            where = closing.enter_context(room())
            with inside(where):
                protect(name, policy)
            servers.append(Server(name, where, closing.enter_context(cable(number, where))))
        print(compare(servers, 3 if options.quick else options.rounds, is_offloaded=False))
        if not options.quick:
            print(compare(servers, options.rounds, is_offloaded=True))


if __name__ == "__main__":
    main()
