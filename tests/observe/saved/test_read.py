"""Recorded listings of many kinds: what is counted, and what is not."""

from collections import Counter
from datetime import UTC, datetime
from io import BytesIO

import pytest

from agent.errors import UnreadableError
from agent.model.address import unpack
from agent.model.sample import SOCKETS, State
from agent.observe.saved import Moment, Reason, read_moments, sample_of_saved

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TITLE = "Active Internet connections (w/o servers)\n"
COLUMNS = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      \n"
HEAD = TITLE + COLUMNS
ROW = "tcp        0      0 192.0.2.1:80            198.51.100.7:40000      ESTABLISHED\n"
ROW6 = "tcp6       0      0 2001:db8::1:80          2001:db8::7:40000       TIME_WAIT  \n"
SS_HEAD = "State     Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n"
SS_ROW = "ESTAB     0      0          192.0.2.1:80    198.51.100.7:40000        \n"
STATELESS_HEAD = "Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n"
STATELESS_ROW = "0      0          192.0.2.1:80    198.51.100.7:40000        \n"
PROC_HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
    " inode                                                     \n"
)
PROC_ROW = (
    "   1: 010200C0:0050 076433C6:9C40 01 00000000:00000000 00:00000000 00000000     0        0"
    " 0 3 00000000b2994ecc                                      \n"
)
PROC6_HEAD = (
    "  sl  local_address                         remote_address                        st"
    " tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
)
PROC6_ROW = (
    "   0: B80D0120000000000000000001000000:0050 B80D0120000000000000000007000000:9C40 06"
    " 00000000:00000000 03:000007E2 00000000     0        0 0 3 00000000b2994ecc\n"
)
ONE = {("ESTABLISHED", 80, "198.51.100.7"): 1}
ONE6 = {("TIME_WAIT", 80, "2001:db8::7"): 1}


def read(*streams: str | bytes, stateless: State = State.ESTABLISHED) -> list[Moment]:
    """Read texts as the streams a, b, c ..."""
    each = (text.encode() if isinstance(text, str) else text for text in streams)
    return list(read_moments(zip("abcdef", map(BytesIO, each), strict=False), stateless))


def told(moment: Moment) -> dict[tuple[str, int, str], int]:
    """Give what was counted as a person reads it."""
    return {
        (State(state).name, port, str(unpack(family, packed))): count
        for (family, state, port, packed), count in moment.raw.items()
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + ROW, ONE),
        (COLUMNS + ROW, ONE),
        (ROW, ONE),
        (HEAD + ROW6, ONE6),
        (SS_HEAD + SS_ROW, ONE),
        (SS_ROW, ONE),
        (STATELESS_HEAD + STATELESS_ROW, ONE),
        (STATELESS_ROW, ONE),
        ("Netid " + SS_HEAD + "tcp   " + SS_ROW, ONE),
        ("Netid " + STATELESS_HEAD + "tcp   " + STATELESS_ROW, ONE),
        (PROC_HEAD + PROC_ROW, ONE),
        (PROC6_HEAD + PROC6_ROW, ONE6),
        (PROC_HEAD + PROC_ROW + PROC6_HEAD + PROC6_ROW, ONE | ONE6),
    ],
)
def test_each_form_is_read(text: str, expected: dict[tuple[str, int, str], int]) -> None:
    for written in (text, text.replace("\n", "\r\n"), text.rstrip("\n"), text.replace(" ", "\t")):
        (moment,) = read(written)

        assert told(moment) == expected
        assert moment.lines == sum(expected.values())
        assert moment.unread.count == 0
        assert moment.others == len(text.splitlines()) - moment.lines
        assert moment.is_stateless == (STATELESS_ROW in text and "ESTAB " not in text)


def test_a_header_or_the_next_stream_begins_a_moment() -> None:
    assert [one.where for one in read(HEAD + ROW + HEAD + ROW, ROW, COLUMNS + ROW)] == [
        "a:1",
        "a:4",
        "b:1",
        "c:1",
    ]
    assert [one.lines for one in read(HEAD + HEAD + ROW)] == [0, 1]
    assert [one.lines for one in read(SS_HEAD, SS_HEAD)] == [0, 0]
    assert [one.where for one in read(TITLE + ROW + ROW + COLUMNS + ROW)] == ["a:1", "a:4"]
    assert [one.where for one in read(ROW + SS_ROW + ROW)] == ["a:1", "a:2", "a:3"]
    assert [one.where for one in read("junk\n", "\n", HEAD + ROW)] == ["c:1"]


def test_tcp6_behind_tcp_is_of_the_same_moment_in_the_next_stream_too() -> None:
    tcp, tcp6 = PROC_HEAD + PROC_ROW, PROC6_HEAD + PROC6_ROW
    for moments in (read(tcp, tcp6, tcp, tcp6), read(tcp + tcp6 + tcp + tcp6)):
        assert [told(one) for one in moments] == [ONE | ONE6] * 2
    assert len(read(tcp6, tcp6)) == 2
    assert len(read(HEAD + ROW, tcp6)) == 2


def test_nothing_readable_is_an_error_that_shows_a_line() -> None:
    with pytest.raises(UnreadableError, match=r"^a:1: no line of netstat.*: hello \\x1b\[2J$"):
        read("hello \x1b[2J\n")
    with pytest.raises(UnreadableError, match="no line of netstat"):
        read("")


def test_without_listening_rows_the_given_ports_count_as_listening() -> None:
    (moment,) = read(HEAD + ROW + ROW6)

    sample = sample_of_saved(moment, {80, 443}, NOW)
    assert sample.listening == {80, 443}
    assert sum(sample.tallies[SOCKETS].values()) == 2
    assert sample_of_saved(moment, {443}, NOW).tallies[SOCKETS] == {}
    assert moment.lines == sum(moment.raw.values()) == 2

    (moment,) = read(HEAD + ROW + ROW.replace(":80 ", ":22 ") + LISTEN)
    sample = sample_of_saved(moment, {80, 443}, NOW)
    assert sample.listening == {22}
    assert {port for _, _, port, _ in sample.tallies[SOCKETS]} == {22}


LISTEN = "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN     \n"


def test_local_addresses_are_this_machines_own() -> None:
    (moment,) = read(HEAD + ROW + ROW6 + LISTEN)

    assert {str(one) for one in moment.own} == {"192.0.2.1", "2001:db8::1"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("hello", Reason.JUNK),
        ("tcp 0 0 192.0.2.1:80 198.51.100.7:400", Reason.CUT),
        (ROW.replace("ESTABLISHED", "ESTAB"), Reason.STATE),
        (ROW.replace("198.51.100.7:40000", "web.example.net:https"), Reason.NAMES),
        (ROW.replace(":80", ":http"), Reason.NAMES),
        (ROW.replace("198.51.100.7", "host"), Reason.NAMES),
        (ROW.replace("198.51.100.7", "198.51.100.700"), Reason.ADDRESS),
        (ROW.replace("40000", "400000"), Reason.ADDRESS),
        ("tcp4  0  0  192.0.2.1.80  198.51.100.7.400  ESTABLISHED", Reason.FOREIGN),
        ("tcp   0  0  192.0.2.1.80  198.51.100.7.400  ESTABLISHED", Reason.FOREIGN),
        ("  TCP    192.0.2.1:80   198.51.100.7:443   ESTABLISHED", Reason.FOREIGN),
        ("tcp6  0  0 2001:db8:1:2:3:4:5:6:80 2001:db8::7:400  ESTABLISHED", Reason.TRUNCATED),
        ("tcp6  0  0 2001:db8::1:80  2001:db8:1:2:3:4:5:6:80  ESTABLISHED", Reason.TRUNCATED),
    ],
)
def test_a_line_that_cannot_be_read_is_counted_with_its_reason(line: str, reason: Reason) -> None:
    for text in (HEAD + ROW + line, ROW + line + "\n" + ROW):
        (moment,) = read(text)

        assert moment.unread.reasons == {reason: 1}
        assert moment.lines + moment.others + moment.unread.count == len(text.splitlines())


def test_an_address_that_may_have_been_cut_counts_only_beside_a_wider_one() -> None:
    full = "tcp6       0      0 2001:db8::1:80          2001:db8:1:2::3:7:40000 ESTABLISHED\n"
    wide = "tcp6       0      0 2001:db8::1:80          2001:db8:1:2::3:77:40000 ESTABLISHED\n"
    assert len(full.split()[4]) == 23

    (moment,) = read(HEAD + full + ROW + full)
    assert told(moment) == ONE
    assert moment.unread.reasons == {Reason.TRUNCATED: 2}
    assert [one.where for one in moment.unread.examples] == ["a:3", "a:5"]

    for text in (full + wide + full, wide + full + full, full + full + wide):
        before, moment = read(HEAD + full + HEAD + text)
        assert before.unread.reasons == {Reason.TRUNCATED: 1}
        assert moment.unread.count == 0
        assert Counter(told(moment)) == {
            ("ESTABLISHED", 80, "2001:db8:1:2::3:7"): 2,
            ("ESTABLISHED", 80, "2001:db8:1:2::3:77"): 1,
        }
