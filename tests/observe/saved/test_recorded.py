"""Listings as tools of other times and places write them, put down after their sources."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest

from agent.model.address import unpack
from agent.model.sample import State
from agent.observe.saved import Moment, Reason, read_moments

Told = Mapping[tuple[str, int, str], int]
RECORDED = Path(__file__).with_name("recorded")
OLD_NET_TOOLS = (RECORDED / "net-tools-1.60.txt").read_bytes()
"""net-tools 1.60 with wide columns, as CentOS 5 has it."""
WITH_PROGRAMS = (RECORDED / "netstat-programs.txt").read_bytes()
OF_SS = (RECORDED / "ss-several-versions.txt").read_bytes()
"""Of several versions: with and without brackets, the interface inside and outside of them."""
ALL_OF_SS = (RECORDED / "ss-all.txt").read_bytes()
OF_BUSYBOX = (RECORDED / "busybox.txt").read_bytes()
"""It cuts the whole cell, the port too; its last cell is as wide as the column."""
OF_PROC_UDP = (RECORDED / "proc-udp.txt").read_bytes()

CUT_OFF = b"""\
State      Recv-Q Send-Q        Local Address:Port          Peer Address:Port
ESTAB      0      0        192.0.2.1:80     198.51.100.7:40000
ESTAB      0      0        192.0.2.1:80     198.51.1"""


def one_of(*texts: bytes) -> Moment:
    """Read texts as one moment."""
    (moment,) = read_moments(("a", BytesIO(text)) for text in texts)
    return moment


@pytest.mark.parametrize(
    ("text", "expected", "others"),
    [
        (
            OLD_NET_TOOLS,
            {
                ("LISTEN", 22, "0.0.0.0"): 1,
                ("LISTEN", 80, "::"): 1,
                ("ESTABLISHED", 22, "198.51.100.7"): 1,
                ("ESTABLISHED", 80, "198.51.100.7"): 1,
                ("TIME_WAIT", 80, "198.51.100.8"): 1,
            },
            7,
        ),
        (
            WITH_PROGRAMS,
            {
                ("ESTABLISHED", 80, "198.51.100.7"): 2,
                ("TIME_WAIT", 80, "198.51.100.7"): 1,
                ("LISTEN", 80, "::"): 1,
            },
            4,
        ),
        (
            OF_SS,
            {
                ("LISTEN", 22, "::"): 2,
                ("ESTABLISHED", 80, "198.51.100.7"): 2,
                ("ESTABLISHED", 80, "fe80::9"): 1,
                ("ESTABLISHED", 80, "2001:db8::7"): 1,
                ("CLOSE", 25, "::"): 1,
            },
            3,
        ),
        (
            ALL_OF_SS,
            {("LISTEN", 80, "::"): 1, ("ESTABLISHED", 80, "198.51.100.7"): 1},
            6,
        ),
    ],
)
def test_what_was_recorded_is_read(text: bytes, expected: Told, others: int) -> None:
    moment = one_of(text)

    assert {
        (State(state).name, port, str(unpack(family, packed))): count
        for (family, state, port, packed), count in moment.raw.items()
    } == expected
    assert (moment.others, moment.unread.count) == (others, 0)


def test_a_cell_as_wide_as_busyboxs_column_is_not_trusted() -> None:
    moment = one_of(OF_BUSYBOX)

    assert moment.lines == 2
    assert moment.unread.reasons == {Reason.TRUNCATED: 1}


def test_datagrams_of_proc_are_no_connections() -> None:
    tcp = OF_PROC_UDP.replace(b" ref pointer drops", b"")

    assert (one_of(tcp + OF_PROC_UDP).lines, one_of(tcp + OF_PROC_UDP).others) == (1, 3)


def test_a_listing_that_was_cut_off_loses_its_last_line_only() -> None:
    moment = one_of(CUT_OFF)

    assert moment.lines == 1
    assert moment.unread.reasons == {Reason.ADDRESS: 1}


def test_a_local_port_stays_beside_an_address_in_capitals() -> None:
    row = b"tcp6       0      0 fe80::1:80              FE80::9:40000           ESTABLISHED\n"

    assert {key[2] for key in one_of(row * 3).raw} == {80}
    assert one_of(row * 3).lines == 3


def test_a_line_for_which_the_state_was_asked_for_has_that_one() -> None:
    text = b"0 0 192.0.2.1:80 198.51.100.7:40000\n"
    (moment,) = read_moments([("a", BytesIO(text))], State.TIME_WAIT)

    assert moment.is_stateless
    assert {key[1] for key in moment.raw} == {State.TIME_WAIT}


@pytest.mark.parametrize(
    "cut",
    [
        b"tcp 0 0 192.0.2.1:80 198.51.100.7:40000 users:((",
        b"tcp 0 0 192.0.2.1:80 198.51.100.7:40000",
        b"tcp 0 0 192.0.2.1:80 198.51.100.7:40000 ESTA",
    ],
)
def test_a_row_of_netstat_without_its_state_is_not_taken_for_one_of_ss(cut: bytes) -> None:
    row = b"0 0 192.0.2.1:80 198.51.100.8:40000\n"
    moment = one_of(row + cut + b"\n" + row)

    assert (moment.lines, moment.unread.count) == (2, 1)
