"""The firewalls of one machine: the one in use, and what is left in others."""

import pytest

from agent.act import choose
from agent.act.dry_run import DryRun
from agent.act.interface import Firewall
from agent.errors import FirewallError, PrivilegeError


class Full(DryRun):
    """A firewall that holds something of ours."""

    def teardown(self) -> tuple[str, ...]:
        return ("a set",)


class Stuck(DryRun):
    """A firewall that removes nothing."""

    def teardown(self) -> tuple[str, ...]:
        raise FirewallError("still there")


def used() -> DryRun:
    """Give the firewall in use."""
    return DryRun(name="nftables")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, Firewall]:
    """What opens by each name; a name that is not in it does not open."""
    there: dict[str, Firewall] = {}

    def open_firewall(name: str) -> Firewall:
        if name not in there:
            raise PrivilegeError("this needs CAP_NET_RAW")
        return there[name]

    monkeypatch.setattr(choose, "open_firewall", open_firewall)
    monkeypatch.setattr(choose, "find", lambda tool: f"/usr/sbin/{tool}")
    return there


def test_what_is_left_in_another_firewall_is_removed(machine: dict[str, Firewall]) -> None:
    machine |= {"iptables": Full(), "nftables": used()}

    assert choose.leave_others(used()) == ("dry-run: a set",)


@pytest.mark.parametrize("others", [{}, {"iptables": Stuck()}], ids=["unopened", "stuck"])
def test_another_firewall_that_does_not_work_keeps_nobody_from_work(
    machine: dict[str, Firewall], others: dict[str, Firewall]
) -> None:
    machine |= others

    assert choose.leave_others(used()) == ()


def test_only_firewalls_that_open_are_looked_into(machine: dict[str, Firewall]) -> None:
    machine["nftables"] = Full()

    assert list(choose.firewalls_here()) == [machine["nftables"]]


def test_a_teardown_goes_on_after_a_failure_and_tells_it(machine: dict[str, Firewall]) -> None:
    torn: list[str] = []

    class Seen(Full):
        def teardown(self) -> tuple[str, ...]:
            torn.append("nftables")
            return ()

    machine |= {"iptables": Stuck(), "nftables": Seen()}

    with pytest.raises(FirewallError, match="still there"):
        choose.teardown_everywhere()
    assert torn == ["nftables"]
