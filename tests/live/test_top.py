"""The live screen in a real terminal, beside a live agent, with ten thousand sources there."""

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.live.agents import command, live
from tests.live.kernel import bans
from tests.live.terminal import Terminal, terminal
from tests.range import Hosts, connect, forge_syns, serve, two_hosts

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux"),
]

POLICY = """\
version: 1
every: 500ms
defaults: {sustained: 2 of 3, ban: 10m}
services:
  web: {ports: [80]}
  ssh: {ports: [22]}
allowlist:
  - {name: probes, kind: infrastructure, prefixes: [198.18.50.7], grants: exempt}
rules:
  - {name: web-connections, service: web, count: connections, above: 100}
  - {name: ssh-connections, service: ssh, count: connections, above: 100}
"""
CROWD = 10_000
GUILTY, BUSY, PROBES, LINE = "198.18.0.7", "198.18.1.44", "198.18.50.7", "2001:db8:18:5::/64"
TO_BAN, TO_ALLOW, FORGED = "198.18.2.1", "198.18.2.2", "198.19.0.9"
PIECE = 2500
SIZES = [pytest.param((80, 24), id="80x24"), pytest.param((200, 60), id="200x60")]
CLEAR = "C-u"
COLOURS = {"TERM": "screen"}
AS_NOBODY = """\
import contextlib, importlib.readers, io, os, sys
from agent import cli
from agent.cli.screen.app import _settle_environment

# The interpreter may be where nobody else may look: all is loaded before root is given up.
words = sys.argv[1:]
for sys.argv in (["", *words, "--once"], ["", "explain", "198.18.9.9", *words[1:]]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        cli.entry()
_settle_environment()
from tests.cli.screen.pictures import THREE, sit

async def drive(seat):
    for key in "beuasv":
        await seat.press(key, "escape")

sit(THREE, drive)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.argv = ["abuse-agent", *words]
cli.entry()
"""


@dataclass(slots=True)
class Desk:
    """A crowded server with an operator at its desk."""

    hosts: Hosts
    folder: Path
    policy: Path

    @contextmanager
    def screen(
        self, size: tuple[int, int] = (80, 24), *options: str, term: Mapping[str, str] = COLOURS
    ) -> Iterator[Terminal]:
        words = ["nftables", "", "top", "--state-dir", str(self.folder), *options]
        # tmux gives the shell a kind of terminal of its own.
        given = [f"{name}={value}" for name, value in (COLOURS | dict(term)).items()]
        line = ["env", *given, sys.executable, "-m", "tests.live.program", *words]
        with terminal(self.hosts.server, line, size) as made:
            made.see("SOURCE", "SOCKETS")
            made.wait(lambda: made.line(" sources, "), "nothing was looked at")
            yield made

    def run(self, *words: str) -> str:
        found = command(self.hosts.server, "nftables", *words, "--state-dir", str(self.folder))
        return found.stdout + found.stderr

    def kept_out(self) -> set[str]:
        return set(bans(self.hosts.server, "nftables", self.policy))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("top")
    folder.chmod(0o755)
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    with ExitStack() as stack:
        hosts = stack.enter_context(two_hosts())
        to = (hosts.server4, 80)
        for port in (80, 22, 8443):
            stack.enter_context(serve(hosts.server, port, closes=True))
        crowd = [f"198.18.{100 + one // 250}.{one % 250 + 1}" for one in range(CROWD)]
        for begin in range(0, CROWD, PIECE):
            some = crowd[begin : begin + PIECE]
            held = stack.enter_context(connect(hosts.client, some, to, within_s=60))
            assert held.connected == PIECE
        for source, each, port in (
            *((GUILTY, 130, 80), (BUSY, 60, 80), (BUSY, 9, 22), (PROBES, 40, 80)),
            *((TO_BAN, 33, 80), (TO_ALLOW, 32, 80), ("198.18.2.9", 7, 8443)),
        ):
            stack.enter_context(connect(hosts.client, [source], (hosts.server4, port), each=each))
        line = [f"2001:db8:18:5::{one}" for one in (1, 2)]
        stack.enter_context(connect(hosts.client, line, (hosts.server6, 22), each=15))
        forge_syns(hosts.client, [FORGED] * 5, to)
        agent = stack.enter_context(live(hosts.server, "nftables", policy, folder / "state"))
        agent.wait_for("ban.applied", source=GUILTY)
        yield Desk(hosts, folder / "state", policy)


@pytest.mark.parametrize("size", SIZES)
def test_it_shows_totals_graphs_sources_limits_and_bans(desk: Desk, size: tuple[int, int]) -> None:
    with desk.screen(size) as seen:
        assert re.search(r"10\d\d\d sockets, 100\d\d sources, \d bans?", seen.see("sources,"))
        assert "agent live, nftables" in seen.lines[0]
        assert re.search(r"\d\d:\d\d:\d\d UTC every 2s", seen.lines[0])
        for state in ("ESTABLISHED", "SYN_RECV", "TIME_WAIT"):
            assert seen.line(state)
        assert "█" in seen.line("ESTABLISHED", "10")
        busy = seen.see(BUSY, "69", "60%")
        assert busy.startswith(f"> {BUSY}")
        assert seen.see("web 60, ssh 9")
        assert "spared" in seen.see(f"  {PROBES}", "40")
        assert seen.see("BANS: ", "in force")
        assert "web-connections: 130 connections" in seen.see(f"  {GUILTY}", "drop web")
        assert all(len(line) <= size[0] for line in seen.lines)
        assert seen.lines[size[1] - 1].rstrip().endswith("q quit")


def test_keys_sort(desk: Desk) -> None:
    with desk.screen() as seen:
        seen.press("s")
        seen.see("sorted by limit")
        seen.press("s")
        seen.see("sorted by address")
        seen.wait(lambda: seen.lines[5][2:].startswith(BUSY), "not by address")
        seen.press("s")
        seen.see("sorted by sockets")


def test_each_filter_leaves_the_others_out(desk: Desk) -> None:
    with desk.screen() as seen:
        seen.press("v")
        seen.see("Only sockets of a service")
        seen.press("Down", "Down", "Enter")
        seen.see("only ssh", "of 2 shown")
        assert seen.see(LINE, "30")
        seen.press("c")
        seen.miss("only ssh")
        seen.press("t")
        seen.see("Only sockets in these states")
        seen.press("Down", "Down", "Down", "Enter")
        seen.see("only SYN_RECV", "of 1 shown")
        assert seen.see(f"> {FORGED}")


def test_a_prefix_is_typed_and_a_wrong_one_told(desk: Desk) -> None:
    with desk.screen() as seen:
        seen.press("/")
        seen.see("Only sources in")
        seen.type("198.18.2.0/24x")
        seen.press("Enter")
        seen.see("no address and no prefix")
        seen.press("BSpace", "Enter")
        seen.see("only in 198.18.2.0/24", "of 3 shown")
        seen.miss(BUSY, "69")


def test_it_stands_still_when_told_to_and_goes_on(desk: Desk) -> None:
    with desk.screen((80, 24), "--every", "200ms") as seen:
        seen.press("Space")
        frozen = seen.see("FROZEN")
        with connect(desk.hosts.client, ["198.18.3.1"], (desk.hosts.server4, 80), each=90):
            seen.press("Down")
            seen.wait(lambda: not seen.lines[5].startswith(">"), "the choice did not move")
            assert (seen.lines[0], seen.line("198.18.3.1 ")) == (frozen.rstrip(), "")
            seen.press("Space")
            assert "90" in seen.see("  198.18.3.1 ")


def test_explain_tells_what_the_command_tells(desk: Desk) -> None:
    said = desk.run("explain", BUSY).splitlines()
    with desk.screen() as seen:
        seen.see(f"> {BUSY}")
        seen.press("e")
        assert seen.see(said[0])
        assert seen.see("rules")
        seen.press("End")
        assert seen.see("over the tape")
        seen.press("q")
        seen.see(f"> {BUSY}")


def test_banning_and_unbanning_reach_ledger_and_firewall(desk: Desk) -> None:
    with desk.screen() as seen:
        only(seen, TO_BAN)
        order_ban(seen)
        seen.see(f"{TO_BAN} is kept from the whole host (ssh stays open) for 1h30m")
        assert TO_BAN not in desk.kept_out()
        seen.press("y")
        seen.see(f"{TO_BAN} is banned from this host for 1h30m: by hand: scans us")
        assert TO_BAN in desk.kept_out()
        assert "scans us" in desk.run("bans")
        seen.see("no source holds a socket that is asked for")

        seen.see(f"{TO_BAN}: not among those shown now")
        seen.press("u")
        seen.see(f"Unban {TO_BAN}")
        seen.press("n")
        seen.see("nothing was changed")
        assert TO_BAN in desk.kept_out()
        seen.press("u")
        seen.see(f"Unban {TO_BAN}")
        seen.press("y")
        seen.see(f"{TO_BAN} is no longer banned")
        assert TO_BAN not in desk.kept_out()


def test_allowing_reaches_the_ledger(desk: Desk) -> None:
    with desk.screen() as seen:
        only(seen, TO_ALLOW)
        seen.press("a")
        seen.see(f"Allow {TO_ALLOW}")
        seen.press("Enter")
        seen.see(f"{TO_ALLOW} passes for 2h")
        seen.press("y")
        seen.wait(lambda: TO_ALLOW in desk.run("status"), "it is not allowed")
        seen.see(f"{TO_ALLOW} passes for 2h")


def test_who_is_exempt_is_not_banned_by_hand(desk: Desk) -> None:
    with desk.screen() as seen:
        only(seen, PROBES)
        seen.press("b")
        seen.see(f"Ban {PROBES}")
        seen.press("Enter")
        seen.see(f"{PROBES} is kept from")
        seen.press("y")
        seen.see(f"{PROBES} is not banned")
        assert PROBES not in desk.kept_out()


def test_a_ban_is_unbanned_in_the_list_of_bans(desk: Desk) -> None:
    desk.run("ban", "203.0.113.0/24", "--for", "1h")
    with desk.screen() as seen:
        seen.see("203.0.113.0/24", "drop host")
        seen.press("Tab")
        seen.see("> 203.0.113.0/24")
        seen.press("u")
        seen.see("Unban 203.0.113.0/24")
        seen.press("y")
        seen.see("203.0.113.0/24 is no longer banned")
        assert "203.0.113.0/24" not in desk.kept_out()


def test_another_size_is_drawn_while_it_runs(desk: Desk) -> None:
    with desk.screen() as seen:
        for columns, lines in ((200, 60), (50, 12), (80, 24)):
            seen.resize(columns, lines)
            seen.wait(partial(fills, seen, columns, lines), f"not drawn for {columns}x{lines}")
            seen.see(f"> {BUSY}")


@pytest.mark.parametrize(
    ("surroundings", "marks"),
    [
        pytest.param({"NO_COLOR": "1"}, "█", id="NO_COLOR"),
        pytest.param({"TERM": "dumb"}, "#", id="a dumb terminal"),
    ],
)
def test_without_colours_all_of_it_is_told(
    desk: Desk, surroundings: dict[str, str], marks: str
) -> None:
    with desk.screen(term=surroundings) as seen:
        assert marks in seen.see("ESTABLISHED", "10")
        seen.see(f"> {BUSY}", "60%")
        assert not re.search(r"\x1b\[[\d;]*(?:3[0-7]|4[0-7]|9[0-7]|38|48)[;m]", seen.coloured)


def test_colours_are_the_terminals_own(desk: Desk) -> None:
    with desk.screen() as seen:
        seen.see(f"> {BUSY}")
        found = set(re.findall(r"\x1b\[([\d;]*)m", seen.coloured))
        assert any("31" in one.split(";") or "32" in one.split(";") for one in found)
        assert not any({"38", "48"} & set(one.split(";")) for one in found)


def test_nobody_watches_too_and_is_told_what_he_may_not(desk: Desk) -> None:
    line = [sys.executable, "-c", AS_NOBODY, "top", "--state-dir", str(desk.folder)]
    with terminal(desk.hosts.server, line) as seen:
        seen.see(f"> {BUSY}")
        seen.see("BANS: this user may not look into")
        seen.press("b")
        seen.see("this needs CAP_NET_ADMIN: run it as root")
        seen.press("e")
        seen.see(f"abuse-agent explain {BUSY}")
        seen.press("q")
        seen.see(f"> {BUSY}")
        seen.press("q")
        seen.see("ended 0")


def test_leaving_puts_the_terminal_back(desk: Desk) -> None:
    with desk.screen() as seen:
        seen.press("q")
        seen.see("ended 0")
        assert not seen.line("SOURCE")
        seen.type("stty -a | tr ';' '\\n' | grep -c -E -- '(^| )-(echo|icanon|isig|ixon)( |$)'")
        seen.press("Enter")
        seen.wait(lambda: "0" in [one.strip() for one in seen.lines], "raw still")
        assert seen.tmux("display", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]


@pytest.mark.parametrize(
    ("number", "ended"),
    [(signal.SIGTERM, "ended 143"), (signal.SIGHUP, "ended 129"), (signal.SIGINT, "ended 130")],
)
def test_a_signal_ends_it_and_puts_the_terminal_back(
    desk: Desk, number: signal.Signals, ended: str
) -> None:
    with desk.screen() as seen:
        os.kill(child_of(seen), number)
        seen.see(ended)
        assert not seen.line("SOURCE")
        assert seen.tmux("display", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]


def test_a_terminal_that_goes_away_takes_the_screen_with_it(desk: Desk) -> None:
    with desk.screen() as seen:
        place = Path(f"/proc/{child_of(seen)}")
        seen.tmux("kill-server")
        seen.wait(lambda: not place.exists(), "it goes on without a terminal")


def test_without_a_terminal_it_is_one_moment(desk: Desk) -> None:
    said = desk.run("top")
    assert BUSY in said
    assert "\x1b" not in said


def fills(seen: Terminal, columns: int, lines: int) -> bool:
    """Whether the screen goes to the edges of its terminal."""
    first, last = seen.lines[0].rstrip(), seen.lines[lines - 1].rstrip()
    return first.endswith("every 2s") and len(first) == columns and last.endswith("q quit")


def child_of(seen: Terminal) -> int:
    """Give the process of the screen, which the shell of the terminal has started."""
    shell = seen.tmux("display", "-p", "#{pane_pid}").strip()
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    return int(children[0])


def only(seen: Terminal, source: str) -> None:
    """Have one source shown, and chosen."""
    seen.press("/")
    seen.see("Only sources in")
    seen.type(source)
    seen.press("Enter")
    seen.see(f"only in {source}/32")
    seen.see(f"> {source}")


def order_ban(seen: Terminal) -> None:
    """Type a ban, with a mistake at first."""
    seen.press("b")
    seen.see(f"Ban {TO_BAN}")
    seen.press(CLEAR)
    seen.wait(lambda: " for" in seen.lines, "what was in the line is not gone")
    seen.type("1h30")
    seen.press("Enter")
    seen.see("'1h30' is no duration")
    seen.type("m")
    seen.press("Tab", "Tab")
    # Where letters go is moved a little later than letters are taken, and is not to be seen.
    time.sleep(1.0)
    seen.type("scans us")
    seen.press("Enter")
