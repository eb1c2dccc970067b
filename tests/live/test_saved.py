"""Rule sets that were saved with bans in force, and restored on a machine that knows nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.act.ipset import sets as ipset_sets
from agent.act.ipset.names import names_in
from agent.act.iptables.firewall import Iptables
from agent.act.saved import EARLY_UNIT
from tests.live.agents import live
from tests.live.foreign import SUFFIX, attempt, by_hand, shell, tool
from tests.live.kernel import bans, structure
from tests.range import in_namespace, namespace

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
services:
  web: {ports: [80]}
  ssh: {ports: [22]}
rules:
  - {name: web, service: web, count: connections, above: 20}
  - {name: half, service: web, count: half_open, above: 20, throttle: 1/s, for: 7s}
"""
OVER, SHORTER, STAYS = "198.51.100.1", "2001:db8:18:9::9", "198.51.100.3"
LONG_S, SHORT_S = 600, 60
THEIRS = "203.0.113.77"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What an operator has on the disk.

    Attributes:
        rules: By the command that reads them.
        elements: What was in our sets, for ``ipset restore``; empty with nftables.
    """

    rules: dict[str, str]
    elements: str


def ban(server: str, firewall: str, where: tuple[str, ...], source: str, lasts_s: int) -> None:
    by_hand(server, firewall, "ban", source, "--for", f"{lasts_s}s", *where, "--json")


def forbid(server: str, firewall: str) -> None:
    """Have a rule of the operator's own beside ours."""
    if firewall == "nftables":
        head = "type filter hook input priority 0;"
        text = f"table inet theirs {{\nchain c {{\n{head}\nip saddr {THEIRS} drop\n}}\n}}\n"
        shell(server, "nft", "-f", "-", text=text)
    else:
        shell(server, tool(firewall, 4), "-A", "INPUT", "-s", THEIRS, "-j", "DROP")


def save(server: str, firewall: str) -> Saved:
    if firewall == "nftables":
        return Saved(rules={"nft -f -": shell(server, "nft", "list", "ruleset")}, elements="")
    rules = {
        tool(firewall, version, "-restore"): shell(server, tool(firewall, version, "-save"))
        for version in (4, 6)
    }
    return Saved(rules=rules, elements=shell(server, "ipset", "save"))


def is_forbidden(server: str, firewall: str) -> bool:
    """Whether the operator's rule is there."""
    words = ("nft", "list", "ruleset") if firewall == "nftables" else (tool(firewall, 4, "-save"),)
    return THEIRS in shell(server, *words)


@contextmanager
def rebooted(firewall: str, saved: Saved) -> Iterator[str]:
    """Make a machine that has loaded what was saved, the elements of sets as well."""
    with namespace() as server:
        if firewall != "nftables":
            # The danger: a set that is not there takes the operator's rules along.
            for command, text in saved.rules.items():
                assert attempt(server, *command.split(), text=text).returncode
            assert not is_forbidden(server, firewall)
            with in_namespace(server):
                assert ipset_sets.create(names_in("".join(saved.rules.values())))
        for command, text in saved.rules.items():
            shell(server, *command.split(), text=text)
        if saved.elements:
            shell(server, "ipset", "-exist", "restore", text=saved.elements)
        yield server


def test_a_saved_rule_set_is_loaded_and_held_against_the_ledger(
    firewall: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    where = ("--policy", str(policy), "--state-dir", str(folder))
    with namespace() as server:
        forbid(server, firewall)
        for source in (OVER, SHORTER, STAYS):
            ban(server, firewall, where, source, LONG_S)
        saved = save(server, firewall)
        before = structure(server, firewall)
        # What happens after the rules were saved, the ledger alone knows.
        by_hand(server, firewall, "unban", OVER, *where)
        ban(server, firewall, where, SHORTER, SHORT_S)

    with ExitStack() as stack:
        after = stack.enter_context(rebooted(firewall, saved))
        assert is_forbidden(after, firewall)
        assert bans(after, firewall, policy).keys() == {OVER, SHORTER, STAYS}
        agent = stack.enter_context(live(after, firewall, policy, folder))
        agent.wait_for("cycle.completed")
        agent.wait_for("cycle.completed")

        told = Counter((one["event"], one.get("source")) for one in agent.told)
        assert told["ban.restored", SHORTER] == told["ban.lifted", OVER] == 1
        left = {name: held.left for name, held in bans(after, firewall, policy).items()}
        assert left.keys() == {SHORTER, STAYS}
        assert all(one is not None for one in left.values())
        seconds = {name: one.total_seconds() for name, one in left.items() if one}
        assert SHORT_S - 30 < seconds[SHORTER] <= SHORT_S + 1
        assert LONG_S - 60 < seconds[STAYS] <= LONG_S + 1
        # Nothing twice, and nothing else than before.
        assert Counter(structure(after, firewall)) == Counter(before)


@pytest.mark.parametrize("firewall", sorted(SUFFIX), indirect=True)
def test_without_the_early_unit_a_saved_file_that_names_our_sets_is_a_fault(
    firewall: str, namespace: str, folder: Path, tmp_path: Path, write_policy: Callable[[str], Path]
) -> None:
    where = ("--policy", str(write_policy(POLICY)), "--state-dir", str(folder))
    ban(namespace, firewall, where, STAYS, LONG_S)
    path = tmp_path / "etc/iptables/rules.v4"
    path.parent.mkdir(parents=True)

    def faults(text: str) -> list[str]:
        path.write_text(text)
        with in_namespace(namespace):
            found = Iptables(suffix=SUFFIX[firewall], root=tmp_path).inspect().faults
        return [one for one in found if "rules.v4" in one]

    text = shell(namespace, tool(firewall, 4, "-save"))
    (fault,) = faults(text)
    assert EARLY_UNIT in fault
    assert faults("*filter\nCOMMIT\n") == []
    unit = tmp_path / "etc/systemd/system" / EARLY_UNIT
    unit.parent.mkdir(parents=True)
    unit.touch()
    assert faults(text) == [fault]  # there, but not enabled
    wants = unit.parent / "sysinit.target.wants"
    wants.mkdir()
    (wants / EARLY_UNIT).symlink_to(unit)
    assert faults(text) == []
