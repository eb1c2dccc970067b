"""Guards from a made-up tree; and what is broken loses nothing but itself."""

import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from agent.errors import ObserveError
from agent.model.policy import USUAL, Administrators
from agent.observe import surroundings as module
from agent.observe.surroundings import guards_of, read_surroundings

STANDING = (
    "100.100.100.200/32",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "192.0.0.192/32",
    "::1/128",
    "fd00:42::42/128",
    "fd00:c1::a9fe:a9fe/128",
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
    "fe80::/10",
)


@pytest.fixture(autouse=True)
def _quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing of the real machine but what a test puts there."""
    monkeypatch.setattr(psutil, "users", list)
    monkeypatch.setattr(psutil, "net_if_addrs", dict)
    monkeypatch.setattr(module, "read_gateways", lambda: ())


def found(root: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the guards beside those that are always there."""
    guards = read_surroundings(root, environ or {}).guards
    return {str(g.prefix): g.why for g in guards if str(g.prefix) not in STANDING}


def write(root: Path, path: str, text: str | bytes) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


def test_an_empty_tree_still_guards_loopback_links_and_clouds(tmp_path: Path) -> None:
    guards = read_surroundings(tmp_path, {}).guards

    assert tuple(str(guard.prefix) for guard in guards) == STANDING
    assert not any(guard.only_ssh for guard in guards)


def test_own_addresses_are_guarded_by_interface(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def address(family: int, text: str) -> SimpleNamespace:
        return SimpleNamespace(family=family, address=text)

    addresses = {
        "lo": [address(socket.AF_INET, "127.0.0.1")],
        "eth0": [
            address(socket.AF_INET, "192.0.2.7"),
            address(socket.AF_INET6, "2001:db8::7"),
            address(socket.AF_INET6, "fe80::7%eth0"),
            address(socket.AF_PACKET, "00:00:00:00:00:00:00:07"),
        ],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: addresses)

    assert found(tmp_path) == {
        "192.0.2.7/32": "own address (eth0)",
        "2001:db8::7/128": "own address (eth0)",
    }


def test_resolvers_are_guarded(tmp_path: Path) -> None:
    text = "# nameserver 192.0.2.9\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver\n"
    write(tmp_path, "etc/resolv.conf", text + "nameserver 2001:db8::1 # here\nnameserver x\n")
    write(tmp_path, "run/systemd/resolve/resolv.conf", "nameserver 192.0.2.2\n")

    assert found(tmp_path) == {
        "192.0.2.1/32": "resolver (/etc/resolv.conf)",
        "2001:db8::1/128": "resolver (/etc/resolv.conf)",
    }


def test_resolvers_behind_the_stub_are_guarded(tmp_path: Path) -> None:
    write(tmp_path, "etc/resolv.conf", "nameserver 127.0.0.53\n")
    write(tmp_path, "run/systemd/resolve/resolv.conf", "nameserver 192.0.2.2\n")

    assert found(tmp_path) == {"192.0.2.2/32": "resolver (/run/systemd/resolve/resolv.conf)"}


def test_remote_ends_of_sessions_are_guarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = ["198.51.100.1", "", None, ":0", "tmux(1).%0", "host.example"]
    users = [SimpleNamespace(host=host, name="bob") for host in hosts]
    monkeypatch.setattr(psutil, "users", lambda: users)
    folder = "run/systemd/sessions"
    write(tmp_path, f"{folder}/1", "UID=0\nREMOTE=1\nSTATE=active\nREMOTE_HOST=192.0.2.1\n")
    write(tmp_path, f"{folder}/2", "STATE=closing\nREMOTE_HOST=192.0.2.2\n")
    write(tmp_path, f"{folder}/3", "STATE=online\nREMOTE_HOST=host.example\n")
    write(tmp_path, f"{folder}/4", "STATE=online\nREMOTE_HOST=::ffff:192.0.2.4\n")
    write(tmp_path, f"{folder}/5", "STATE=online\n")

    ssh = {"SSH_CONNECTION": "2001:db8::9 50000 2001:db8::1 22"}
    assert found(tmp_path, ssh) == {
        "192.0.2.1/32": "session of an administrator (/run/systemd/sessions)",
        "192.0.2.4/32": "session (/run/systemd/sessions)",
        "198.51.100.1/32": "session (utmp)",
        "2001:db8::/64": "session of an administrator ($SSH_CONNECTION)",
    }


def test_a_session_is_guarded_for_ssh_and_an_administrators_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [("192.0.2.5", "alice"), ("192.0.2.6", "bob"), ("127.0.0.1", "alice")]
    monkeypatch.setattr(
        psutil, "users", lambda: [SimpleNamespace(host=host, name=name) for host, name in users]
    )
    write(tmp_path, "etc/passwd", "carol:x:1002:27::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n")
    write(tmp_path, "etc/group", "sudo:x:27:alice\nops:x:50:bob\n")
    write(tmp_path, "etc/resolv.conf", "nameserver 192.0.2.6\n")
    sessions = {"1": "UID=1002\nUSER=carol", "2": "UID=1001", "3": "UID=x\nUSER=bob", "4": "UID=0"}
    for name, text in sessions.items():
        write(tmp_path, f"run/systemd/sessions/{name}", f"{text}\nREMOTE_HOST=192.0.2.1{name}\n")

    def look(who: Administrators) -> tuple[dict[str, bool], set[str]]:
        seen = read_surroundings(tmp_path, {}, who)
        only_ssh = {str(one.prefix): one.only_ssh for one in seen.guards}
        ours = {name: only for name, only in only_ssh.items() if name not in STANDING}
        return ours, set(map(str, seen.administrators))

    only_ssh, administrators = look(USUAL)
    assert only_ssh == {
        **{f"192.0.2.1{name}/32": True for name in sessions},
        "192.0.2.5/32": True,
        "192.0.2.6/32": False,  # a resolver as well
    }
    assert administrators == {"192.0.2.5", "192.0.2.11", "192.0.2.14"}
    bob, ops = frozenset({"bob"}), frozenset({"ops"})
    for who in (Administrators(users=bob, groups=frozenset()), Administrators(groups=ops)):
        root, *bobs = "192.0.2.14", "192.0.2.6", "192.0.2.12", "192.0.2.13"
        assert look(who)[1] == {root, *bobs}


def test_bytes_that_are_no_text_spoil_only_their_line(tmp_path: Path) -> None:
    write(tmp_path, "etc/resolv.conf", b"nameserver 192.0.2.1\xff\nnameserver 192.0.2.2\n\xfe\xff")
    write(tmp_path, "run/systemd/sessions/1", b"NAME=\xff\xfe\nREMOTE_HOST=192.0.2.3\n")

    assert set(found(tmp_path)) == {"192.0.2.2/32", "192.0.2.3/32"}


def test_nobodys_session_is_hidden_by_the_number_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "run/systemd/sessions"
    folder.mkdir(parents=True)
    for number in range(1_500):
        (folder / f"{number}").write_text("STATE=online\n")
    (folder / "z").write_text("UID=0\nREMOTE_HOST=192.0.2.9\n")

    assert set(found(tmp_path)) == {"192.0.2.9/32"}


def test_a_folder_where_a_file_should_be_loses_only_itself(tmp_path: Path) -> None:
    (tmp_path / "etc/resolv.conf").mkdir(parents=True)
    (tmp_path / "run/systemd/sessions/1").mkdir(parents=True)
    write(tmp_path, "run/systemd/sessions/2", "REMOTE_HOST=192.0.2.3\n")

    assert set(found(tmp_path)) == {"192.0.2.3/32"}


@dataclass
class Broken:
    """Fails when it is asked."""

    error: Exception

    def __call__(self) -> Iterator[None]:
        raise self.error


@pytest.mark.parametrize(
    "error", [OSError("x"), RuntimeError("x"), ValueError("x"), ObserveError("x")]
)
def test_one_broken_source_does_not_lose_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    write(tmp_path, "etc/resolv.conf", "nameserver 192.0.2.1\n")
    write(tmp_path, "run/systemd/sessions/1", "REMOTE_HOST=192.0.2.3\n")
    monkeypatch.setattr(module, "read_gateways", Broken(error))
    monkeypatch.setattr(psutil, "net_if_addrs", Broken(error))
    if not isinstance(error, ObserveError):
        monkeypatch.setattr(psutil, "users", Broken(error))

    assert set(found(tmp_path)) == {"192.0.2.1/32", "192.0.2.3/32"}


def test_each_prefix_is_there_once_in_order_and_with_all_its_reasons() -> None:
    guards = guards_of(
        (ip_address(address), why)
        for address, why in (
            ("2001:db8::1", "gateway"),
            ("192.0.2.2", "gateway"),
            ("192.0.2.2", "resolver"),
            ("192.0.2.2", "gateway"),
            ("192.0.2.1", "session"),
            ("0.0.0.0", "gateway"),
            ("::", "gateway"),
            ("224.0.0.1", "gateway"),
            ("127.0.0.53", "resolver"),
        )
    ).guards

    assert [guard.prefix for guard in guards] == [
        *map(ip_network, STANDING[:5]),
        *map(ip_network, ("192.0.2.1/32", "192.0.2.2/32", "::1/128", "2001:db8::1/128")),
        *map(ip_network, STANDING[6:]),
    ]
    assert guards[6].why == "gateway; resolver"


def test_a_fifo_beside_a_session_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "run/systemd/sessions/2", "REMOTE_HOST=192.0.2.9\nSTATE=active\n")
    os.mkfifo(tmp_path / "run/systemd/sessions/2.ref")
    os.mkfifo(tmp_path / "run/systemd/sessions/3")
    write(tmp_path, "etc/hosts", "")
    os.mkfifo(tmp_path / "etc/resolv.conf")

    assert found(tmp_path) == {"192.0.2.9/32": "session (/run/systemd/sessions)"}
