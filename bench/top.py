"""One look of `abuse-agent top` beside a bare sample, and how long a screen waits meanwhile."""

import argparse
import os
import sys
import tempfile
import threading
import time
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from statistics import median

from agent.desk.top.values import Order, View
from agent.desk.top.watch import Watch, open_watch
from agent.desk.where import Where
from agent.model.address import Source
from agent.model.ban import Ban
from agent.model.policy import Answer, Scope
from agent.model.sample import State
from agent.observe.choose import read_sample
from agent.record.sqlite.ledger import open_ledger
from agent.service import clock
from bench.rounds import Run, machine, now, ratio, rounds
from bench.sample import TEN_RULES
from bench.sockets import enter_private_namespace, sockets

VIEWS = {
    "look, by sockets": View(),
    "look, by address": View(order=Order.ADDRESS),
    "look, nearest to a limit": View(order=Order.LIMIT),
    "look, one state of one service": View(
        states=frozenset({State.ESTABLISHED}), service="web", order=Order.LIMIT
    ),
}
BANS = 10_000
_TICK_S = 0.001


def place(folder: Path) -> Where:
    """Give where a command looks, with ten rules and nobody's agent."""
    policy = folder / "policy.yaml"
    policy.write_text(TEN_RULES)
    return Where(
        folder=folder / "state",
        paths=(str(policy),),
        firewall=None,
        now=now(),
        stopwatch=clock.stopwatch,
        boot_id=clock.boot_id(),
    )


def fill(where: Where) -> None:
    """Write a ledger with bans in force."""
    ledger = open_ledger(
        where.folder, boot_id=where.boot_id, stopwatch=where.stopwatch, now=where.now
    )
    bans = [_ban(number, where) for number in range(BANS)]
    ledger.intend(bans)
    ledger.settle(bans, ())
    ledger.trouble()


def _ban(number: int, where: Where) -> Ban:
    return Ban(
        ban_id=f"b{number}",
        source=Source.of(ip_address("20.1.0.0") + number),
        answer=Answer.DROP,
        rate=None,
        scope=Scope.HOST,
        service=None,
        rule="manual",
        measure=None,
        count=None,
        limit=None,
        begins=where.now,
        lasts=timedelta(hours=1),
        reasons=("a bench",),
        policy_sha256="",
    )


def look(watch: Watch, view: View) -> None:
    """Look once, at this moment."""
    watch.look(view, now())


def longest_wait_s(run: Run, times: int) -> float:
    """Give how late a thread that sleeps a millisecond at a time wakes at most, meanwhile."""
    waits, is_over = [0.0], threading.Event()

    def tick() -> None:
        while not is_over.is_set():
            begun = time.perf_counter()
            time.sleep(_TICK_S)
            waits.append(time.perf_counter() - begun - _TICK_S)

    beside = threading.Thread(target=tick)
    beside.start()
    for _ in range(times):
        run()
    is_over.set()
    beside.join()
    return max(waits)


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="./dev bench top", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of each (default: 15)")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("bench top needs root, for a network namespace of its own")
    enter_private_namespace()
    print(machine())
    with tempfile.TemporaryDirectory() as name, sockets(100_000, 10_000):
        where = place(Path(name))
        fill(where)
        watch = open_watch(where)
        runs: dict[str, Run] = {"sampling": lambda: read_sample(now())}
        for what, view in VIEWS.items():
            runs[what] = partial(look, watch, view)
        taken = rounds(runs, options.rounds)
        print(f"\n100,000 sockets of 10,000 sources, {BANS:,} bans in force\n")
        print("| what | seconds | processor | x sampling | longest wait beside it |")
        print("| --- | --- | --- | --- | --- |")
        base = [one[0] for one in taken["sampling"]]
        for what, each in taken.items():
            wall, processor = (median(one[at] for one in each) for at in (0, 1))
            times = ratio((one[0] for one in each), base)
            wait = longest_wait_s(runs[what], 5)
            print(f"| {what} | {wall:.3f} | {processor:.3f} | {times:.2f} | {wait * 1e3:.0f} ms |")


if __name__ == "__main__":
    main()
