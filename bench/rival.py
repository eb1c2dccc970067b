"""Debian's fail2ban with all of its files in one folder, to measure beside.

Where it is not installed its package is fetched and only unpacked: installing it would
start it as a service of the machine. It has no log to read; its one jail is told whom to
ban by its own client.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_FAIL2BAN = """\
[Definition]
loglevel = ERROR
logtarget = {folder}/log
syslogsocket = none
socket = {folder}/socket
pidfile = {folder}/pid
dbfile = {folder}/database
dbpurgeage = 1d
"""
_PATIENCE_S = 60.0
ACTIONS = {
    "nftables": "nftables-multiport",
    "iptables": "iptables-ipset-proto6",
    "iptables, a rule each": "iptables-multiport",
}
"""Its action beside each firewall of ours, and the one that most guides show."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A running fail2ban."""

    command: list[str]
    environment: dict[str, str]

    def ask(self, *words: str) -> str:
        """Ask its client, and give what it prints."""
        command = [*self.command, *words]
        return subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def ban(self, sources: Sequence[str], already: int = 0) -> None:
        """Have it ban these beside those already banned, and wait until it says that it has."""
        self.ask("set", "bench", "banip", *sources)
        while f"Currently banned:\t{len(sources) + already}\n" not in self.ask("status", "bench"):
            time.sleep(0.02)


def unpack(folder: Path) -> Path | None:
    """Give the folder that fail2ban's files are in; None where it can't be had."""
    if shutil.which("fail2ban-server"):
        return Path("/")
    folder.mkdir(parents=True, exist_ok=True)
    fetched = subprocess.run(
        ["apt-get", "-qq", "download", "fail2ban"], cwd=folder, check=False, capture_output=True
    )
    if fetched.returncode:
        return None
    for package in folder.glob("fail2ban_*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder / "unpacked"], check=True)
    return folder / "unpacked"


@contextmanager
def fail2ban(files: Path, folder: Path, action: str) -> Iterator[Rival]:
    """Run it in this network namespace with one jail; ended by its process.

    Args:
        files: As `unpack` gives.
        folder: A new one, for its configuration, socket and database.
        action: Of its action.d.

    Raises:
        RuntimeError: It does not come up.
    """
    _configure(files, folder, action)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(files / "usr/lib/python3/dist-packages"),
        "PYTHONWARNINGS": "ignore",
    }
    own = ["-c", str(folder), "-s", str(folder / "socket"), "-p", str(folder / "pid")]
    python, programs = "/usr/bin/python3", files / "usr/bin"
    process = subprocess.Popen(
        [python, programs / "fail2ban-server", *own, "-f", "start"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        rival = Rival([python, str(programs / "fail2ban-client"), *own], environment)
        _wait(process, rival)
        yield rival
    finally:
        process.terminate()
        process.wait()


def _configure(files: Path, folder: Path, action: str) -> None:
    folder.mkdir()
    for name in ("action.d", "filter.d"):
        (folder / name).symlink_to(files / "etc/fail2ban" / name)
    (folder / "fail2ban.conf").write_text(_FAIL2BAN.format(folder=folder))
    (folder / "watched").touch()
    (folder / "jail.conf").write_text(
        f"[bench]\nenabled = true\nfilter =\nbackend = polling\nlogpath = {folder}/watched\n"
        f'bantime = 6h\naction = {action}[name=bench, port="80,443", protocol=tcp]\n'
    )


def _wait(process: "subprocess.Popen[bytes]", rival: Rival) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            rival.ask("status", "bench")
        except subprocess.CalledProcessError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("fail2ban does not come up")
