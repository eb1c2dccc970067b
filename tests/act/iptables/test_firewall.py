"""iptables as its owner's machine has it: rules of others, flushes, kills, locks, refusals."""

import fcntl
import importlib
import itertools
import os
import re
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.act import command, privilege
from agent.act.interface import DIFFERS
from agent.act.ipset import sets as ipset_sets
from agent.act.iptables.firewall import Iptables
from agent.act.iptables.legacy import LegacyVariant
from agent.act.iptables.lock import xtables_lock
from agent.act.iptables.nft import NftVariant
from agent.decide.layout import layout_of
from agent.errors import FirewallError, PrivilegeError
from agent.model.plan import Plan
from tests.builders import (
    NOW,
    SSH,
    WEB,
    ban,
    half_open,
    layout,
    policy,
    prefix,
    rule,
    source,
    throttle,
)
from tests.range import in_namespace, namespace

pytestmark = pytest.mark.root

OTHERS = """\
*raw
:others - [0:0]
-A PREROUTING -i eth9 -j others
-A others -p udp -j NOTRACK
COMMIT
*mangle
:others - [0:0]
-A INPUT -i eth9 -j others
-A FORWARD -p tcp -m comment --comment "-j abuse-agent" -j MARK --set-xmark 0x1/0xffffffff
-A others -m set --match-set people src -j DROP
COMMIT
"""


USE = ("-p", "tcp", "-m", "set", "--match-set", "aa4-web", "src", "-j", "DROP")
MORE = layout_of(policy(rule(), half_open(), services=(WEB,)))
LESS = layout_of(policy(services=(WEB,)))


class Killed(BaseException):
    """What no code of ours handles."""


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XTABLES_LOCKFILE", str(tmp_path / "xtables.lock"))
    with namespace() as name, in_namespace(name):
        yield


@pytest.fixture(name="suffix", params=["-legacy", "-nft"])
def _suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def firewall(suffix: str, tmp_path: Path) -> Iptables:
    """Give one that is prepared and was read."""
    made = Iptables(suffix, root=tmp_path)
    made.prepare(layout())
    made.installed(NOW)
    return made


def tool(*words: str, script: str = "") -> str:
    """Be somebody else at the same firewall."""
    return subprocess.run(
        [f"/usr/sbin/{words[0]}", *words[1:]],
        input=script,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def rules(suffix: str) -> list[str]:
    """Give all rules and sets of both families, without what changes by itself."""
    texts = [
        tool(f"{name}{suffix}-save", "-t", table)
        for name in ("iptables", "ip6tables")
        for table in ("raw", "mangle")
    ]
    sets = tool("ipset", "save")
    lines = [line for text in texts for line in text.splitlines() if line[:1] in {"-", ":", "*"}]
    return lines + sorted(line.partition(" initval ")[0] for line in sets.splitlines())


def test_what_had_to_be_made_is_named(suffix: str) -> None:
    made = Iptables(suffix)

    missing = made.missing(layout())

    assert {"aa4-web", "aa6-allow", "raw PREROUTING", "mangle INPUT (IPv6)"} < set(missing)
    assert made.prepare(layout()) == missing
    assert Iptables(suffix).prepare(layout()) == ()


def test_rules_and_sets_of_others_stay_as_they_are(suffix: str) -> None:
    tool("ipset", "create", "people", "hash:ip")
    tool("ipset", "create", "aa-people", "hash:ip")
    tool(f"iptables{suffix}-restore", script=OTHERS)
    before = rules(suffix)
    firewall = Iptables(suffix)

    firewall.prepare(layout())
    firewall.apply(Plan(add=(ban(), throttle()), allow=frozenset({prefix("10.0.0.0/8")})), NOW)
    assert set(before) < set(rules(suffix))
    firewall.teardown()

    assert [one for one in rules(suffix) if one in before] == before
    assert not [one for one in rules(suffix) if "abuse-agent" in one and one not in before]
    assert "aa4-" not in tool("ipset", "save")


def test_half_of_it_can_be_removed(firewall: Iptables, suffix: str) -> None:
    tool(f"iptables{suffix}", "-t", "raw", "-F")
    tool(f"ip6tables{suffix}", "-t", "mangle", "-D", "INPUT", "-j", "abuse-agent")
    tool(f"iptables{suffix}", "-t", "mangle", "-A", "OUTPUT", "-p", "tcp", "-j", "abuse-agent")
    tool("ipset", "destroy", "aa4-host")

    assert firewall.teardown()

    assert firewall.teardown() == ()
    assert not [line for line in rules(suffix) if "a4-" in line or "abuse" in line]


@pytest.mark.parametrize(("before", "after"), [("-legacy", "-nft"), ("-nft", "-legacy")])
def test_rules_left_behind_in_the_other_variant_are_removed(before: str, after: str) -> None:
    Iptables(before).prepare(layout())
    Iptables(after).prepare(layout())

    assert "raw PREROUTING" in Iptables(after).teardown()

    left = rules(before) + rules(after)
    assert not [line for line in left if "a4-" in line or "abuse" in line]


@pytest.mark.parametrize("work", ["prepare", "change", "teardown"])
def test_killed_between_any_two_steps_it_goes_on_where_it_was(
    suffix: str, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = LESS if work == "change" else MORE
    Iptables(suffix).prepare(wanted)
    intact = rules(suffix)
    Iptables(suffix).teardown()
    for step in itertools.count(1):
        if not _is_killed(suffix, work, step, monkeypatch):
            break
        Iptables(suffix).prepare(wanted)
        assert rules(suffix) == intact
        assert Iptables(suffix).missing(wanted) == ()
        Iptables(suffix).teardown()
    assert step > 3


def _is_killed(suffix: str, work: str, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Do some work, and die after so many of its steps; false when it had fewer."""
    steps = itertools.count(1)

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            result = real(*given, **named)
            if next(steps) == step:
                raise Killed
            return result

        return call

    firewall = Iptables(suffix)
    if work != "prepare":
        firewall.prepare(MORE)
    with monkeypatch.context() as patch:
        patch.setattr(LegacyVariant, "write", deadly(LegacyVariant.write))
        patch.setattr(NftVariant, "write", deadly(NftVariant.write))
        patch.setattr(ipset_sets, "stream", deadly(command.stream))
        try:
            if work == "teardown":
                firewall.teardown()
            else:
                firewall.prepare(
                    layout_of(policy(services=(WEB,))) if work == "change" else layout()
                )
        except Killed:
            return True
    return False


def test_who_flushes_a_set_is_seen(firewall: Iptables) -> None:
    firewall.apply(Plan(add=(ban(), ban("192.0.2.11/32"))), NOW)
    assert not firewall.is_touched()

    tool("ipset", "flush", "aa4-web")

    assert firewall.is_touched()
    firewall.installed(NOW)
    assert not firewall.is_touched()


@pytest.mark.parametrize("change", ["add aa4-web 192.0.2.7", "del aa4-allow 10.0.0.0/8"])
def test_who_changes_a_set_is_seen(firewall: Iptables, change: str) -> None:
    firewall.apply(Plan(allow=frozenset({prefix("10.0.0.0/8"), prefix("::1/128")})), NOW)
    firewall.apply(Plan(allow=frozenset({prefix("10.0.0.0/8")})), NOW)
    assert not firewall.is_touched()

    tool("ipset", *change.split())

    assert firewall.is_touched()


@pytest.mark.parametrize("name", ["iptables", "ip6tables"])
def test_who_flushes_our_chain_is_seen_and_mended(
    firewall: Iptables, suffix: str, name: str
) -> None:
    tool(f"{name}{suffix}", "-t", "mangle", "-F", "abuse-agent")

    assert firewall.is_touched()
    assert all(one.endswith(DIFFERS) for one in Iptables(suffix).missing(layout()))
    assert len(firewall.prepare(layout())) == 1
    assert not firewall.is_touched()
    assert firewall.inspect().faults == ()


def test_a_change_of_others_that_comes_between_is_seen(
    firewall: Iptables, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NftVariant, "write", _after_a_stranger(NftVariant.write, suffix))
    tool(f"iptables{suffix}", "-t", "raw", "-F", "abuse-agent")

    firewall.prepare(layout())

    assert firewall.is_touched() is (suffix == "-nft")


def test_a_commit_that_somebody_was_quicker_than_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The library has taken its look at the table when it makes the first chain.
    create = iptc().Table.create_chain
    monkeypatch.setattr(iptc().Table, "create_chain", _after_a_stranger(create, "-legacy"))

    Iptables("-legacy").prepare(layout())

    assert rules("-legacy").count("-A PREROUTING -j abuse-agent") == 2
    assert rules("-legacy").count("-A OUTPUT -j ACCEPT") == 1
    assert Iptables("-legacy").prepare(layout()) == ()


def iptc() -> Any:
    """Load the library as the firewall does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("iptc")


def _after_a_stranger(real: Callable[..., Any], suffix: str) -> Callable[..., Any]:
    """Have somebody else write, without the lock, before the first call has its effect."""
    first = iter([True])

    def call(*given: Any) -> None:
        if next(first, False):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("XTABLES_LOCKFILE", os.devnull)
                tool(f"iptables{suffix}", "-t", "raw", "-A", "OUTPUT", "-j", "ACCEPT")
        real(*given)

    return call


def test_a_lock_that_another_process_holds_is_named() -> None:
    path = Path(os.environ["XTABLES_LOCKFILE"])
    with path.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with (
            pytest.raises(FirewallError, match=re.escape(str(path))),
            xtables_lock(patience_s=0.05),
        ):
            raise AssertionError


def test_a_lock_that_may_not_be_opened_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(PrivilegeError, match="0660 root abuse-agent"), xtables_lock():
        raise AssertionError


def test_a_refused_ban_does_not_keep_the_others_out(firewall: Iptables) -> None:
    # One of no bits fits no hash.
    bans = [ban(f"192.0.2.{n}/32") for n in range(40)]
    bans.insert(17, ban("0.0.0.0/0"))
    bans.insert(30, ban("::/0"))

    with pytest.raises(FirewallError, match="2 of 43 refused"):
        firewall.apply(Plan(add=(*bans, ban(service=SSH))), NOW)

    assert len(firewall.installed(NOW).bans) == 41


def test_without_an_allow_set_nobody_is_banned(firewall: Iptables, suffix: str) -> None:
    tool(f"iptables{suffix}", "-t", "raw", "-F", "abuse-agent")
    tool(f"iptables{suffix}", "-t", "mangle", "-F", "abuse-agent")
    assert command.run("ipset", "list", "-n")
    ipset_sets.destroy(["aa4-allow"])

    with pytest.raises(FirewallError, match="aa4-allow"):
        firewall.apply(Plan(add=(ban(),), allow=frozenset({prefix("10.0.0.0/8")})), NOW)

    assert firewall.installed(NOW).bans == ()
    assert any("aa4-allow" in name for name in firewall.prepare(layout()))


def test_a_set_that_somebody_removed_is_named_and_made_again(
    firewall: Iptables, suffix: str
) -> None:
    tool(f"iptables{suffix}", "-t", "mangle", "-F", "abuse-agent")
    ipset_sets.destroy(["aa4-web"])

    with pytest.raises(FirewallError, match="somebody removed aa4-web: 2 of 3 refused") as caught:
        firewall.apply(Plan(add=(ban(), ban("192.0.2.11/32"), ban(service=SSH))), NOW)

    assert "\n" not in str(caught.value)
    assert [one.target for one in firewall.installed(NOW).bans] == [ban(service=SSH).target]
    assert "aa4-web" in firewall.prepare(layout())
    firewall.apply(Plan(add=(ban(),)), NOW)
    assert len(firewall.installed(NOW).bans) == 2


STRANGERS = [
    pytest.param("aa4-web", "hash:ip", id="without timers"),
    pytest.param("aa4-web", "hash:ip timeout 600 comment", id="which takes prefixes apart"),
    pytest.param("aa4-web", "hash:net family inet6 timeout 600 comment", id="of the other family"),
    pytest.param("aa4-allow", "hash:net timeout 5", id="an allow set that ends"),
]


@pytest.mark.parametrize(("name", "made"), STRANGERS)
def test_a_set_of_our_name_that_somebody_else_made_is_replaced(
    suffix: str, name: str, made: str
) -> None:
    tool("ipset", "create", name, *made.split())
    firewall = Iptables(suffix)
    assert f"{name}{DIFFERS}" in firewall.missing(layout())

    assert name in firewall.prepare(layout())

    assert Iptables(suffix).missing(layout()) == ()
    firewall.apply(Plan(add=(ban("192.0.2.0/24"),), allow=frozenset({prefix("10.0.0.0/8")})), NOW)
    assert [str(one.source) for one in firewall.installed(NOW).bans] == ["192.0.2.0/24"]


def test_a_set_of_another_kind_in_our_rules_is_replaced(firewall: Iptables, suffix: str) -> None:
    before = rules(suffix)
    tool(f"iptables{suffix}", "-t", "mangle", "-F", "abuse-agent")
    ipset_sets.destroy(["aa4-web"])
    tool("ipset", "create", "aa4-web", "hash:ip")
    tool(f"iptables{suffix}", "-t", "mangle", "-A", "abuse-agent", *USE)

    assert "aa4-web" in firewall.prepare(layout())

    assert rules(suffix) == before


def test_a_set_of_another_kind_that_others_use_is_told_in_one_line(
    firewall: Iptables, suffix: str
) -> None:
    tool(f"iptables{suffix}", "-t", "mangle", "-F", "abuse-agent")
    ipset_sets.destroy(["aa4-web"])
    tool("ipset", "create", "aa4-web", "hash:ip")
    tool(f"iptables{suffix}", "-t", "mangle", "-A", "OUTPUT", *USE)
    before = rules(suffix)

    with pytest.raises(FirewallError, match=r"^aa4-web: somebody made .* rules of others use it"):
        firewall.prepare(layout())

    assert rules(suffix) == before


def test_a_set_that_is_not_needed_any_more_but_used_by_others_keeps_nobody_from_work(
    firewall: Iptables, suffix: str
) -> None:
    firewall.apply(Plan(add=(ban(), ban("192.0.2.11/32", service=SSH))), NOW)
    tool(f"iptables{suffix}", "-t", "mangle", "-A", "OUTPUT", *USE)
    without = layout_of(policy(services=(SSH,)))

    firewall.prepare(without)

    assert [one.source for one in firewall.installed(NOW).bans] == [source("192.0.2.11/32")]
    assert "192.0.2.10" not in tool("ipset", "save", "aa4-web")
    assert any("rules of others use aa4-web" in fault for fault in firewall.inspect().faults)
    assert firewall.prepare(without) == ()
    tool(f"iptables{suffix}", "-t", "mangle", "-F", "OUTPUT")


def test_a_rule_ahead_of_ours_is_told(firewall: Iptables, suffix: str) -> None:
    tool(f"iptables{suffix}", "-t", "raw", "-I", "PREROUTING", "-i", "lo", "-j", "ACCEPT")

    assert any("-i lo -j ACCEPT" in fault for fault in firewall.inspect().faults)


@pytest.mark.parametrize("lost", ["ipset", "iptables-nft"])
def test_a_missing_command_is_told_in_one_line(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "agent.act.iptables.firewall.find", lambda name: None if name == lost else name
    )

    with pytest.raises(FirewallError, match=f"there is no {lost} here"):
        Iptables("-nft")


def test_without_the_capability_it_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = tmp_path / "status"
    status.write_text("CapEff:\t0000000000001000\n")
    monkeypatch.setattr(
        "agent.act.iptables.firewall.demand", lambda *names: privilege.demand(*names, status=status)
    )

    with pytest.raises(PrivilegeError, match="CAP_NET_RAW"):
        Iptables("-nft")


def test_without_ipv6_in_the_kernel_it_goes_on(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.act.iptables.firewall._IF_INET6", tmp_path / "if_inet6")
    firewall = Iptables(suffix)

    assert not [one for one in firewall.prepare(layout()) if "aa6" in one or "IPv6" in one]
    firewall.apply(Plan(add=(ban(),), allow=frozenset({prefix("::/0")})), NOW)

    assert len(firewall.installed(NOW).bans) == 1
    assert firewall.inspect().faults == ()
