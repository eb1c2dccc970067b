"""Banning, restoring and reading back beside bare ipset and nft, and beside fail2ban."""

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from agent.model.policy import Policy
from agent.policy import load_policy
from bench.bans import KINDS
from bench.bulk import Bulk, Taken
from bench.live import measure_cycles, measure_peaks
from bench.rival import ACTIONS, fail2ban, unpack
from bench.rooms import fresh_room
from bench.rounds import load, machine, ratio
from bench.sample import TEN_RULES

TARGET = 1.5
_TOLD = {
    "bare": "bare tool, a file of the same elements",
    "apply": "apply",
    "read back": "read back",
    "restored": "prepare and apply, in a fresh namespace",
    "look": "the whole look after a reboot: prepare, read, reconcile, restore, read back, tell",
    "carry out": "intend, apply, read back, settle, tell",
}


def bulk(name: str, count: int, times: int, policy: Policy, folder: Path) -> str:
    """Measure many bans in one go."""
    with Bulk(name=name, count=count, policy=policy, folder=folder) as bench:
        taken = [bench.round(number) for number in range(times + 1)]
    rows = [*_rows(taken[1:])]
    head = ["| what | seconds | x bare | target |", "| --- | --- | --- | --- |"]
    return "\n".join([f"\n{count:,} bans, {name} ({load()})\n", *head, *rows])


def _rows(taken: list[Taken]) -> Iterator[str]:
    for what, text in _TOLD.items():
        each = [one[what] for one in taken]
        times = ratio(each, [one["bare"] for one in taken])
        target = f"at most {TARGET}" if what == "apply" else ""
        if target and times > TARGET:
            target += ", missed"
        yield f"| {text} | {median(each):.2f} | {times:.2f} | {target} |"


def beside_fail2ban(times: int, policy: Policy, folder: Path) -> str:
    """Ban the same 1,000 with each firewall of ours and with fail2ban's action for it."""
    files = unpack(folder)
    if files is None:
        return "\nfail2ban can't be had here: not measured beside."
    lines = [f"\n1,000 bans, from the decision to reading them back ({load()})\n"]
    lines += ["| who | seconds | x ours | one ban, ms |", "| --- | --- | --- | --- |"]
    for name in ("nftables", "iptables"):
        with Bulk(name=name, count=1000, policy=policy, folder=folder / name) as bench:
            taken = [
                bench.thousand(number) | _theirs(bench, name, files, number)
                for number in range(times)
            ]
        lines += _compared(name, taken)
    return "\n".join(lines)


def _theirs(bench: Bulk, name: str, files: Path, number: int) -> Taken:
    """Give the seconds of each of fail2ban's actions that goes with this firewall."""
    found: Taken = {}
    for kind, action in ACTIONS.items():
        if kind.startswith(name):
            folder = bench.folder / f"fail2ban-{kind}-{number}".replace(" ", "")
            with fresh_room(), fail2ban(files, folder, action) as rival:
                one, many = bench.timed_rival(rival)
                found |= {f"fail2ban's {action}": many, f"fail2ban's {action} one": one}
    return found


def _compared(name: str, taken: list[Taken]) -> Iterator[str]:
    ours = [one["ours"] for one in taken]
    for what in taken[0]:
        if what.endswith(" one"):
            continue
        each = [one[what] for one in taken]
        single = median(one[f"{what} one"] for one in taken) * 1000
        told = f"ours, {name}" if what == "ours" else what
        yield f"| {told} | {median(each):.3f} | {ratio(each, ours):.1f} | {single:.1f} |"


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(prog="./dev bench ban", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each (default: 5)")
    parser.add_argument("--bans", type=int, default=100_000, help="at once (default: 100,000)")
    parser.add_argument("--quick", action="store_true", help="3 rounds, 20,000 bans")
    parser.add_argument("--only", choices=("bulk", "cycle", "memory", "fail2ban"))
    parser.add_argument("--firewall", choices=KINDS, action="append")
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("bench ban needs root, for network namespaces of its own")
    gc.disable()  # as the service does
    count, times = (20_000, 3) if options.quick else (options.bans, options.rounds)
    print(machine())
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        path = folder / "policy.yaml"
        path.write_text(TEN_RULES)
        policy, names = load_policy([str(path)]), options.firewall or KINDS
        parts: dict[str, Callable[[], Iterable[str]]] = {
            "bulk": lambda: (bulk(one, count, times, policy, folder / one) for one in names),
            "cycle": lambda: measure_cycles(names, times, policy, folder / "cycle"),
            "memory": lambda: measure_peaks(names, path, folder / "memory"),
            "fail2ban": lambda: iter([beside_fail2ban(times, policy, folder / "rival")]),
        }
        for name, part in parts.items():
            if options.only in {None, name}:
                (folder / name).mkdir(exist_ok=True)
                for text in part():
                    print(text, flush=True)


if __name__ == "__main__":
    main()
