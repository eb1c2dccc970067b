"""Adding up a dump of all sockets."""

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ObserveError
from agent.model.sample import State
from agent.observe.table import count as counting
from agent.observe.table.count import Count
from agent.observe.table.values import OUTGOING, Destination, Group, Listening, Sockets, Uses
from tests.observe.recorded_sockets import DUMP
from tests.observe.table.rows import END, info, row

BYTES = bytes.fromhex(DUMP)
WEB = Listening(port=80, waiting=0, backlog=128, inode=7)
RANGE = (32_768, 60_999)


def counted(*rows: bytes, watched: frozenset[int] = frozenset()) -> Sockets:
    count = Count((WEB,), RANGE, watched)
    assert count.take(b"".join(rows) + END)
    return count.result()


def test_inbound_and_outgoing_are_added_up_apart() -> None:
    found = counted(
        row(queues=(5, 0), inode=1),
        row(queues=(7, 9), cookie=2, inode=2),
        row(local=("10.0.0.1", 40_000), queues=(0, 3), cookie=3, tries=2),
    )

    assert found.groups == {
        (State.ESTABLISHED, 80): Group(
            count=2, unread=2, unread_bytes=12, unsent=1, unsent_bytes=9
        ),
        (State.ESTABLISHED, OUTGOING): Group(
            count=1, unsent=1, unsent_bytes=3, retried=1, orphans=1
        ),
    }
    assert found.total(State.ESTABLISHED).count == 3
    assert found.outgoing(State.ESTABLISHED).count == 1
    assert found.inbound(80, State.ESTABLISHED).unread_bytes == 12


def test_one_socket_is_told_with_all_that_is_known_of_it() -> None:
    found = counted(
        row(
            State.CLOSE_WAIT,
            local=("::ffff:10.0.0.1", 80),
            remote=("::ffff:192.0.2.9", 1234),
            timer=2,
            tries=3,
            cookie=99,
            queues=(1, 2),
            inode=44,
            info=info(8_000, 9_000),
        )
    )
    one = found.kept[99]

    assert (one.state, one.port, one.remote_port) == (State.CLOSE_WAIT, 80, 1234)
    assert one.remote == ip_address("192.0.2.9")
    assert (one.timer, one.tries, one.unread, one.unsent) == (2, 3, 1, 2)
    assert one.uid == 1000
    assert (one.inode, one.acked_ms, one.received_ms) == (44, 9_000, 8_000)
    assert found.inodes() == {7, 44}


def test_a_way_out_counts_the_ports_that_the_kernel_chooses() -> None:
    to = ("192.0.2.1", 443)
    rows = [row(State.TIME_WAIT, local=("10.0.0.1", 40_000 + n), remote=to) for n in range(3)]
    rows += [row(local=("10.0.0.1", 50_000), remote=to), row(local=("10.0.0.1", 1024), remote=to)]
    rows += [row(local=("10.0.0.2", 50_001), remote=to), row(remote=("192.0.2.1", 443))]
    found = counted(*rows)

    ways = {str(one.local): uses for one, uses in found.destinations.items()}
    assert ways == {
        "10.0.0.1": Uses(lingering=3, live=1),
        "10.0.0.2": Uses(lingering=0, live=1),
    }
    assert {one.port for one in found.destinations} == {443}
    assert all(isinstance(one, Destination) for one in found.destinations)


def test_a_mapped_address_shares_its_ports_with_the_ipv4_address_that_it_is() -> None:
    found = counted(
        row(local=("10.0.0.1", 40_000), remote=("192.0.2.1", 443)),
        row(local=("::ffff:10.0.0.1", 40_001), remote=("::ffff:192.0.2.1", 443)),
        row(local=("2001:db8::1", 40_002), remote=("2001:db8::2", 443)),
        row(local=("fe80::1", 40_003), remote=("fe80::2", 443)),
    )

    ways = {
        (str(one.local), str(one.remote)): uses.live for one, uses in found.destinations.items()
    }
    assert ways == {
        ("10.0.0.1", "192.0.2.1"): 2,
        ("2001:db8::1", "2001:db8::2"): 1,
        ("fe80::1", "fe80::2"): 1,
    }


def test_neither_time_wait_nor_half_open_is_kept_one_by_one() -> None:
    found = counted(row(State.TIME_WAIT), row(State.SYN_RECV, cookie=2))

    assert not found.kept
    assert found.total(State.SYN_RECV).count == 1


def test_a_million_takes_no_more_room_than_some_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_KEPT", 20)
    rows = [row(cookie=n) for n in range(1, 500)]
    rows += [
        row(
            State.SYN_SENT,
            local=("10.0.0.1", 40_000 + n),
            remote=(f"192.0.2.{n}", 23),
            tries=1,
            cookie=1000 + n,
        )
        for n in range(100)
    ]
    found = counted(*rows)

    assert len(found.kept) <= 40
    assert found.outgoing(State.SYN_SENT).count == 100
    about = sum(one.stands_for for one in found.kept.values() if one.state is State.ESTABLISHED)
    assert about == pytest.approx(499, abs=40)


@pytest.mark.parametrize("cookie", [1, 333, 499])
def test_who_was_watched_is_kept_again_and_speaks_for_nobody(
    monkeypatch: pytest.MonkeyPatch, cookie: int
) -> None:
    monkeypatch.setattr(counting, "MOST_KEPT", 20)
    found = counted(*(row(cookie=n) for n in range(1, 500)), watched=frozenset({cookie, 9_999}))

    assert found.kept[cookie].stands_for == 0
    assert 9_999 not in found.kept


def test_a_recorded_answer_is_counted() -> None:
    count = Count((WEB,), RANGE)
    assert count.take(BYTES[132 + 124 :])
    found = count.result()

    assert found.inbound(80, State.ESTABLISHED).count == 2
    assert found.total(State.SYN_RECV, State.TIME_WAIT).count == 3
    assert "198.18.0.2" in {str(one.remote) for one in found.kept.values()}


def test_an_answer_cut_off_anywhere_is_whole_rows_or_an_error() -> None:
    answer = row() + row(cookie=2, info=info(1, 2)) + END
    whole = {0, len(row()), len(answer) - len(END)}
    for end in set(range(len(answer))) - whole:
        with pytest.raises(ObserveError):
            Count((WEB,), RANGE).take(answer[:end])


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_are_counted_or_an_error(rest: bytes, kept: int) -> None:
    count = Count((WEB,), RANGE)
    try:
        count.take((row() + row(cookie=2, info=info(1, 2)))[:kept] + rest)
        count.result()
    except ObserveError:
        return
