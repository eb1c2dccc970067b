"""The whole corridor: real clients, real sockets, the command itself, and what it says."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, NoReturn

import pytest

from tests.range import Hosts, connect, forge_syns, in_namespace, serve

pytestmark = pytest.mark.root

NOBODY = 65534
ONCE = ("--dry-run", "--once", "--assume-sustained", "--log-format", "json")
FULL = """\
version: 1
every: 200ms
services:
  web: {{ports: [80]}}
allowlist:
  - {{name: monitoring, kind: infrastructure, prefixes: [{exempt}], grants: exempt}}
  - {{name: office, kind: nat, prefixes: [{patient}], grants: 10x}}
rules:
  - {{name: web-connections, service: web, count: connections, above: 100}}
  - {{name: web-half-open, service: web, count: half_open, above: 64, throttle: 1/s}}
"""


def judged(hosts: Hosts, policy: Path) -> list[dict[str, Any]]:
    """Run one dry cycle on the server and give its events."""
    with in_namespace(hosts.server):
        done = subprocess.run(
            [sys.executable, "-m", "agent", *ONCE, "--policy", str(policy)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(events: list[dict[str, Any]], name: str) -> list[tuple[str, int]]:
    return [(one["source"], one["count"]) for one in events if one["event"] == name]


@pytest.fixture
def readable_by_all() -> Iterator[Path]:
    """Give a folder that an ordinary user can look into; pytest's own are root's alone."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(params=["ipv4", "ipv4-to-dual-stack", "ipv6"])
def world(
    request: pytest.FixtureRequest, hosts: Hosts, tmp_path: Path
) -> tuple[Hosts, Path, Callable[[int], str], str, str]:
    """Give hosts, a policy, the address of a client by number, the server's and its listener's."""
    six = request.param == "ipv6"
    prefix = hosts.sources6 if six else hosts.sources4

    def client(number: int) -> str:
        # Each in a /64 of its own: that is what an IPv6 host is.
        return str(prefix[number << 64]) + ("1" if six else "") if six else str(prefix[number])

    policy = tmp_path / "policy.yaml"
    policy.write_text(FULL.format(exempt=f'"{client(4)}"', patient=f'"{client(5)}", "{client(6)}"'))
    listener = "0.0.0.0" if request.param == "ipv4" else "::"
    return hosts, policy, client, hosts.server6 if six else hosts.server4, listener


def test_only_the_source_above_the_limit_would_be_banned(
    world: tuple[Hosts, Path, Callable[[int], str], str, str],
) -> None:
    hosts, policy, client, address, listener = world
    crowd = {1: 101, 2: 100, 3: 5, 4: 150, 5: 1000, 6: 1001}
    with ExitStack() as stack:
        for port in (80, 8080):
            stack.enter_context(serve(hosts.server, port, address=listener))
        for number, count in crowd.items():
            stack.enter_context(connect(hosts.client, [client(number)], (address, 80), each=count))
        stack.enter_context(connect(hosts.client, [client(7)], (address, 8080), each=150))
        stack.enter_context(_dialled_out(hosts, six=":" in address))

        events = judged(hosts, policy)

    shown = {n: f"{client(n)[:-1]}/64" if ":" in address else client(n) for n in range(1, 8)}
    assert told(events, "ban.would_apply") == [(shown[1], 101), (client(6), 1001)]
    assert told(events, "source.exempt") == [(client(4), 150)]
    assert [one["verdict"] for one in events if one["event"] == "source.over_limit"] == [
        "ban",
        "ban",
        "warned",
        "warned",
    ]


@contextmanager
def _dialled_out(hosts: Hosts, *, six: bool) -> Iterator[None]:
    """Hold 150 connections from the server to a port on the client's side."""
    to = (hosts.client6 if six else hosts.client4, 9000)
    own = hosts.server6 if six else hosts.server4
    with serve(hosts.client, 9000), connect(hosts.server, [own], to, each=150) as held:
        assert held.connected == 150
        yield


def test_forged_half_open_connections_ban_nobody(hosts: Hosts, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(FULL.format(exempt="192.0.2.1", patient="192.0.2.2"))
    victim = str(hosts.silent4[7])
    with serve(hosts.server, 80):
        _forge(hosts, victim, 200)

        events = judged(hosts, policy)

    (over,) = [one for one in events if one["event"] == "source.over_limit"]
    assert (over["source"], over["verdict"], over["measure"]) == (victim, "unproven", "half_open")
    assert told(events, "ban.would_apply") == []


def test_an_ordinary_user_without_tools_comes_to_the_same_verdicts(
    hosts: Hosts, readable_by_all: Path
) -> None:
    policy = readable_by_all / "policy.yaml"
    policy.write_text(FULL.format(exempt="192.0.2.1", patient="192.0.2.2"))
    sources = [str(hosts.sources4[n]) for n in (1, 2)]
    with (
        serve(hosts.server, 80),
        connect(hosts.client, sources[:1], (hosts.server4, 80), each=101),
        connect(hosts.client, sources[1:], (hosts.server4, 80), each=100),
    ):
        _forge(hosts, str(hosts.silent4[7]), 80)
        root = judged(hosts, policy)
        with in_namespace(hosts.server):
            nobody = _as_nobody([*ONCE, "--policy", str(policy)])

    assert _verdicts(nobody) == _verdicts(root)
    assert told(nobody, "ban.would_apply") == [(sources[0], 101)]


def _verdicts(events: list[dict[str, Any]]) -> Counter[str]:
    """What was found, without what differs from run to run."""
    runs_own = {"timestamp", "sample_ms", "cycle_ms", "ban_id", "until"}
    return Counter(
        json.dumps({name: value for name, value in one.items() if name not in runs_own})
        for one in events
    )


def _as_nobody(arguments: list[str]) -> list[dict[str, Any]]:
    """Run the command in a child that gave up root, its capabilities and its PATH.

    It runs once as root before, for what is imported late: an ordinary user may not
    be allowed to read root's interpreter.
    """
    with TemporaryFile("w+") as output:
        child = os.fork()
        if not child:
            _become_nobody(arguments, output.fileno())
        assert os.waitpid(child, 0)[1] == 0
        output.seek(0)
        return [json.loads(line) for line in output]


def _become_nobody(arguments: list[str], output: int) -> NoReturn:
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device, no path
        _enter(arguments, nowhere.fileno())
    os.environ["PATH"] = "/nonexistent"
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    effective = Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0]
    os._exit(_enter(arguments, output) if int(effective, 16) == 0 else 98)


def _enter(arguments: list[str], output: int) -> int:
    from agent import cli  # noqa: PLC0415 - in the child only

    sys.argv = ["abuse-agent", *arguments]
    with os.fdopen(os.dup(output), "w") as sys.stdout:
        try:
            cli.entry()
        except SystemExit as end:
            return int(end.code or 0)


def _forge(hosts: Hosts, source: str, count: int) -> None:
    """Make so many half-open connections of one source."""
    for port in range(count):
        forge_syns(hosts.client, [source], (hosts.server4, 80), from_port=40_000 + port)


@contextmanager
def running(hosts: Hosts, policy: Path) -> Iterator[list[dict[str, Any]]]:
    """Run the agent on the server; its events are in the list once it has ended."""
    events: list[dict[str, Any]] = []
    with in_namespace(hosts.server):
        process = subprocess.Popen(
            [sys.executable, "-m", "agent", "--dry-run", "--policy", str(policy)],
            stdout=subprocess.PIPE,
            text=True,
        )
    try:
        yield events
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
        events += [json.loads(line) for line in output.splitlines()]
    finally:
        process.kill()
        process.wait()


def test_a_ban_follows_after_three_of_five_samples_and_is_told_once(
    hosts: Hosts, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(FULL.format(exempt="192.0.2.1", patient="192.0.2.2"))
    source = str(hosts.sources4[9])
    with (
        serve(hosts.server, 80),
        connect(hosts.client, [source], (hosts.server4, 80), each=101),
        running(hosts, policy) as events,
    ):
        pass

    bans = [one for one in events if one["event"].startswith("ban.")]
    assert [(one["event"], one["cycle"]) for one in bans] == [("ban.would_apply", 3)]
    assert [one["verdict"] for one in events if one["event"] == "source.over_limit"] == [
        "sustaining"
    ]


def test_half_open_connections_are_throttled_while_the_kernel_is_under_pressure(
    hosts: Hosts, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(FULL.format(exempt="192.0.2.1", patient="192.0.2.2"))
    heavy, crowd = str(hosts.silent4[7]), [str(hosts.silent4[n]) for n in range(1000, 1300)]
    with serve(hosts.server, 80, backlog=128), running(hosts, policy) as events:
        _forge(hosts, heavy, 100)
        for burst in range(40):
            forge_syns(hosts.client, crowd, (hosts.server4, 80), from_port=50_000 + burst)
            time.sleep(0.1)

    (one,) = [event for event in events if event["event"] == "ban.would_apply"]
    assert (one["source"], one["answer"], one["scope"]) == (heavy, "throttle", "service")
