"""SIGKILL at any step, then a restart, or a reboot: nothing is lost, twice, or for ever."""

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.act import command as tools
from agent.act.interface import Firewall
from agent.model.ban import Held as BanHeld
from agent.model.plan import Plan
from agent.record.sqlite.ledger import open_ledger
from agent.service import clock
from tests.builders import NOW, ban, layout, prefix, throttle
from tests.live.agents import command, live, once
from tests.live.kernel import bans, structure
from tests.live.program import STEPS, make
from tests.range import Held, Hosts, connect, eventually, in_namespace, namespace, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, ban: 1m}
services: {web: {ports: [80]}}
rules:
  - {name: web, service: web, count: connections, above: 20}
"""
BANNED = {"198.18.0.9", "2001:db8:18:9::/64"}
KERNEL_ALONE_KNOWS = {"apply", "installed", "cut"}
MINUTE, ROUNDING = timedelta(minutes=1), timedelta(seconds=1)

WHERE = [
    *(("nftables", step) for step in STEPS),
    *((variant, step) for variant in ("iptables-legacy", "iptables-nft") for step in STEPS[1::3]),
]


@contextmanager
def too_many(hosts: Hosts) -> Iterator[Held]:
    """Have two sources hold more than the policy's limit; give the server."""
    with (
        serve(hosts.server, 80) as server,
        connect(hosts.client, ["198.18.0.9"], (hosts.server4, 80), each=21),
        connect(hosts.client, ["2001:db8:18:9::9"], (hosts.server6, 80), each=21),
    ):
        yield server


def left_of(held: BanHeld) -> timedelta:
    """How long a ban still holds; one that does for ever fails the test."""
    assert held.left is not None
    return held.left


def names(told: Iterable[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in told]


def check_ledger(folder: Path, sources: set[str]) -> None:
    """Each source is in force once, and its history counts that once."""
    ledger = open_ledger(
        folder, boot_id=clock.boot_id(), stopwatch=clock.stopwatch, now=clock.now()
    )
    assert sorted(str(one.source) for one in ledger.in_force()) == sorted(sources)
    assert {str(one): len(past) for one, past in ledger.history().items()} == dict.fromkeys(
        sources, 1
    )
    assert not ledger.intended()
    ledger.close()


@pytest.mark.parametrize(("firewall", "step"), WHERE)
def test_killed_at_any_step_it_goes_on_as_if_nothing_had_been(
    hosts: Hosts, firewall: str, step: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy, later = write_policy(POLICY), folder.with_name("later")
    with too_many(hosts) as server:
        status, _ = once(hosts.server, firewall, policy, folder, kill=step)
        assert status == -signal.SIGKILL
        shutil.copytree(folder, later)
        before = bans(hosts.server, firewall, policy)
        assert before.keys() == (set() if step == "intend" else BANNED)

        status, told = once(hosts.server, firewall, policy, folder)
        assert status == 0
        assert eventually(lambda: server.still_open() == 0)
    after = bans(hosts.server, firewall, policy)
    assert after.keys() == BANNED
    most = {source: left_of(one) for source, one in before.items()}
    assert all(
        timedelta(0) < left_of(one) <= most.get(source, MINUTE) + ROUNDING
        for source, one in after.items()
    )
    assert names(told).count("ban.adopted") == (2 if step in KERNEL_ALONE_KNOWS else 0)
    assert names(told).count("ban.applied") == (2 if step == "intend" else 0)
    check_ledger(folder, BANNED)

    with namespace() as fresh:
        status, told = once(fresh, firewall, policy, later, boot="another one")
        assert status == 0
        # Only what had been told as applied is known to have held.
        restored = bans(fresh, firewall, policy)
        assert restored.keys() == (BANNED if step == "settle" else set())
        assert all(timedelta(0) < left_of(one) <= MINUTE for one in restored.values())
        assert names(told).count("ban.restored") == len(restored)
        # This agent was never killed in this namespace: its rules are what there should be.
        assert structure(hosts.server, firewall) == structure(fresh, firewall)


def test_dead_until_its_ban_was_over_it_bans_nobody_for_what_was_left(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY.replace("1m", "1s"))
    with too_many(hosts) as server:
        status, _ = once(hosts.server, "nftables", policy, folder, kill="apply")
        assert status == -signal.SIGKILL
        assert server.still_open() == 42
        assert eventually(lambda: not bans(hosts.server, "nftables", policy))

        status, told = once(hosts.server, "nftables", policy, folder)
        assert status == 0
        assert not {"ban.planned", "ban.applied", "source.over_limit"} & set(names(told))
        assert eventually(lambda: server.still_open() == 0)


def test_a_command_that_is_killed_beside_an_agent_is_completed_by_it(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    where = ("--policy", str(policy), "--state-dir", str(folder))
    with live(hosts.server, "nftables", policy, folder) as agent:
        agent.wait_for("cycle.completed")
        order = ("ban", "198.18.0.9", "--for", "1m", *where)
        assert command(hosts.server, "nftables", *order, kill="apply").returncode < 0
        agent.wait_for("ban.adopted", source="198.18.0.9")
        assert bans(hosts.server, "nftables", policy).keys() == {"198.18.0.9"}

        unban = ("unban", "198.18.0.9", *where)
        assert command(hosts.server, "nftables", *unban, kill="apply").returncode < 0
        agent.wait_for("ban.lifted", source="198.18.0.9")
        assert not bans(hosts.server, "nftables", policy)


def test_killed_while_it_restores_after_a_reboot_it_restores_once(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    with too_many(hosts):
        once(hosts.server, "nftables", policy, folder)
    with namespace() as fresh:
        status, _ = once(fresh, "nftables", policy, folder, kill="apply", boot="another one")
        assert status == -signal.SIGKILL
        status, told = once(fresh, "nftables", policy, folder, boot="another one")
        assert status == 0
        assert not {"ban.adopted", "ban.restored", "ban.expired"} & set(names(told))
        restored = bans(fresh, "nftables", policy)
    assert restored.keys() == BANNED
    assert all(left_of(one) <= MINUTE for one in restored.values())


CHANGES = {"-f", "restore", "--noflush", "destroy"}
"""A word of these is in every command that changes anything."""


def die_after(number: int) -> None:
    """Have this process end by SIGKILL when it has changed the kernel so often."""
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    class Counted(tools.subprocess.Popen):  # type: ignore[name-defined,misc]
        def __exit__(self, *reason: object) -> None:
            super().__exit__(*reason)
            if CHANGES & set(self.args):
                count()

    tools.subprocess.Popen = Counted  # type: ignore[attr-defined]
    from agent.act.iptables.legacy import LegacyVariant  # noqa: PLC0415 - only in the child

    write = LegacyVariant.write

    def write_and_count(self: LegacyVariant, *change: object) -> None:
        write(self, *change)  # type: ignore[arg-type]
        count()

    LegacyVariant.write = write_and_count  # type: ignore[method-assign,assignment]


def killed_after(number: int, act: Callable[[], None]) -> bool:
    """Whether a child that does this was killed after so many changes, before it was through."""
    child = os.fork()
    if not child:
        try:
            die_after(number)
            act()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}
    return status != 0


PLAN = Plan(
    add=(
        ban("192.0.2.10/32"),
        ban("192.0.2.64/28", ban_id="b2"),
        ban("2001:db8::/64", ban_id="b3"),
        throttle("192.0.2.11/32", ban_id="b4"),
    ),
    allow=frozenset({prefix("192.0.2.66/32")}),
)


def make_everything(name: str) -> Firewall:
    """Open and prepare a firewall, and make the plan true."""
    firewall = make(name)
    firewall.prepare(layout())
    firewall.apply(PLAN, NOW)
    return firewall


def test_killed_between_any_two_commands_the_next_start_mends_it(firewall: str) -> None:
    with namespace() as name, in_namespace(name):
        make_everything(firewall)
        whole = structure(name, firewall)

    def act() -> None:
        make_everything(firewall)

    number = 1
    while True:
        with namespace() as name, in_namespace(name):
            was_killed = killed_after(number, act)
            mended = make_everything(firewall)
            found = mended.installed(NOW)
            assert structure(name, firewall) == whole
        assert {one.mark.ban_id for one in found.bans if one.mark} == {"b1", "b2", "b3", "b4"}
        assert len(found.bans) == 4
        assert all(one.left and one.left <= timedelta(minutes=10) + ROUNDING for one in found.bans)
        assert found.allowed == PLAN.allow
        if not was_killed:
            break
        number += 1
    assert number > 2
