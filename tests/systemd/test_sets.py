"""The early unit: a saved rule set that names our ipsets is restored whole at boot."""

import pytest

from tests.range import namespace
from tests.systemd.conftest import Boot
from tests.systemd.sandbox import Machine
from tests.systemd.test_service import DEFAULTS, POLICY, POLICY_FILE, UNIT

pytestmark = pytest.mark.root

SETS = "abuse-agent-sets.service"
RESTORE = "netfilter-persistent.service"
SAVED = {"/etc/iptables/rules.v4": "iptables-save", "/etc/iptables/rules.v6": "ip6tables-save"}
RESTORING = """\
[Unit]
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/iptables-restore /etc/iptables/rules.v4
ExecStart=/usr/sbin/ip6tables-restore /etc/iptables/rules.v6
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def saved(boot: Boot, namespace: str) -> dict[str, str]:
    """What a machine with the agent in force leaves for its next boot."""
    files = {POLICY_FILE: POLICY, DEFAULTS: "ABUSE_AGENT_OPTIONS=--firewall=iptables\n"}
    with boot(namespace, files, (UNIT,)) as machine:
        machine.run("iptables", "-P", "INPUT", "DROP")
        texts = {path: machine.run(command) for path, command in SAVED.items()}
    assert all("--match-set" in text for text in texts.values())
    return {**texts, f"/usr/lib/systemd/system/{RESTORE}": RESTORING}


@pytest.mark.parametrize(
    ("enabled", "result", "policy"),
    [
        pytest.param((SETS,), "success", "-P INPUT DROP", id="with-the-early-unit"),
        pytest.param((), "exit-code", "-P INPUT ACCEPT", id="without-it"),
    ],
)
def test_saved_rules_are_restored_whole_only_with_the_early_unit(
    boot: Boot, saved: dict[str, str], enabled: tuple[str, ...], result: str, policy: str
) -> None:
    with namespace() as after, boot(after, saved, (RESTORE, *enabled)) as machine:
        assert machine.show(RESTORE, "Result") == result, machine.journal(SETS)
        assert machine.run("iptables", "-S", "INPUT").splitlines()[0] == policy


def test_the_early_unit_is_content_with_nothing_to_do(bare: Machine) -> None:
    bare.run("rm", "/usr/sbin/ipset")

    bare.run("systemctl", "start", SETS)

    assert bare.show(SETS, "Result") == "success"
