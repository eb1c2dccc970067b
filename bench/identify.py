"""What asking for names costs a cycle: with DNS that is good, dead, slow, lying and endless."""

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from ipaddress import IPv4Address
from itertools import islice
from pathlib import Path
from statistics import median

from agent.act.dry_run import DryRun
from agent.identify.inquirer import Inquirer
from agent.identify.interface import Identifier, Nobody
from agent.loop import Loop
from agent.model.address import Address, Prefix
from agent.model.inputs import Identities
from agent.model.learned import Verified
from agent.model.policy import Policy
from agent.observe.counters import read_counters
from agent.observe.lookout import Lookout
from agent.observe.sock_diag import SockDiag
from agent.policy import load_policy
from agent.ports import Ports
from agent.record.audit import Audit
from agent.record.ledger import MemoryLedger
from agent.service import clock
from bench.name_servers import SLOW_S, dead, endless, full, good, lying, serving
from bench.rounds import load, machine, now
from bench.sockets import enter_private_namespace, sockets

TARGET_MS = 10.0
LOADS = ((10_000, 1_200), (100_000, 12_000))
"""Sockets and sources."""

EVERY_S = 0.2
ASKED_A_CYCLE = 500
"""New addresses that a cycle asks for, beside what the policy asks: a crowd that goes on."""

RULES = """\
version: 1
every: 200ms
services:
  web: {ports: [80, 443]}
rules:
  - {name: web, service: web, count: connections, above: 100}
  - {name: web-long, service: web, count: connections, above: 200, ban: 1h}
"""
NAMES = """\
allowlist:
  - {name: google, kind: crawler, names: [googlebot.com], grants: 5x}
  - {name: bing, kind: crawler, names: [search.msn.com], grants: 5x}
"""
SERVERS = {
    "good": partial(serving, good),
    "dead": partial(serving, dead),
    f"slow ({SLOW_S} s)": partial(serving, good, SLOW_S),
    "lying": partial(serving, lying),
    "endless": partial(serving, endless),
    "answers as dear as can be": partial(serving, full),
}


@dataclass(slots=True)
class Crowded:
    """An identifier that is asked for a crowd of new addresses in each cycle."""

    inquirer: Inquirer
    crowd: Iterator[Address] = field(
        default_factory=lambda: (IPv4Address(number) for number in range(0x0B000000, 0x7F000000))
    )

    def look(self, policy: Policy, at: datetime) -> Identities:
        """Look."""
        return self.inquirer.look(policy, at)

    def ask(self, addresses: Sequence[Address], at: datetime) -> None:
        """Ask for more."""
        self.inquirer.ask((*addresses, *islice(self.crowd, ASKED_A_CYCLE)), at)

    def verified(self) -> Mapping[Address, Verified]:
        """Give them."""
        return self.inquirer.verified()

    def hosts(self) -> Mapping[str, frozenset[Prefix]]:
        """Give them."""
        return self.inquirer.hosts()

    def trouble(self) -> str | None:
        """Tell of it."""
        return self.inquirer.trouble()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all cases share.

    Attributes:
        folder: For files.
        log: Takes the events.
        cycles: In each round of a case.
    """

    folder: Path
    log: Audit
    cycles: int

    def run(self, rules: str, identify: Identifier) -> list[float]:
        """Run cycles as the service does, and give their milliseconds without the first two."""
        path = self.folder / "policy.yaml"
        path.write_text(rules)
        ports = Ports(
            sockets=SockDiag(),
            counters=read_counters,
            surroundings=Lookout(clock.stopwatch),
            firewall=DryRun(),
            ledger=MemoryLedger(),
            write=self.log.write,
            stopwatch=clock.stopwatch,
            identify=identify,
        )
        loop, taken = Loop(ports, load_policy([str(path)])), []
        for _ in range(self.cycles + 2):
            start = time.perf_counter()
            loop.cycle(now())
            took = time.perf_counter() - start
            taken.append(took * 1000)
            time.sleep(max(0.0, EVERY_S - took))
        return taken[2:]

    @contextmanager
    def asking(self) -> Iterator[Crowded]:
        """Make an identifier that asks the name server of this namespace."""
        path = self.folder / "resolv.conf"
        path.write_text("nameserver 127.0.0.1\n")
        inquirer = Inquirer(clock.stopwatch, resolv_conf=path)
        try:
            yield Crowded(inquirer)
        finally:
            inquirer.close()


def measure(bench: Bench, rounds: int) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Run all cases in turn, again and again; give each cycle's time, and who was answered."""
    taken: dict[str, list[float]] = {name: [] for name in ("no names", *SERVERS)}
    answered: dict[str, int] = {}
    for _ in range(rounds):
        taken["no names"] += bench.run(RULES, Nobody())
        for name, server in SERVERS.items():
            with server(), bench.asking() as crowded:
                taken[name] += bench.run(RULES + NAMES, crowded)
                seen = crowded.inquirer._post.published  # noqa: SLF001
                answered[name] = len(seen[1].answered) if seen else 0
    return taken, answered


def table(title: str, taken: Mapping[str, list[float]], answered: Mapping[str, int]) -> str:
    """Write medians and worst cycles, and what they are above those without names."""
    base = sorted(taken["no names"])
    lines = [f"\n{title} ({load()})\n"]
    lines.append(
        "| DNS | median, ms | more, ms | 95 %, ms | more, ms | worst, ms | more, ms | answered |"
    )
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, each in taken.items():
        some = sorted(each)
        figures = (
            (median(some), median(base)),
            (some[len(some) * 95 // 100], base[len(base) * 95 // 100]),
            (some[-1], base[-1]),
        )
        cells = " | ".join(f"{mine:.1f} | {mine - other:+.1f}" for mine, other in figures)
        lines.append(f"| {name} | {cells} | {answered.get(name, '')} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="./dev bench identify", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="of each case (default: 4)")
    parser.add_argument("--cycles", type=int, default=25, help="in each (default: 25)")
    parser.add_argument("--quick", action="store_true", help="only the smaller load")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("bench identify needs root, for a network namespace of its own")
    gc.disable()  # as the service does
    enter_private_namespace()
    print(machine())
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        log = Audit(closing.enter_context((folder / "log").open("w")), "dry-run")
        bench = Bench(folder=folder, log=log, cycles=options.cycles)
        for count, sources in LOADS[: 1 if options.quick else 2]:
            with sockets(count, sources):
                title = f"{count:,} sockets of {sources:,} sources"
                print(table(title, *measure(bench, options.rounds)))
    print(f"\nTarget: no cycle is delayed by {TARGET_MS:.0f} ms.")


if __name__ == "__main__":
    main()
