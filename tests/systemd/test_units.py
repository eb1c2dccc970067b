"""What can be told of the units without starting them."""

import psutil
import pytest

from tests.systemd.conftest import Boot
from tests.systemd.sandbox import Machine

pytestmark = pytest.mark.root

SERVICE = "/usr/lib/systemd/system/abuse-agent.service"


@pytest.mark.parametrize("name", ["abuse-agent.service", "abuse-agent-sets.service"])
def test_the_service_manager_finds_nothing_odd_in_a_unit(bare: Machine, name: str) -> None:
    # Its exit status is 0 for unknown keys and bad values: only silence is good.
    assert bare.run("sh", "-c", f"systemd-analyze verify {name} 2>&1") == ""


def test_it_would_tell_of_a_misspelled_key(bare: Machine) -> None:
    bare.run("sed", "-i", "s/^WatchdogSec=/WatchdogSecs=/", SERVICE)

    said = bare.run("sh", "-c", f"systemd-analyze verify {SERVICE} 2>&1")

    assert "WatchdogSecs" in said


def test_user_lock_and_runtime_folder_stand_before_anything_starts(bare: Machine) -> None:
    _, _, _, _, _, home, shell = bare.run("getent", "passwd", "abuse-agent").strip().split(":")
    placed = bare.run("stat", "--format=%n %a %U %G", "/run/xtables.lock", "/run/abuse-agent")

    assert (home, shell) == ("/var/lib/abuse-agent", "/usr/sbin/nologin")
    assert placed.splitlines() == [
        "/run/xtables.lock 660 root abuse-agent",
        "/run/abuse-agent 750 abuse-agent abuse-agent",
    ]


def test_a_machine_is_gone_after_a_failure(boot: Boot, namespace: str) -> None:
    def fail() -> None:
        with boot(namespace, {}, ()) as machine:
            leaders.append(machine.leader)
            raise ZeroDivisionError

    leaders: list[int] = []
    with pytest.raises(ZeroDivisionError):
        fail()

    assert not psutil.pid_exists(leaders[0])
