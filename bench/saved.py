"""Reading a million saved lines of netstat, ss and /proc/net/tcp beside the operators' mawk."""

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from statistics import median
from typing import TypeAlias

from bench.rounds import machine, ratio, rounds

TARGET = 4.0
LINES = 1_000_000
MOMENTS = 10
SOURCES = 12_000
STATES = ("ESTABLISHED",) * 8 + ("TIME_WAIT", "CLOSE_WAIT")
SS = {"ESTABLISHED": "ESTAB", "TIME_WAIT": "TIME-WAIT", "CLOSE_WAIT": "CLOSE-WAIT"}
PROC = {"ESTABLISHED": 1, "TIME_WAIT": 6, "CLOSE_WAIT": 8}

_MAWK = "/^tcp/ {++S[$NF]} END {for (a in S) print a, S[a]}"
_MAWK_BY = "{++S[$%d]} END {for (a in S) print a, S[a]}"
_PROGRAM = """
import sys
from agent.observe.saved import read_moments
from agent.observe.saved.files import open_listings
lines = unread = 0
for moment in read_moments(open_listings(sys.argv[1:])):
    lines += moment.lines
    unread += moment.unread.count
status = open("/proc/self/status").read()
print(lines, unread, int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""

Socket: TypeAlias = tuple[str, str, int, str]
"""Source, port of the source, our port and state."""
Rows: TypeAlias = Callable[[Iterable[Socket]], Iterator[str]]


def sockets(count: int, sources: list[str]) -> Iterator[Socket]:
    """Give sockets of these sources, each source in one state and at one port as a rule."""
    choose = random.Random(count)  # noqa: S311 - the same file every time
    kinds = [(one, choose.choice((80, 443)), choose.choice(STATES)) for one in sources]
    for _ in range(count):
        source, port, state = choose.choice(kinds)
        if choose.random() < 0.1:
            state = choose.choice(STATES)
        yield source, str(choose.randrange(1_024, 65_536)), port, state


def ipv4(count: int) -> list[str]:
    """Give addresses of very different networks."""
    choose = random.Random(count)  # noqa: S311 - ditto
    return [str(IPv4Address(choose.randrange(1 << 24, 224 << 24))) for _ in range(count)]


def both(count: int) -> list[str]:
    """Give addresses of both families, half and half."""
    choose = random.Random(count)  # noqa: S311 - ditto
    wide = [IPv6Address((0x2001 << 112) + choose.getrandbits(100)) for _ in range(count // 2)]
    return [*ipv4(count - count // 2), *map(str, wide)]


def netstat(found: Iterable[Socket]) -> Iterator[str]:
    """Write as ``netstat -nW`` does."""
    yield "Active Internet connections (w/o servers)\n"
    yield "Proto Recv-Q Send-Q Local Address           Foreign Address         State      \n"
    for source, port, here, state in found:
        kind, own = ("tcp6", "2001:db8::1") if ":" in source else ("tcp", "192.0.2.10")
        yield f"{kind:4}  {0:6} {0:6} {f'{own}:{here}':23} {f'{source}:{port}':23} {state:11}\n"


def netstat_with_programs(found: Iterable[Socket]) -> Iterator[str]:
    """Write as ``netstat -np`` does."""
    for number, line in enumerate(netstat(found)):
        program = f"{1_000 + number % 64}/nginx: worker"
        yield f"{line[:-1]} {program:20}\n" if number > 1 else line


def ss(found: Iterable[Socket]) -> Iterator[str]:
    """Write as ``ss -tan`` does."""
    yield "State      Recv-Q Send-Q  Local Address:Port    Peer Address:Port Process\n"
    for source, port, here, state in found:
        cells = f"{'192.0.2.10':>18}:{here:<5}{source:>18}:{port:<5}"
        yield f"{SS[state]:10} 0      0 {cells}        \n"


def proc(found: Iterable[Socket]) -> Iterator[str]:
    """Write as /proc/net/tcp does."""
    yield "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    for number, (source, port, here, state) in enumerate(found):
        remote = bytes(reversed(IPv4Address(source).packed)).hex().upper()
        yield (
            f"{number:4}: 0A0200C0:{here:04X} {remote}:{int(port):04X} {PROC[state]:02X}"
            " 00000000:00000000 00:00000000 00000000     0        0"
            f" {number} 1 0000000000000000 20 4 30 10 -1{'':18}\n"
        )


def write(path: Path, rows: Rows, sources: list[str], moments: int = MOMENTS) -> None:
    """Write a listing of a million lines, in some moments."""
    with path.open("w") as file:
        for _ in range(moments):
            file.writelines(rows(sockets(LINES // moments, sources)))


def measure(name: str, path: Path, program: str, times: int) -> str:
    """Give a line of the table."""
    ours = [sys.executable, "-c", _PROGRAM, str(path)]
    lines, unread, peak = subprocess.check_output(ours, text=True).split()
    if int(lines) != LINES or int(unread):
        sys.exit(f"{name}: {lines} lines were read and {unread} were not, of {LINES}")
    taken = rounds(
        {
            "mawk": lambda: subprocess.check_output(["mawk", program, str(path)]),
            "ours": lambda: subprocess.check_output(ours),
        },
        times,
    )
    walls = {which: [wall for wall, _ in each] for which, each in taken.items()}
    share = ratio(walls["ours"], walls["mawk"])
    size = path.stat().st_size / 1e6
    return (
        f"| {name} | {size:.0f} | {median(walls['mawk']):.2f} | {median(walls['ours']):.2f} |"
        f" {share:.2f} | {float(peak):.0f} |"
    )


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="./dev bench saved", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each (default: 7)")
    parser.add_argument("--quick", action="store_true", help="only the load with a target")
    options = parser.parse_args()
    narrow, wide = ipv4(SOURCES), both(SOURCES)
    many = ipv4(LINES)
    loads: list[tuple[str, Rows, list[str], int, str]] = [
        ("netstat -n", netstat, narrow, MOMENTS, _MAWK),
        ("the same, one moment of 1,000,000 sources", netstat, many, 1, _MAWK),
        ("netstat -nW, half of it IPv6", netstat, wide, MOMENTS, _MAWK),
        ("netstat -np", netstat_with_programs, narrow, MOMENTS, _MAWK),
        ("ss -tan", ss, narrow, MOMENTS, _MAWK_BY % 1),
        ("/proc/net/tcp", proc, narrow, MOMENTS, _MAWK_BY % 4),
    ]
    print(
        f"{machine()}\n\n{LINES:,} lines; target at most {TARGET:g} times mawk's for netstat -n\n"
    )
    print("| listing | MB | mawk, seconds | ours, seconds | x mawk | peak RSS, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved.txt"
        for name, rows, sources, moments, program in loads[: 1 if options.quick else None]:
            write(path, rows, sources, moments)
            print(measure(name, path, program, options.rounds), flush=True)


if __name__ == "__main__":
    main()
