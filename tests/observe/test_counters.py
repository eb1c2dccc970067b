"""The kernel's counters."""

from pathlib import Path

import pytest

from agent.errors import ObserveError
from agent.observe.counters import WANTED, parse_netstat, read_counters

NETSTAT = """\
TcpExt: SyncookiesSent SyncookiesRecv EmbryonicRsts ListenOverflows ListenDrops
TcpExt: 2871 3 0 5 18446744073709551615
IpExt: InNoRoutes InTruncatedPkts
IpExt: 7 0
"""


def test_what_is_wanted_is_read_by_name() -> None:
    assert parse_netstat(NETSTAT) == {
        "SyncookiesSent": 2871,
        "SyncookiesRecv": 3,
        "ListenOverflows": 5,
        "ListenDrops": 2**64 - 1,
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("TcpExt: A B\n", id="names without values"),
        pytest.param("TcpExt: A B\nTcpExt: 1\n", id="a value too few"),
        pytest.param("TcpExt: A\nTcpExt: 1 2\n", id="a value too many"),
        pytest.param("TcpExt: A\nTcpExt: x\n", id="no number"),
        pytest.param("TcpExt: A\nTcpExt: 1\nTcpExt: 2\n", id="three lines"),
        pytest.param("IpExt: A\nIpExt: 1\n", id="another table"),
    ],
)
def test_a_malformed_table_is_an_error(text: str) -> None:
    with pytest.raises(ObserveError, match="/proc/net/netstat"):
        parse_netstat(text)


def test_no_file_is_no_counters(tmp_path: Path) -> None:
    assert read_counters(tmp_path) == {}


def test_the_root_of_the_tree_is_an_argument(tmp_path: Path) -> None:
    file = tmp_path / "proc/net/netstat"
    file.parent.mkdir(parents=True)
    file.write_text(NETSTAT)

    assert read_counters(tmp_path)["SyncookiesSent"] == 2871


@pytest.mark.parametrize("text", [None, "", "TcpExt: A\n"], ids=["unreadable", "empty", "cut"])
def test_what_tells_nothing_ends_no_cycle(tmp_path: Path, text: str | None) -> None:
    """Rules that do not need the counters go on."""
    file = tmp_path / "proc/net/netstat"
    file.parent.mkdir(parents=True)
    file.mkdir() if text is None else file.write_text(text)

    assert read_counters(tmp_path) == {}


def test_this_kernel_has_them_all() -> None:
    assert set(read_counters()) == set(WANTED)
