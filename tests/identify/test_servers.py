"""Name servers out of resolv.conf."""

import os
from ipaddress import ip_address
from pathlib import Path

import pytest

from agent.identify.servers import Servers, parse_servers

ITSELF = ["127.0.0.1", "::1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("nameserver 192.0.2.1\nnameserver 2001:db8::1\n", None, id="two"),
        pytest.param("", ITSELF, id="none"),
        pytest.param("# nameserver 192.0.2.1\nsearch example.net\n", ITSELF, id="comment"),
        pytest.param("nameserver\nnameserver x\nnameserver 192.0.2.1", ["192.0.2.1"], id="bad"),
        pytest.param("nameserver fe80::1%eth0", ["fe80::1%eth0"], id="zone"),
        pytest.param("\n".join(f"nameserver 192.0.2.{n}" for n in range(9)), None, id="many"),
        pytest.param("nameserver 192.0.2.1\n" * 2, ["192.0.2.1"], id="twice"),
    ],
)
def test_at_most_three_are_taken_in_order(text: str, expected: list[str] | None) -> None:
    wanted = expected or [line.split()[1] for line in text.splitlines()][:3]

    assert list(parse_servers(text)) == [ip_address(one) for one in wanted]


def test_a_change_is_seen_and_a_file_that_is_gone_is_none(tmp_path: Path) -> None:
    path, seconds = tmp_path / "resolv.conf", [0.0]
    servers = Servers(path, lambda: seconds[0])

    def seen(text: str | None, mtime: float) -> list[str]:
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
            os.utime(path, (mtime, mtime))
        seconds[0] += 10
        return list(map(str, servers()))

    assert seen("nameserver 192.0.2.1", 1) == ["192.0.2.1"]
    assert seen("nameserver 192.0.2.2", 2) == ["192.0.2.2"]
    assert seen(None, 0) == ITSELF
    assert seen("nameserver 192.0.2.2", 2) == ["192.0.2.2"]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_is_no_file_is_none_and_lets_nobody_wait(tmp_path: Path) -> None:
    pipe, seconds = tmp_path / "pipe", [0.0]
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero")):
        before = open_files()
        servers = Servers(path, lambda: seconds[0])
        for _ in range(3):
            seconds[0] += 10
            assert list(map(str, servers())) == ITSELF
        assert open_files() == before
