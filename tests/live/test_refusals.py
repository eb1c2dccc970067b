"""What a live agent refuses, or bears: one clear line, the right exit status, nothing lost."""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.agents import ROOT, live, once
from tests.live.kernel import bans, structure
from tests.range import Hosts, connect, in_namespace, serve

pytestmark = pytest.mark.root

POLICY = """\
version: 1
every: 200ms
defaults: {sustained: 1 of 1, ban: 1m}
services: {web: {ports: [80]}}
rules:
  - {name: web, service: web, count: connections, above: 20}
"""


@dataclass(slots=True)
class Desk:
    """The real command line in a namespace of its own, with a policy and a state directory."""

    namespace: str
    policy: Path
    folder: Path

    def run(
        self, *arguments: str, before: str = "", folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as users do; `before` is what a shell does ahead of it."""
        words = [sys.executable, "-m", "agent", *arguments]
        words += ["--state-dir", str(folder or self.folder)]
        shell = ["unshare", "--mount", "sh", "-ec", f'{before}\nexec "$@"', "sh"]
        with in_namespace(self.namespace):
            return subprocess.run(
                [*(shell if before else ()), *words],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
                cwd=ROOT,
            )

    def start(self, *options: str, **more: object) -> subprocess.CompletedProcess[str]:
        """Run one live cycle."""
        words = ("run", "--once", "--policy", str(self.policy), *options)
        return self.run(*words, **more)  # type: ignore[arg-type]

    def is_untouched(self) -> bool:
        """Whether no firewall holds anything of ours."""
        return not structure(self.namespace, "nftables")


@pytest.fixture
def desk(namespace: str, folder: Path, write_policy: Callable[[str], Path]) -> Desk:
    return Desk(namespace, write_policy(POLICY), folder)


def check_refused(done: subprocess.CompletedProcess[str], status: int, *named: str) -> None:
    """One line of ours, with these words in it."""
    assert done.returncode == status, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("abuse-agent: ")
    assert all(word in line for word in named), line


def without(*tools: str) -> str:
    """Hide these commands."""
    return "\n".join(f"mount --bind /dev/null /usr/sbin/{tool}" for tool in tools)


@pytest.mark.parametrize(
    ("hidden", "firewall", "named"),
    [
        pytest.param(("nft",), "nftables", "nft", id="no-nft"),
        pytest.param(("ipset",), "iptables", "ipset", id="no-ipset"),
        pytest.param(("iptables",), "iptables", "iptables", id="no-iptables"),
        pytest.param(("nft", "ipset"), "auto", "nftables", id="none-at-all"),
    ],
)
def test_a_missing_command_is_named(
    desk: Desk, hidden: tuple[str, ...], firewall: str, named: str
) -> None:
    done = desk.start("--firewall", firewall, before=without(*hidden))

    check_refused(done, 69, named)
    assert desk.is_untouched()
    assert not desk.folder.exists()


@pytest.mark.parametrize(
    ("lacking", "firewall"),
    [
        ("net_admin", "nftables"),
        ("net_admin", "iptables"),
        ("net_raw", "iptables"),
    ],
)
def test_a_missing_capability_is_named(desk: Desk, lacking: str, firewall: str) -> None:
    done = desk.start(
        "--firewall", firewall, before=f'set -- setpriv --bounding-set=-{lacking} "$@"'
    )

    check_refused(done, 77, f"CAP_{lacking.upper()}")
    assert desk.is_untouched()


def in_a_file(folder: Path) -> None:
    folder.write_text("mine")


def in_nowhere(folder: Path) -> None:
    folder.symlink_to(folder.parent / "gone" / "further")


def of_another(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    os.chown(folder, 65534, 65534)


def foreign(folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "ledger.db")) as made:
        made.execute("CREATE TABLE accounts (name TEXT)")
        made.commit()


def newer(folder: Path) -> None:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "ledger.db")) as made:
        made.execute("CREATE TABLE bans (later TEXT)")
        made.execute(f"PRAGMA application_id = {0x41424147}")
        made.execute("PRAGMA user_version = 99")
        made.commit()


def contents(folder: Path) -> dict[str, bytes]:
    files = [folder] if folder.is_file() else sorted(folder.glob("*"))
    return {one.name: one.read_bytes() for one in files if not one.name.endswith(".lock")}


@pytest.mark.parametrize(
    ("prepare", "named"),
    [
        pytest.param(in_a_file, "state", id="a-file-in-its-place"),
        pytest.param(in_nowhere, "--state-dir", id="not-creatable"),
        pytest.param(of_another, "may not write", id="of-another-user"),
        pytest.param(foreign, "not a ledger", id="a-foreign-file"),
        pytest.param(newer, "newer", id="a-newer-schema"),
    ],
)
def test_an_unusable_state_is_named_and_left_as_it_is(
    desk: Desk, prepare: Callable[[Path], None], named: str
) -> None:
    prepare(desk.folder)
    before = contents(desk.folder)
    # As a user who may not do everything; root may write anywhere.
    powers = "set -- setpriv --bounding-set=-dac_override,-dac_read_search " + '"$@"'

    done = desk.start("--firewall", "nftables", before=powers)

    check_refused(done, 73, named)
    assert contents(desk.folder) == before
    assert desk.is_untouched()


def test_wrong_policies_and_wrong_words_touch_nothing(desk: Desk) -> None:
    desk.policy.write_text("version: 1\nrulez: []\n")
    wrong = desk.start()
    assert (wrong.returncode, wrong.stderr.startswith(f"{desk.policy}:2:1: ")) == (78, True)

    desk.policy.unlink()
    assert desk.start().returncode == 66
    assert desk.start("--firewall", "pf").returncode == 2
    assert not desk.folder.exists()
    assert desk.is_untouched()


def test_commands_say_no_in_one_line(desk: Desk) -> None:
    where = ("--firewall", "nftables", "--policy", str(desk.policy))
    check_refused(desk.run("unban", "198.51.100.1", *where), 66, "198.51.100.1")
    check_refused(desk.run("ban", "127.0.0.1", "--for", "1m", *where), 1, "127.0.0.1")
    assert not bans(desk.namespace, "nftables", desk.policy)


def test_a_second_agent_is_refused_and_leaves_the_first_alone(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with live(desk.namespace, "nftables", desk.policy, desk.folder) as first:
        first.wait_for("cycle.completed")
        before = structure(desk.namespace, "nftables")
        for folder, word in ((desk.folder, str(desk.folder)), (other, "network namespace")):
            done = desk.start("--firewall", "nftables", folder=folder)
            check_refused(done, 75, word, f"pid {first.process.pid}")
        torn = desk.run("teardown")
        check_refused(torn, 75, f"pid {first.process.pid}")
        assert structure(desk.namespace, "nftables") == before
        assert not (other / "ledger.db").exists()
        first.wait_for("cycle.completed")
        assert "firewall.healed" not in first.names()
        assert "cycle.failed" not in first.names()
        assert first.end() == 0
    # The lock died with its process.
    assert desk.start("--firewall", "nftables").returncode == 0


def test_a_writer_who_stays_is_told_and_nothing_is_lost(desk: Desk) -> None:
    with live(desk.namespace, "nftables", desk.policy, desk.folder) as agent:
        agent.wait_for("cycle.completed")
        with (desk.folder / "writer.lock").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            failed = agent.wait_for("cycle.failed")
            assert "changing bans" in failed["error"]
        agent.wait_for("cycle.completed")


def test_a_lock_of_iptables_that_somebody_keeps_is_told(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "xtables.lock"
    monkeypatch.setenv("XTABLES_LOCKFILE", str(lock))
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        status, told = once(desk.namespace, "iptables-legacy", desk.policy, desk.folder)
        assert status == 69
        (failed,) = [one for one in told if one["event"] == "cycle.failed"]
        assert str(lock) in failed["error"]
        fcntl.flock(held, fcntl.LOCK_UN)
        assert once(desk.namespace, "iptables-legacy", desk.policy, desk.folder)[0] == 0


@contextmanager
def too_many(hosts: Hosts, source: str) -> Iterator[None]:
    with connect(hosts.client, [source], (hosts.server4, 80), each=21):
        yield


def test_a_damaged_ledger_is_set_aside_and_bans_are_adopted(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    with serve(hosts.server, 80), too_many(hosts, "198.18.0.9"):
        assert once(hosts.server, "nftables", policy, folder)[0] == 0
        (before,) = bans(hosts.server, "nftables", policy).values()
        file = folder / "ledger.db"
        broken = file.read_bytes()[:100] + b"\xff" * 8000
        file.write_bytes(broken)

        status, told = once(hosts.server, "nftables", policy, folder)
    assert status == 0
    names = [one["event"] for one in told]
    (rebuilt,) = [one for one in told if one["event"] == "ledger.rebuilt"]
    (adopted,) = [one for one in told if one["event"] == "ban.adopted"]
    assert (adopted["source"], adopted["ban_id"]) == (
        "198.18.0.9",
        before.mark and before.mark.ban_id,
    )
    assert "ban.applied" not in names
    assert any(one.read_bytes() == broken for one in folder.glob("ledger.db.damaged-*"))
    (after,) = bans(hosts.server, "nftables", policy).values()
    assert after.left
    assert before.left
    assert after.left <= before.left
    assert any("ledger.db.damaged-" in str(value) for value in rebuilt.values())


def test_on_a_full_disk_it_goes_on_banning_and_writes_when_there_is_room(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy = write_policy(POLICY)
    folder.mkdir()
    mount = f'mount -t tmpfs -o size=256k none {folder}\nexec "$@"'
    before = ("unshare", "--mount", "sh", "-ec", mount, "sh")
    with (
        serve(hosts.server, 80),
        live(hosts.server, "nftables", policy, folder, before=before) as agent,
    ):
        agent.wait_for("cycle.completed")
        inside = Path(f"/proc/{agent.process.pid}/root{folder}")
        fill(inside / "filler")
        with too_many(hosts, "198.18.0.9"):
            agent.wait_for("ban.applied", source="198.18.0.9")
        degraded = agent.wait_for("agent.degraded")
        assert "full" in degraded["reason"]
        with too_many(hosts, "198.18.0.10"):
            agent.wait_for("ban.applied", source="198.18.0.10")
        (inside / "filler").unlink()
        agent.wait_for("agent.recovered")
        agent.wait_for("cycle.completed")
        copied = shutil.copytree(inside, folder.with_name("copied"))
        with closing(sqlite3.connect(copied / "ledger.db")) as ledger:
            rows = ledger.execute("SELECT source, state FROM bans").fetchall()
        assert sorted(rows) == [("198.18.0.10/32", "in force"), ("198.18.0.9/32", "in force")]
        assert agent.end() == 0
        assert agent.said() == ""


def test_a_state_directory_that_fails_while_it_runs_does_not_end_the_protection(
    hosts: Hosts, folder: Path, write_policy: Callable[[str], Path]
) -> None:
    policy, before = write_policy(POLICY), ("unshare", "--mount")
    with (
        serve(hosts.server, 80),
        live(hosts.server, "nftables", policy, folder, before=before) as agent,
    ):
        agent.wait_for("cycle.completed")
        inside = f"/proc/{agent.process.pid}/ns/mnt"
        fail = f"mount --bind {folder} {folder}; mount -o remount,bind,ro {folder}"
        subprocess.run(["nsenter", f"--mount={inside}", "sh", "-ec", fail], check=True)
        with too_many(hosts, "198.18.0.9"):
            agent.wait_for("ban.applied", source="198.18.0.9")
        subprocess.run(["nsenter", f"--mount={inside}", "umount", folder], check=True)
        agent.wait_for("cycle.completed")
        assert "cycle.failed" not in agent.names()
        assert agent.end() == 0
    assert set(bans(hosts.server, "nftables", policy)) == {"198.18.0.9"}


def fill(path: Path) -> None:
    """Take all the room there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            return
