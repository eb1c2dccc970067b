"""The picture of the live screen in the pages: a real terminal on a real crowd, drawn as SVG."""

import argparse
import io
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.live.agents import live
from tests.live.terminal import Terminal, terminal
from tests.range import Hosts, connect, eventually, forge_syns, ip, serve, two_hosts, visit, why_not

PAGE = Path(__file__).parents[1] / "docs" / "top.svg"
SIZE = (100, 30)
GRAPHS_S = 60
"""Columns of graphs to wait for, at five looks a second."""

POLICY = """\
version: 1
every: 1s
defaults: {sustained: 3 of 5, ban: 10m}
services:
  web: {ports: [80, 443]}
  ssh: {ports: [22]}
allowlist:
  - {name: probes, kind: infrastructure, prefixes: [203.0.113.9], grants: exempt}
  - {name: office, kind: nat, prefixes: [203.0.113.64/26], grants: 10x}
rules:
  - {name: web-connections, service: web, count: connections, above: 300}
  - {name: ssh-connections, service: ssh, count: connections, above: 40}
"""
RANGES = ("198.51.100.0/24", "203.0.113.0/24")
CROWD = (
    *(("198.18.0.7", 420, 443), ("198.51.100.7", 262, 443), ("203.0.113.77", 240, 443)),
    *(("203.0.113.9", 96, 80), ("198.51.100.23", 61, 443), ("198.51.100.23", 4, 22)),
    *(("198.18.1.44", 58, 80), ("198.18.5.6", 43, 443), ("198.51.100.140", 38, 443)),
    *(("198.18.9.21", 31, 80), ("198.51.100.88", 27, 443), ("203.0.113.200", 22, 22)),
    *(("198.18.4.2", 17, 443), ("198.18.33.8", 12, 443), ("198.51.100.61", 9, 80)),
)
LINE = ("2001:db8:18:5::1", "2001:db8:18:5::2")
THEME = TerminalTheme(
    (21, 24, 30),
    (208, 212, 220),
    [
        *((0, 0, 0), (240, 100, 100), (110, 200, 120), (220, 190, 100)),
        *((110, 160, 240), (200, 130, 220), (100, 200, 210), (208, 212, 220)),
    ],
)
"""Of the terminal in the picture: the screen takes whatever colours a terminal has."""


@contextmanager
def crowded(folder: Path) -> Iterator[Terminal]:
    """Have a crowd, an agent and the screen."""
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    with ExitStack() as stack:
        hosts = stack.enter_context(two_hosts())
        for prefix in RANGES:
            ip("-n", hosts.server, "route", "add", prefix, "via", hosts.client4)
            ip("-n", hosts.client, "route", "add", "local", prefix, "dev", "lo")
        for port in (80, 443, 22):
            stack.enter_context(serve(hosts.server, port, closes=True))
        stack.enter_context(live(hosts.server, "nftables", policy, folder / "state"))
        words = ["nftables", "", "top", "--state-dir", str(folder / "state"), "--every", "200ms"]
        line = ["env", "TERM=screen", sys.executable, "-m", "tests.live.program", *words]
        seen = stack.enter_context(terminal(hosts.server, line, SIZE))
        seen.see("SOURCE", "SOCKETS")
        _fill(hosts, stack)
        yield seen


def _fill(hosts: Hosts, stack: ExitStack) -> None:
    quiet = [f"198.18.{40 + one // 200}.{one % 200 + 1}" for one in range(1800)]
    for begin in range(0, len(quiet), 300):
        stack.enter_context(connect(hosts.client, quiet[begin : begin + 300], (hosts.server4, 443)))
        forge_syns(hosts.client, [f"198.19.0.{begin // 20 + 1}"] * (begin // 50), to(hosts, 443))
    for source, each, port in CROWD:
        stack.enter_context(connect(hosts.client, [source], to(hosts, port), each=each))
    stack.enter_context(connect(hosts.client, LINE, (hosts.server6, 22), each=15))
    stack.enter_context(visit(hosts.client, quiet[:20], to(hosts, 80), asks=False))


def to(hosts: Hosts, port: int) -> tuple[str, int]:
    """Give the server's address with a port."""
    return (hosts.server4, port)


def drawn(seen: Terminal) -> str:
    """Draw what is on a terminal as SVG that fetches nothing."""
    console = Console(width=SIZE[0], record=True, file=io.StringIO(), force_terminal=True)
    for line in seen.coloured.rstrip("\n").split("\n"):
        text = Text.from_ansi(line.ljust(1))
        console.print(text, no_wrap=True, crop=True)
    svg = console.export_svg(title="abuse-agent top", theme=THEME, unique_id="top")
    # Only fonts that are there: a page that shows the picture asks nobody for one.
    svg = re.sub(r"\s*@font-face \{.*?\n    \}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<!--.*?-->", "", svg).replace("Fira Code", "DejaVu Sans Mono, Menlo")
    return re.sub(r"[ \t]+\n", "\n", svg)


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(prog="./dev bench picture", description=__doc__)
    parser.add_argument("--into", type=Path, default=PAGE, help="where to [default: docs/top.svg]")
    into = parser.parse_args().into
    if reason := why_not():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as folder, crowded(Path(folder)) as seen:
        seen.see("198.18.0.7", "drop web")
        seen.press("Home", "Down", "Down", "Down")
        full = "█" * 20
        eventually(lambda: full in seen.text)
        into.write_text(drawn(seen), encoding="utf-8")
    print(f"wrote {into}")


if __name__ == "__main__":
    main()
