"""Sampling and a whole dry cycle beside the bare kernel dump, psutil, ss and netstat."""

import argparse
import gc
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from agent.act.dry_run import DryRun
from agent.loop import Loop
from agent.observe.counters import read_counters
from agent.observe.inet_diag import REQUEST
from agent.observe.listeners import read_listeners
from agent.observe.lookout import Lookout
from agent.observe.psutil_table import PsutilTable
from agent.observe.sock_diag import SockDiag
from agent.observe.sysctls import Settings
from agent.policy import load_policy
from agent.ports import Ports
from agent.record.audit import Audit
from agent.record.ledger import MemoryLedger
from agent.service import clock
from bench.rounds import Run, machine, now, peak_mb, rounds
from bench.sockets import enter_private_namespace, sockets

TARGETS = {"sampling": 1.3, "cycle": 1.5}
PEAK_MB = 48
TEN_RULES = """\
version: 1
every: 200ms
services:
  web: {ports: [80, 443]}
  ssh: {ports: [22]}
rules:
  - {name: web, service: web, count: connections, above: 100}
  - {name: web-long, service: web, count: connections, above: 200, ban: 1h}
  - {name: web-time-wait, service: web, count: connections, states: [TIME_WAIT], above: 500}
  - {name: web-close-wait, service: web, count: connections, states: [CLOSE_WAIT], above: 50}
  - {name: web-fin, service: web, count: connections, states: [FIN_WAIT1, FIN_WAIT2], above: 50}
  - {name: web-crowd, service: web, count: connections, above: 20000, per: {ipv4: 24, ipv6: 48}}
  - {name: web-half-open, service: web, count: half_open, above: 64, throttle: 1/s}
  - {name: ssh, service: ssh, count: connections, above: 20}
  - {name: ssh-half-open, service: ssh, count: half_open, above: 20, throttle: 1/s}
  - {name: web-shadow, service: web, count: connections, above: 50, mode: observe}
"""
UNDER_ATTACK = """\
version: 1
every: 200ms
services:
  web: {ports: [80, 443]}
rules:
  - {name: web, service: web, count: connections, above: 5, sustained: 1 of 1}
  - {name: web-long, service: web, count: connections, above: 7, sustained: 1 of 1, ban: 1h}
  - {name: web-crowd, service: web, count: connections, above: 500, per: {ipv4: 24, ipv6: 48}}
"""
"""Every source is above two limits, every /24 above one."""

_SS = "ss -tnH state established | mawk '{++S[$4]} END {for (a in S) print a, S[a]}'"
_NETSTAT = "netstat -n | mawk '/^tcp/ {++S[$NF]} END {for (a in S) print a, S[a]}'"
_DONE = b"\x03\x00"


def floor() -> None:
    """One walk over the table, received and thrown away: what no program can do without."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as link:
        link.sendto(REQUEST, (0, 0))
        buffer = bytearray(65_536)
        while True:
            size = link.recv_into(buffer)
            if _DONE in {bytes(buffer[4:6]), bytes(buffer[size - 16 : size - 14])}:
                return


def shell(script: str) -> Run:
    """Give a run of a shell pipeline."""
    return lambda: subprocess.run(["sh", "-c", script], check=True, stdout=subprocess.DEVNULL)


def cycle(policy: Path, log: Path, closing: ExitStack) -> Run:
    """Give a run of a whole dry cycle, as the service runs it, with the log in a file."""
    audit = Audit(closing.enter_context(log.open("w")), "dry-run")
    ports = Ports(
        sockets=SockDiag(),
        counters=read_counters,
        surroundings=Lookout(clock.stopwatch),
        listeners=read_listeners,
        sysctls=Settings(clock.stopwatch),
        firewall=DryRun(),
        ledger=MemoryLedger(),
        write=audit.write,
        stopwatch=clock.stopwatch,
    )
    loop = Loop(ports, load_policy([str(policy)]))
    return lambda: loop.cycle(now())


def table(
    title: str, taken: dict[str, list[tuple[float, float]]], targets: Mapping[str, float]
) -> str:
    """Write medians, and the median of the ratios to the floor taken round by round."""
    lines = [f"\n{title}\n", "| what | seconds | processor | x floor | target |"]
    lines.append("| --- | --- | --- | --- | --- |")
    floors = taken["floor"]
    for name, each in taken.items():
        ratio = median(mine[0] / base[0] for mine, base in zip(each, floors, strict=True))
        wall, processor = (median(one[at] for one in each) for at in (0, 1))
        target = f"at most {targets[name]}" if name in targets else ""
        if name in targets and ratio > targets[name]:
            target += f", missed (load {os.getloadavg()[0]:.1f})"
        lines.append(f"| {name} | {wall:.3f} | {processor:.3f} | {ratio:.2f} | {target} |")
    return "\n".join(lines)


def peak_of(policy: Path, seconds: float) -> float:
    """Give the peak RSS of the agent itself, dry-running at five cycles a second."""
    command = Path(sys.executable).with_name("abuse-agent")
    process = subprocess.Popen(
        [command, "--dry-run", "--policy", policy], stdout=subprocess.DEVNULL
    )
    try:
        time.sleep(seconds)
        return peak_mb(process.pid)
    finally:
        process.terminate()
        process.wait()


def compare(options: argparse.Namespace, folder: Path, closing: ExitStack) -> None:
    """Measure load after load in this namespace, and print as it comes."""
    policy = folder / "policy.yaml"
    policy.write_text(TEN_RULES)
    reader, beside = SockDiag(), PsutilTable()
    ours: dict[str, Run] = {
        "floor": floor,
        "sampling": lambda: reader.read(now()),
        "cycle": cycle(policy, folder / "log", closing),
    }
    others: dict[str, Run] = {
        "floor": floor,
        "ss, awk": shell(_SS),
        "netstat, awk": shell(_NETSTAT),
        "psutil": lambda: beside.read(now()),
    }
    with sockets(100_000, 12_000):
        print(table("100,000 sockets of 12,000 sources", rounds(ours, options.rounds), TARGETS))
        peak = peak_of(policy, 5)
        print(f"\nPeak RSS of the agent there: {peak:.1f} MB, target at most {PEAK_MB}.")
        if options.quick:
            return
        print(table("The same, as operators count today", rounds(others, 3), {}))
        attacked = folder / "attacked.yaml"
        attacked.write_text(UNDER_ATTACK)
        harm: dict[str, Run] = {
            "floor": floor,
            "cycle": cycle(attacked, folder / "log", closing),
        }
        print(table("The same with all sources above two limits", rounds(harm, 5), {}))
        print(f"\nPeak RSS of the agent there: {peak_of(attacked, 10):.1f} MB.")
    for count, sources in ((100_000, 100_000), (50_000, 6_000), (10_000, 1_200)):
        with sockets(count, sources):
            title = f"{count:,} sockets of {sources:,} sources"
            print(table(title, rounds(ours, options.rounds), {}))


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="./dev bench sample", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of each (default: 15)")
    parser.add_argument("--quick", action="store_true", help="only the load with a target")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("bench sample needs root, for a network namespace of its own")
    gc.disable()  # as the service does
    enter_private_namespace()
    print(machine())
    with ExitStack() as closing:
        compare(options, Path(closing.enter_context(tempfile.TemporaryDirectory())), closing)


if __name__ == "__main__":
    main()
