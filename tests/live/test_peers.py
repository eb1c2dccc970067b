"""Known defects of tools that do the same job: none of them is ours.

Each was found by reading a peer's source or its issues; the test says whose it is.
"""

import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.act.cut.cutting import cut
from agent.enact import Hands
from agent.model.plan import Plan
from agent.record.events import Event
from agent.record.ledger import MemoryLedger
from tests.builders import NOW, ban, layout
from tests.live.agents import command, live, once
from tests.live.kernel import bans, tool
from tests.live.program import make
from tests.range import Held, Hosts, connect, eventually, in_namespace, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
safety: {max_bans: 3}
defaults: {sustained: 1 of 1, ban: 1m}
services: {web: {ports: [80]}, forum: {ports: [82]}}
allowlist:
  - {name: partner, kind: partner, prefixes: [198.18.40.200], grants: exempt}
rules:
  - {name: web, service: web, count: connections, above: 20}
  - name: forum
    service: forum
    count: connections
    above: 30
    members: 5
    per: {ipv4: 24, ipv6: 56}
"""
FIREWALL = "nftables"


def names(told: Iterable[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in told]


@dataclass(slots=True)
class Scene:
    """A server with open ports, and an agent's policy and state directory."""

    hosts: Hosts
    policy: Path
    folder: Path

    def cycle(self) -> list[dict[str, Any]]:
        """Run one cycle of a live agent, and give what it told."""
        status, told = once(self.hosts.server, FIREWALL, self.policy, self.folder)
        assert status == 0
        return told

    def banned(self) -> set[str]:
        return set(bans(self.hosts.server, FIREWALL, self.policy))

    def by_hand(self, *words: str) -> str:
        """Run a command beside the agent, and give what it printed."""
        where = ("--policy", str(self.policy), "--state-dir", str(self.folder))
        done = command(self.hosts.server, FIREWALL, *words, *where)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def holds(self, source: str, each: int = 1, port: int = 80) -> Held:
        return connect(
            self.hosts.client, [source], (self.hosts.server4, port), each=each, within_s=0.4
        )

    def reaches(self, source: str, port: int = 80) -> bool:
        with self.holds(source, port=port) as one:
            return one.connected == 1


@pytest.fixture
def scene(hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]) -> Iterator[Scene]:
    with serve(hosts.server, 80), serve(hosts.server, 82):
        yield Scene(hosts, write_policy(POLICY), folder)


def test_unbanning_one_leaves_those_alone_whose_address_contains_it(scene: Scene) -> None:
    """ddos-deflate unbans by an unanchored ``grep -v``: 198.18.2.3 takes 198.18.2.34 with it."""
    others = ("198.18.2.34", "198.18.2.30")
    for one in ("198.18.2.3", *others):
        scene.by_hand("ban", one, "--for", "1m")

    scene.by_hand("unban", "198.18.2.3")

    assert scene.banned() == set(others)
    assert scene.reaches("198.18.2.3")
    assert not any(map(scene.reaches, others))
    listed = command(scene.hosts.server, FIREWALL, "bans", "--state-dir", str(scene.folder))
    assert all(one in listed.stdout for one in others)


def test_after_a_reboot_a_listed_source_is_kept_out_and_never_immune(scene: Scene) -> None:
    """ddos-deflate exempts whom its list holds, and a reboot takes the rules, not the list."""
    with scene.holds("198.18.0.9", 21):
        scene.cycle()
    tool(scene.hosts.server, "nft", "flush", "ruleset")

    assert scene.reaches("198.18.0.9")
    told = scene.cycle()

    assert "ban.restored" in names(told)
    assert scene.banned() == {"198.18.0.9"}
    assert not scene.reaches("198.18.0.9")


def test_a_client_of_a_dual_stack_socket_is_banned_as_what_it_is(scene: Scene) -> None:
    """ddos-deflate gives ::ffff:1.2.3.4 to ip6tables, where the rule stops nobody."""
    # serve() listens on [::], where IPv4 clients show up as ::ffff:a.b.c.d.
    with scene.holds("198.18.0.9", 21):
        scene.cycle()

    assert scene.banned() == {"198.18.0.9"}
    assert not scene.reaches("198.18.0.9")


def test_a_rule_about_one_state_counts_it(
    scene: Scene, write_policy: Callable[[str], Path]
) -> None:
    """ddos-deflate reads no column that ``ss`` leaves out: with one state it sees nobody."""
    write_policy(POLICY.replace("above: 20", "above: 20, states: [CLOSE_WAIT]"))
    held = scene.holds("198.18.0.9", 21)
    assert not scene.cycle()[-1].get("error")
    assert scene.banned() == set()
    held.close()  # the server's side stays, in CLOSE_WAIT

    assert eventually(lambda: scene.cycle() != [] and scene.banned() == {"198.18.0.9"})


def test_at_its_end_the_agent_leaves_other_processes_and_rules_alone(scene: Scene) -> None:
    """ddos-deflate kills every tcpdump of the host when it stops."""
    server = scene.hosts.server
    tool(
        server,
        "nft",
        "add table inet theirs; add chain inet theirs input; "
        "add set inet theirs banned { type ipv4_addr; }; "
        "add element inet theirs banned { 192.0.2.1 }",
    )
    theirs = tool(server, "nft", "list", "table", "inet", "theirs")
    with in_namespace(server), subprocess.Popen(["sleep", "60"]) as bystander:
        try:
            with live(server, FIREWALL, scene.policy, scene.folder) as agent:
                agent.wait_for("cycle.completed")
                assert agent.end() == 0
            torn = command(server, FIREWALL, "teardown", "--state-dir", str(scene.folder))
            assert torn.returncode == 0, torn.stderr
            assert bystander.poll() is None
        finally:
            bystander.kill()
    assert tool(server, "nft", "list", "ruleset") == theirs


def test_at_max_bans_none_in_force_is_evicted(scene: Scene) -> None:
    """CSF drops the oldest of its bans above DENY_TEMP_IP_LIMIT: an attack evicts its own."""
    first = {"198.18.0.1", "198.18.0.2", "198.18.0.3"}
    with connect(scene.hosts.client, sorted(first), (scene.hosts.server4, 80), each=21):
        scene.cycle()
    assert scene.banned() == first

    with scene.holds("198.18.0.4", 40):
        told = scene.cycle()

    assert scene.banned() == first
    over = [one for one in told if one["event"] == "source.over_limit"]
    assert [(one["source"], one["verdict"]) for one in over] == [("198.18.0.4", "deferred")]
    assert "set.full" in names(told)


def test_an_exempt_member_of_a_banned_range_is_neither_counted_nor_hit(scene: Scene) -> None:
    """CSF counts an ignored member into its /24, and bans it with the range."""
    members = [f"198.18.40.{n}" for n in range(1, 6)]
    with scene.holds("198.18.40.200", 20, port=82) as partner:
        with connect(scene.hosts.client, members, (scene.hosts.server4, 82), each=4):
            told = scene.cycle()  # 20 without the partner, 40 with it
            assert "source.over_limit" not in names(told)
        with connect(scene.hosts.client, members, (scene.hosts.server4, 82), each=7):
            scene.cycle()
        assert scene.banned() == {"198.18.40.0/24"}
        assert partner.still_open() == 20
        assert scene.reaches("198.18.40.200", 82)


def test_a_range_ban_stops_the_whole_range(scene: Scene) -> None:
    """The CrowdSec bouncer puts only the network's address of a range into its nftables set."""
    scene.by_hand("ban", "198.18.7.0/24", "--for", "1m")

    assert not any(map(scene.reaches, ("198.18.7.0", "198.18.7.1", "198.18.7.255")))
    assert all(map(scene.reaches, ("198.18.6.255", "198.18.8.0")))


def test_a_ban_that_comes_again_is_enforced_again(scene: Scene) -> None:
    """fail2ban and the bouncer take a ban that they remember for one that is enforced."""
    scene.by_hand("ban", "198.18.0.9", "--for", "1m")
    scene.by_hand("unban", "198.18.0.9")
    assert scene.reaches("198.18.0.9")
    with scene.holds("198.18.0.9", 21):
        assert "ban.applied" not in names(scene.cycle())  # it has half an hour's grace
    with closing(sqlite3.connect(scene.folder / "ledger.db")) as ledger:
        ledger.execute("DELETE FROM permits")
        ledger.commit()

    with scene.holds("198.18.0.9", 21):
        told = scene.cycle()

    assert "ban.applied" in names(told)
    assert scene.banned() == {"198.18.0.9"}
    assert not scene.reaches("198.18.0.9")


def test_an_insert_that_failed_is_told_as_failed(namespace: str) -> None:
    """The bouncer logs that a rule could not be inserted, and goes on as if it were there."""
    told: list[Event] = []
    ledger = MemoryLedger()
    with in_namespace(namespace):
        there = make(FIREWALL)
        there.prepare(layout())
        hands = Hands(firewall=there, ledger=ledger, cut=None, tell=told.append)
        there.apply(Plan(add=(ban("198.18.7.0/25"),)), NOW)
        # What overlaps in a set of prefixes the kernel refuses.
        good, bad = ban("198.18.9.9/32", ban_id="b2"), ban("198.18.7.0/24", ban_id="b3")
        hands.carry_out(Plan(add=(good, bad)), frozenset({22}), NOW)

    outcomes = [(one.name, one.fields["ban_id"]) for one in told if one.name != "ban.planned"]
    assert sorted(outcomes) == [("ban.applied", "b2"), ("ban.failed", "b3")]
    assert ledger.in_force() == (good,)


def test_a_path_without_tools_does_not_empty_the_allowlist(scene: Scene) -> None:
    """ddos-deflate's allowlist is silently empty where PATH or the machine lacks grepcidr.

    A machine without ``nft`` itself is refused: tests/live/test_refusals.py.
    """
    before = ("env", "PATH=/nowhere")
    with live(scene.hosts.server, FIREWALL, scene.policy, scene.folder, before=before) as agent:
        agent.wait_for("cycle.completed")
        with scene.holds("198.18.40.200", 25) as partner:
            exempt = agent.wait_for("source.exempt", source="198.18.40.200")
            assert partner.still_open() == 25
    assert exempt["allowlist"] == "partner"
    assert "198.18.40.200" in tool(scene.hosts.server, "nft", "list", "ruleset")


def test_a_ban_ends_though_nobody_is_there_to_end_it(scene: Scene) -> None:
    """fail2ban's and ddos-deflate's bans have no timer in the kernel: they end when it lives."""
    scene.by_hand("ban", "198.18.0.9", "--for", "1s")

    assert not scene.reaches("198.18.0.9")
    assert eventually(lambda: scene.reaches("198.18.0.9"))


def test_nothing_to_remove_from_conntrack_is_success(namespace: str) -> None:
    """Scripts around ``conntrack -D`` take its status for nothing found as a failure."""
    with in_namespace(namespace):
        done = cut([ban()], frozenset(), frozenset({22}))
    assert (done.flows, done.failure) == (0, None)
