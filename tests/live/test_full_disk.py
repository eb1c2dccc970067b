"""Commands where the disk is full, or the ledger damaged: they refuse, or say what is left."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.live.agents import ROOT, LiveAgent, command, live
from tests.live.kernel import bans
from tests.live.test_refusals import POLICY, fill
from tests.range import in_namespace

pytestmark = pytest.mark.root

BANNED, OTHER, THIRD = "198.18.50.1", "198.18.50.2", "198.18.50.3"


@dataclass(slots=True)
class Desk:
    """An operator beside an agent whose state directory is a small disk of their own."""

    namespace: str
    agent: LiveAgent
    policy: Path
    folder: Path

    def type(self, *arguments: str) -> CompletedProcess[str]:
        """Run a command where the agent's disk is mounted."""
        words = [sys.executable, "-m", "agent", *arguments, "--state-dir", str(self.folder)]
        inside = f"--mount=/proc/{self.agent.process.pid}/ns/mnt"
        shell = ["nsenter", inside, "sh", "-ec", f'cd "{ROOT}"; exec "$@"', "sh"]
        with in_namespace(self.namespace):
            return subprocess.run(
                [*shell, *words], capture_output=True, text=True, timeout=30, check=False
            )

    def held(self) -> set[str]:
        return set(bans(self.namespace, "nftables", self.policy))

    @property
    def filler(self) -> Path:
        return Path(f"/proc/{self.agent.process.pid}/root{self.folder}/filler")


@pytest.fixture
def desk(namespace: str, folder: Path, write_policy: Callable[[str], Path]) -> Iterator[Desk]:
    policy = write_policy(POLICY)
    folder.mkdir()
    mount = f'mount -t tmpfs -o size=256k none {folder}\nexec "$@"'
    before = ("unshare", "--mount", "sh", "-ec", mount, "sh")
    with live(namespace, "nftables", policy, folder, before=before) as agent:
        agent.wait_for("cycle.completed")
        yield Desk(namespace, agent, policy, folder)
        assert agent.end() == 0


def test_on_a_full_disk_commands_say_what_they_did_not_do(desk: Desk) -> None:
    assert desk.type("ban", BANNED, "--for", "10m").returncode == 0
    desk.agent.wait_for("ban.applied", source=BANNED)
    fill(desk.filler)

    unbanned = desk.type("unban", BANNED)
    allowed = desk.type("allow", OTHER, "--for", "1h")
    banned = desk.type("ban", THIRD, "--for", "10m")

    assert [one.returncode for one in (unbanned, allowed, banned)] == [73, 73, 73]
    for one in (unbanned, allowed):
        assert one.stdout == ""
        assert "nothing was changed" in one.stderr
        assert "full" in one.stderr
    assert f"{THIRD} is banned, but the ledger can't be written" in banned.stderr
    assert desk.held() == {BANNED, THIRD}

    desk.filler.unlink()
    desk.agent.wait_for("ban.adopted", source=THIRD)
    assert desk.type("unban", BANNED).returncode == 0
    assert desk.agent.wait_for("ban.lifted", source=BANNED)["reasons"] == ["by hand"]
    assert desk.held() == {THIRD}
    listed = json.loads(desk.type("bans", "--json").stdout)
    assert [one["source"] for one in listed] == [THIRD]


def test_listings_of_a_damaged_ledger_leave_it_where_it_is(
    namespace: str, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    where = ("--state-dir", str(folder))
    policy = ("--policy", str(write_policy(POLICY)))
    assert (
        command(namespace, "nftables", "ban", BANNED, "--for", "10m", *where, *policy).returncode
        == 0
    )
    file = folder / "ledger.db"
    file.write_bytes(file.read_bytes()[:100] + b"\xff" * 8000)
    before = {one.name: one.read_bytes() for one in folder.iterdir()}

    for words in (["status"], ["bans"], ["guard"], ["verify", *policy]):
        done = command(namespace, "nftables", *words, *where)
        assert (done.returncode, done.stdout) == (73, ""), words
        assert "the ledger is damaged: the agent's next start" in done.stderr
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == before

    assert (
        command(namespace, "nftables", "ban", OTHER, "--for", "1m", *where, *policy).returncode == 0
    )
    listed = json.loads(command(namespace, "nftables", "bans", "--json", *where).stdout)
    assert [one["source"] for one in listed] == [BANNED, OTHER]
