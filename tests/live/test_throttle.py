"""A throttle under real SYN pressure: whoever is slowed down, or forged, still connects."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.agents import LiveAgent, live
from tests.live.foreign import address, shell
from tests.range import Hosts, connect, forge_syns, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, escalate: none}
services:
  web: {ports: [80]}
rules:
  - {name: half, service: web, count: half_open, above: 20, throttle: 1/s, for: 7s}
"""
HEAVY = ("198.18.0.9", "2001:db8:18:9::9")
INNOCENT = ("198.18.1.9", "2001:db8:18:109::9")
BYSTANDER = "198.18.200.1"
TOLD = {"198.18.0.9", "198.18.1.9", "2001:db8:18:9::/64", "2001:db8:18:109::/64"}
HALF_OPEN = 30
OWN_PORTS = "61001-65535"
"""From which SYNs are forged; no connection of the client's begins there."""

BUSY_S = 4.5
"""For SYNs at 0, 1 and 3 s, as Linux sends them."""

CROWD = 300
WAIT_S = 0.05


def keep_half_open(hosts: Hosts) -> None:
    """Have the client not reset what was forged in its name."""
    rule = f"tcp sport 80 tcp dport {OWN_PORTS} drop"
    head = "type filter hook input priority 0;"
    shell(
        hosts.client,
        "nft",
        "-f",
        "-",
        text=f"table inet t {{\nchain c {{\n{head}\n{rule}\n}}\n}}\n",
    )


@contextmanager
def pressure(hosts: Hosts) -> Iterator[None]:
    """Fill the listener's backlog from everywhere, and forge those who are innocent, on and on."""
    crowd = [str(hosts.silent4[n]) for n in range(1, CROWD)]
    stop, ports = threading.Event(), itertools.cycle(range(62_000, 65_000))

    def forge() -> None:
        while not stop.wait(WAIT_S):
            forge_syns(hosts.client, crowd, (hosts.server4, 80), from_port=next(ports))
            for one in INNOCENT:
                for _ in range(5):
                    to = (address(hosts, one), 80)
                    forge_syns(hosts.client, [one], to, from_port=next(ports))

    thread = threading.Thread(target=forge)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def throttled(agent: LiveAgent) -> None:
    """Wait for all four."""
    told: set[str] = set()
    while told != TOLD:
        one = agent.wait_for("ban.applied")
        assert (one["answer"], one["scope"], one["for_s"]) == ("throttle", "service", 7)
        told.add(one["source"])


def test_who_is_throttled_connects_once_a_second_and_replies_pass(
    hosts: Hosts, firewall: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    keep_half_open(hosts)
    with (
        serve(hosts.server, 80, backlog=128),
        serve(hosts.client, 9000),
        live(hosts.server, firewall, write_policy(POLICY), folder) as agent,
        ThreadPoolExecutor(max_workers=8) as pool,
    ):
        agent.wait_for("cycle.completed")
        for one in (*HEAVY, *INNOCENT):
            for port in range(61_001, 61_001 + HALF_OPEN):
                forge_syns(hosts.client, [one], (address(hosts, one), 80), from_port=port)
        with pressure(hosts):
            throttled(agent)

            def open_from(source: str, each: int) -> tuple[int, int]:
                to = (address(hosts, source), 80)
                with connect(hosts.client, [source], to, each=each, within_s=BUSY_S) as held:
                    return held.connected, held.still_open()

            heavy = [pool.submit(open_from, one, 20) for one in HEAVY]
            innocent = [pool.submit(open_from, one, 1) for one in INNOCENT]
            # Nobody else waits, and replies to connections of our own are not slowed down.
            with connect(hosts.client, [BYSTANDER], (hosts.server4, 80), within_s=0.9) as other:
                assert other.connected == 1
            for one in HEAVY:
                own = hosts.server6 if ":" in one else hosts.server4
                with connect(hosts.server, [own], (one, 9000), each=20, within_s=0.9) as out:
                    assert out.connected == 20
            for connected, still_open in (each.result() for each in heavy):
                assert 3 <= connected <= 13
                assert still_open == connected
            assert [each.result() for each in innocent] == [(1, 1), (1, 1)]
        for _ in TOLD:
            agent.wait_for("ban.expired")
        for one in HEAVY:
            to = (address(hosts, one), 80)
            with connect(hosts.client, [one], to, each=20, within_s=0.9) as again:
                assert again.connected == 20
