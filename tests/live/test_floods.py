"""Real floods of SYNs, and what looks like one: seen as what they are, and where they are.

The sockets, the counters, the queues and the settings are the kernel's; only the clock is
ours, so that half a minute of quiet takes no half minute.
"""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.decide import Memory, step
from agent.model.alarm import Alarm, Flood, Slow
from agent.model.inputs import Inputs
from agent.model.plan import Decision
from agent.model.policy import Policy
from agent.observe.counters import read_counters
from agent.observe.listeners import read_listeners
from agent.observe.sock_diag import SockDiag
from agent.observe.sysctls import read_sysctls
from tests.builders import NOW, SSH, half_open, policy
from tests.live.agents import live
from tests.range import Hosts, connect, forge_syns, in_namespace, ip, serve
from tests.range.hosts import set_sysctl

pytestmark = pytest.mark.root

BACKLOG = 128
CROWD = 600
BY = policy(half_open(), half_open("ssh-half-open", service=SSH))
FORGED = "the sources are most likely forged: banning them bans the innocent"


@dataclass(slots=True)
class Watcher:
    """An agent on the server that sees all and touches nothing; a cycle is five seconds to it."""

    hosts: Hosts
    by: Policy = BY
    now: datetime = NOW
    memory: Memory = field(default_factory=Memory)
    told: list[Alarm] = field(default_factory=list)

    def cycle(self) -> Decision:
        self.now += timedelta(seconds=5)
        with in_namespace(self.hosts.server):
            seen = Inputs(
                sample=SockDiag().read(self.now),
                counters=read_counters(),
                listeners=read_listeners(),
                sysctls=read_sysctls(),
            )
        self.memory, decision = step(self.memory, seen, self.by, self.now)
        self.told += decision.alarms
        return decision

    def during(self, attack: Callable[[], object], cycles: int = 3) -> Decision:
        """Look after each wave, and give the last decision."""
        self.cycle()
        for _ in range(cycles - 1):
            attack()
            self.cycle()
        attack()
        return self.cycle()

    def calm(self) -> None:
        for _ in range(8):
            self.cycle()

    def flood(self) -> Flood:
        """The only alarm there was."""
        (one,) = self.told
        assert isinstance(one, Flood)
        return one


@pytest.fixture
def watcher(hosts: Hosts) -> Watcher:
    return Watcher(hosts)


def wave(hosts: Hosts, *, port: int = 80, count: int = CROWD) -> Callable[[], None]:
    """Give what sends SYNs of so many silent sources, from another port each time."""
    sources = [str(hosts.silent4[256 + 64 * n]) for n in range(count)]
    ports = iter(range(40_000, 50_000))
    return lambda: _send(
        forge_syns(hosts.client, sources, (hosts.server4, port), from_port=next(ports))
    )


def _send(sent: int) -> None:
    assert sent


def test_a_forged_flood_is_told_where_it_is_with_its_figures(
    hosts: Hosts, watcher: Watcher
) -> None:
    innocent, heavy = str(hosts.silent4[5]), str(hosts.silent4[9])
    with serve(hosts.server, 80, backlog=BACKLOG), serve(hosts.server, 22):
        for n in range(70):
            forge_syns(hosts.client, [innocent], (hosts.server4, 22), from_port=61_000 + n)
            forge_syns(hosts.client, [heavy], (hosts.server4, 80), from_port=61_000 + n)

        decision = watcher.during(wave(hosts))

        assert {
            (verdict.rule.name, str(verdict.source)): verdict.finding.value
            for verdict in decision.verdicts
        } == {
            ("ssh-half-open", innocent): "unproven",
            ("web-half-open", heavy): "throttle",
        }
        began = watcher.flood()
        assert (began.service, began.half_open, began.heaviest) == ("web", BACKLOG + 1, 70)
        assert began.sources == began.half_open - 69
        assert 2 * CROWD <= began.counters["SyncookiesSent"] <= 3 * CROWD
        assert any("port 80 has a backlog of 128" in line for line in began.advice)
        assert not any("tcp_syncookies" in line for line in began.advice)

        watcher.calm()
        over = watcher.told[-1]
        assert isinstance(over, Flood)
        assert (over.is_over, over.half_open, over.lasted) == (
            True,
            BACKLOG + 1,
            timedelta(seconds=15),
        )
        watcher.calm()
        assert len(watcher.told) == 2


def test_without_cookies_it_is_told_as_well(hosts: Hosts, watcher: Watcher) -> None:
    set_sysctl(hosts.server, "ipv4/tcp_syncookies", "0")
    with serve(hosts.server, 80, backlog=BACKLOG):
        watcher.during(wave(hosts))

    one = watcher.flood()
    assert (one.service, one.half_open) == ("web", BACKLOG + 1)
    assert one.counters["TCPReqQFullDrop"] > CROWD
    assert one.advice[:2] == (
        FORGED,
        "SYN cookies are off: sysctl -w net.ipv4.tcp_syncookies=1",
    )


def test_without_cookies_the_last_quarter_of_the_kernel_s_backlog_counts(
    hosts: Hosts, watcher: Watcher
) -> None:
    set_sysctl(hosts.server, "ipv4/tcp_syncookies", "0")
    set_sysctl(hosts.server, "ipv4/tcp_max_syn_backlog", "256")
    with serve(hosts.server, 80, backlog=4096):
        watcher.during(wave(hosts))

    one = watcher.flood()
    assert 192 <= one.half_open <= 194
    assert "TCPReqQFullDrop" not in one.counters
    assert one.counters["ListenDrops"] > CROWD
    assert any("no port keeps more than 192" in line for line in one.advice)


def test_a_listener_that_keeps_next_to_nothing(hosts: Hosts, watcher: Watcher) -> None:
    with serve(hosts.server, 80, backlog=4):
        watcher.during(wave(hosts))

    one = watcher.flood()
    assert (one.service, one.half_open) == ("web", 5)
    assert one.advice[0] == FORGED


def test_where_cookies_do_all_the_work_it_is_told_without_a_place(
    hosts: Hosts, watcher: Watcher
) -> None:
    set_sysctl(hosts.server, "ipv4/tcp_syncookies", "2")
    with serve(hosts.server, 80), serve(hosts.server, 22):
        watcher.during(wave(hosts))

    one = watcher.flood()
    assert (one.service, one.half_open) == ("", 0)
    assert one.counters["SyncookiesSent"] == 3 * CROWD
    assert watcher.memory.watch.pressed.isdisjoint({"web", "ssh"})


def test_clients_that_answer_cookies_are_no_flood(hosts: Hosts, watcher: Watcher) -> None:
    set_sysctl(hosts.server, "ipv4/tcp_syncookies", "2")
    sources = [str(hosts.sources4[n]) for n in range(1, 200)]
    with serve(hosts.server, 80), ExitStack() as stack:
        watcher.during(
            lambda: stack.enter_context(connect(hosts.client, sources, (hosts.server4, 80)))
        )

    assert watcher.told == []


def test_a_flood_over_ipv6(hosts: Hosts, watcher: Watcher) -> None:
    sources = [str(hosts.silent6[(n << 64) + 1]) for n in range(1, CROWD)]
    ports = iter(range(40_000, 50_000))
    with serve(hosts.server, 80, backlog=BACKLOG):
        watcher.during(
            lambda: forge_syns(hosts.client, sources, (hosts.server6, 80), from_port=next(ports))
        )

    one = watcher.flood()
    assert (one.half_open, one.sources, one.networks) == (BACKLOG + 1, BACKLOG + 1, 1)
    assert one.advice[0].startswith("2001:db8:19::/48 holds 129 of 129")


def test_a_port_that_no_service_has_is_told_by_its_number(hosts: Hosts, watcher: Watcher) -> None:
    with serve(hosts.server, 8443, backlog=BACKLOG):
        watcher.during(wave(hosts, port=8443))

    assert watcher.flood().service == "port 8443"


def test_a_flood_by_hping3_with_random_sources(hosts: Hosts, watcher: Watcher) -> None:
    ip("-n", hosts.server, "route", "add", "default", "via", hosts.client4)
    command = ["hping3", "-q", "-S", "-p", "80", "-i", "u200", "-c", "1500", "--rand-source"]

    def flood() -> None:
        with in_namespace(hosts.client):
            subprocess.run([*command, hosts.server4], capture_output=True, check=False, timeout=20)

    with serve(hosts.server, 80, backlog=BACKLOG):
        watcher.during(flood)

    one = watcher.flood()
    assert (one.service, one.half_open) == ("web", BACKLOG + 1)
    assert one.networks > 100
    assert 3000 < one.counters["SyncookiesSent"] < 4500
    assert one.advice[0] == FORGED


class TestSlow:
    """An application that does not accept is no flood."""

    @contextmanager
    def hanging(self, hosts: Hosts, backlog: int) -> Iterator[None]:
        """Listen on port 80, and never accept."""
        with (
            in_namespace(hosts.server),
            socket.create_server(
                ("::", 80), family=socket.AF_INET6, backlog=backlog, dualstack_ipv6=True
            ),
        ):
            yield

    @pytest.mark.parametrize("cookies", ["0", "1"])
    def test_its_clients_are_told_as_waiting(
        self, hosts: Hosts, watcher: Watcher, cookies: str
    ) -> None:
        set_sysctl(hosts.server, "ipv4/tcp_syncookies", cookies)
        office = str(hosts.sources4[7])
        with self.hanging(hosts, 16), ExitStack() as stack:
            decision = watcher.during(
                lambda: stack.enter_context(
                    connect(hosts.client, [office], (hosts.server4, 80), each=100, within_s=1.5)
                )
            )
            watcher.calm()

        began, *_ = watcher.told
        assert isinstance(began, Slow)
        assert (began.service, began.waiting, began.backlog) == ("web", 17, 16)
        assert began.counters["ListenOverflows"] > 0
        assert "this is no flood" in began.advice[0]
        assert {type(one) for one in watcher.told} == {Slow}
        assert decision.plan.add == ()
        assert watcher.memory.watch.pressed == frozenset()


POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, escalate: none}
services:
  web: {ports: [80]}
  ssh: {ports: [22]}
rules:
  - {name: web-half, service: web, count: half_open, above: 20, throttle: 1/s, for: 1m}
  - {name: ssh-half, service: ssh, count: half_open, above: 20, throttle: 1/s, for: 1m}
"""


def test_the_agent_tells_of_it_from_its_beginning_to_its_end(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    innocent, heavy = str(hosts.silent4[5]), str(hosts.silent4[9])
    flood = wave(hosts)
    with (
        serve(hosts.server, 80, backlog=BACKLOG),
        serve(hosts.server, 22),
        live(hosts.server, "nftables", write_policy(POLICY), folder) as agent,
    ):
        agent.wait_for("cycle.completed")
        for n in range(40):
            forge_syns(hosts.client, [innocent], (hosts.server4, 22), from_port=61_000 + n)
            forge_syns(hosts.client, [heavy], (hosts.server4, 80), from_port=61_000 + n)
        for _ in range(10):
            flood()
            time.sleep(0.2)

        assert agent.wait_for("ban.applied")["source"] == heavy
        began = agent.wait_for("flood.suspected")
        assert (began["service"], began["half_open"], began["level"]) == (
            "web",
            BACKLOG + 1,
            "warning",
        )
        agent.patience_s = 45.0
        ended = agent.wait_for("flood.ended")
        assert ended["half_open"] == BACKLOG + 1
        assert CROWD < ended["counters"]["SyncookiesSent"] <= 10 * CROWD
        assert 1 < ended["lasted_s"] < 10
        agent.end()
        events = agent.rest()

    assert {one["source"] for one in events if one["event"] == "ban.applied"} == {heavy}
    (left_alone,) = [
        one
        for one in events
        if one["event"] == "source.over_limit" and one.get("source") == innocent
    ]
    assert (left_alone["service"], left_alone["verdict"]) == ("ssh", "unproven")
    assert [one["event"] for one in events if one["event"].startswith("flood.")] == [
        "flood.suspected",
        "flood.ended",
    ]
