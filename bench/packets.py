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
class Load:
    """How the cables are loaded.

    Attributes:
        title: Of its table.
        is_offloaded: Whether large pieces pass; with packets the firewall is asked for each.
        at_most: Bits a second, as iperf3 writes it; 0 for all that the processor can do.
    """

    title: str
    is_offloaded: bool
    at_most: str = "0"


SMALL = Load("As many packets of 1,500 bytes as a core can do", is_offloaded=False)
LARGE = Load("The same in pieces of 64 KB, as a card with GRO hands them on", is_offloaded=True)
PACED = Load("1 Gbit/s in packets of 1,500 bytes", is_offloaded=False, at_most="1G")
_BITS = 1500 * 8
"""Of a packet; by Gbit/s it gives nanoseconds."""


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


def compare(servers: Sequence[Server], times: int, load_by: Load) -> str:
    """Load the cables in turn, again and again."""
    for one in servers:
        one.cable.set_offload(one.where, is_on=load_by.is_offloaded)
    flows: dict[str, list[float]] = {one.name: [] for one in servers}
    opened: dict[str, list[float]] = {one.name: [] for one in servers}
    for number in range(times + 1):
        for one in servers:
            flow, new = one.cable.throughput(load_by.at_most), one.cable.connections()
            if number:  # the first round warms up
                flows[one.name].append(flow)
                opened[one.name].append(new)
    lines = [f"\n{load_by.title} ({load()})\n"]
    lines += ["| behind | Gbit/s | share | target | more for a packet | connections/s | share |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_row(one.name, flows, opened, load_by) for one in servers)])


def _row(
    name: str, flows: dict[str, list[float]], opened: dict[str, list[float]], load_by: Load
) -> str:
    share, new = (ratio(each[name], each[_NONE]) for each in (flows, opened))
    target = f"at least {TARGET:.0%}" if name in KINDS else ""
    if target and share < TARGET:
        target += ", missed"
    told = f"{name}, {BANS:,} bans" if name in KINDS else name
    flow, rate = median(flows[name]), median(opened[name])
    pairs = zip(flows[name], flows[_NONE], strict=True)
    more = median(_BITS / mine - _BITS / bare for mine, bare in pairs)
    more_told = f"{more:,.0f} ns" if load_by == SMALL else ""
    cells = (told, f"{flow:.2f}", f"{share:.1%}", target, more_told, f"{rate:,.0f}", f"{new:.0%}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="./dev bench packets", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each (default: 7)")
    parser.add_argument("--quick", action="store_true", help="2 rounds")
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
        for load_by in (SMALL, LARGE, PACED):
            print(compare(servers, 2 if options.quick else options.rounds, load_by), flush=True)


if __name__ == "__main__":
    main()
