"""The kernel's counters, all of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ObserveError
from agent.observe.tables import parse_pairs, parse_sockstat, parse_softnet, read_tables

NETSTAT = """\
TcpExt: SyncookiesSent ListenOverflows ListenDrops
TcpExt: 0 7 9
IpExt: InNoRoutes
IpExt: 0
"""
SNMP = """\
Tcp: RtoAlgorithm MaxConn ActiveOpens PassiveOpens
Tcp: 1 -1 142 31
"""
SOFTNET = "00081ccf 00000002 00000001 00000000\n000c8989 00000001 00000010 00000000\n"
SOCKSTAT = "sockets: used 18\nTCP: inuse 1 orphan 94 tw 0 alloc 20900 mem 158\n"


def write(root: Path, **files: str) -> None:
    (root / "proc/net").mkdir(parents=True)
    for name, text in files.items():
        (root / "proc/net" / name).write_text(text)


def test_all_tables_are_read_by_their_names(tmp_path: Path) -> None:
    write(tmp_path, netstat=NETSTAT, snmp=SNMP, softnet_stat=SOFTNET, sockstat=SOCKSTAT)

    found = read_tables(tmp_path)

    assert (found["TcpExt.ListenDrops"], found["Tcp.MaxConn"]) == (9, -1)
    assert (found["Softnet.Dropped"], found["Softnet.Squeezed"]) == (3, 17)
    assert (found["Sockstat.TCP.orphan"], found["Sockstat.TCP.mem"]) == (94, 158)


def test_without_the_lesser_tables_there_are_still_the_counters(tmp_path: Path) -> None:
    write(tmp_path, netstat=NETSTAT, snmp=SNMP, softnet_stat="")

    assert read_tables(tmp_path).keys() >= {"TcpExt.ListenDrops", "Tcp.PassiveOpens"}


@pytest.mark.parametrize(
    "text", ["", "TcpExt: A B\nTcpExt: 1\n", "TcpExt: A\nIpExt: 1\n", "TcpExt: A\nTcpExt: x\n"]
)
def test_hidden_or_strange_counters_are_an_error_that_says_so(tmp_path: Path, text: str) -> None:
    write(tmp_path, netstat=text, snmp=SNMP)

    with pytest.raises(ObserveError):
        read_tables(tmp_path)


def test_this_kernel_counts() -> None:
    assert {"TcpExt.ListenDrops", "Tcp.OutSegs"} <= read_tables().keys()


@pytest.mark.parametrize("parse", [parse_pairs, parse_softnet, parse_sockstat])
@given(cut=st.integers(0, 120), text=st.text(max_size=60))
def test_a_cut_or_hostile_text_gives_numbers_or_an_error(
    parse: object, cut: int, text: str
) -> None:
    assert callable(parse)
    for one in ((NETSTAT + SNMP)[:cut], SOFTNET[:cut], SOCKSTAT[:cut], text):
        try:
            found = parse(one)
        except ObserveError:
            continue
        assert all(isinstance(value, int) for value in found.values())
