"""Recorded bytes, and what may go wrong with them."""

import errno
import struct
from collections import Counter
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ObserveError, RefusedError
from agent.model.address import MAPPED
from agent.observe.inet_diag import REQUEST, Dump, may_end
from tests.observe.recorded_sockets import DUMP

BYTES = bytes.fromhex(DUMP)
DONE = BYTES[-20:]
ROWS = BYTES[:-20]
INTERRUPTED = 0x10


def at(address: str) -> bytes:
    """Give a packed address as the kernel has it, without an interface."""
    return ip_address(address).packed.ljust(20, b"\0")


RECORDED = {
    (2, 10, 22, bytes(20)): 1,
    (10, 10, 80, bytes(20)): 1,
    (2, 1, 22, at("198.18.0.1")): 1,
    (2, 6, 22, at("198.18.0.3")): 1,
    (2, 3, 22, at("198.19.0.4")): 1,
    (10, 3, 80, at("2001:db8:19::5")): 1,
    (10, 1, 80, MAPPED + bytes([198, 18, 0, 2]) + bytes(4)): 1,
    (10, 1, 80, at("2001:db8:18::1")): 1,
}


def messages(text: bytes) -> list[bytes]:
    """Cut an answer into its messages."""
    cut = []
    while text:
        (length,) = struct.unpack_from("=I", text)
        cut.append(text[:length])
        text = text[length:]
    return cut


def row(length: int = 124, *, source: int = 0, flags: int = 2, kind: int = 18) -> bytes:
    """Write a row of an ESTABLISHED IPv4 socket on port 80."""
    packed = struct.pack("!I", 0x0A000000 + source)
    key = struct.pack("=IHHII", length, kind, flags, 1, 0) + bytes([2, 1, 0, 0])
    key += struct.pack("!HH16x4s12xI", 80, 50_000, packed, 0)
    return key.ljust(length, b"\xaa")


def error(number: int) -> bytes:
    """Write the message of an error."""
    return struct.pack("=IHHIIi16x", 36, 2, 0, 1, 0, -number)


def done(status: int, flags: int = 2) -> bytes:
    """Write the message of the end."""
    return struct.pack("=IHHIIi", 20, 3, flags, 1, 0, status)


def test_the_request_is_one_walk_over_both_families_and_all_states() -> None:
    assert struct.pack("=IHHIIBBBB48xII", 76, 18, 0x301, 1, 0, 0, 0, 0, 0, 0xFFE, 0) == REQUEST


def test_a_recorded_answer_is_counted_bit_for_bit() -> None:
    dump = Dump()

    assert dump.take(BYTES)
    assert dump.raw == RECORDED
    assert not dump.interrupted


def test_an_answer_in_chunks_counts_the_same() -> None:
    dump = Dump()

    assert [dump.take(message) for message in messages(BYTES)] == [False] * 8 + [True]
    assert dump.raw == RECORDED


def test_an_answer_cut_off_anywhere_is_whole_rows_or_an_error() -> None:
    whole = {sum(map(len, messages(ROWS)[:n])) for n in range(9)}

    for end in set(range(1, len(BYTES))) - whole:
        with pytest.raises(ObserveError):
            Dump().take(BYTES[:end])
    for end in whole:
        assert not Dump().take(BYTES[:end])


def test_a_row_cut_off_behind_known_rows_is_an_error() -> None:
    for end in range(1, 124):
        dump = Dump()
        dump.take(row() * 3)

        with pytest.raises(ObserveError):
            dump.take(row() * 3 + row()[:end])


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param([124] * 200, id="uniform"),
        pytest.param([124, 96] * 100, id="alternating"),
        pytest.param([124] * 100 + [96] * 100, id="two runs"),
        pytest.param([88, 92, 124, 132, 300], id="all different"),
    ],
)
def test_rows_of_any_lengths_are_each_counted_once(lengths: list[int]) -> None:
    dump = Dump()
    for _ in range(2):
        chunk = b"".join(row(length, source=number) for number, length in enumerate(lengths))
        assert not dump.take(chunk)

    assert len(dump.raw) == len(lengths)
    assert set(dump.raw.values()) == {2}


def test_a_row_shorter_than_its_fields_is_an_error() -> None:
    with pytest.raises(ObserveError, match="a row of 84 bytes, not 88"):
        Dump().take(row(84))


def test_one_other_type_among_uniform_lengths_is_noticed() -> None:
    dump = Dump()
    dump.take(row())

    with pytest.raises(ObserveError, match="a message of type 20"):
        dump.take(row() * 50 + row(kind=20) + row() * 50)


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([row(flags=2 | INTERRUPTED), DONE], id="on the first row"),
        pytest.param([row() * 9, row() * 9 + row(flags=2 | INTERRUPTED), DONE], id="on a late row"),
        pytest.param([row(), done(0, 2 | INTERRUPTED)], id="on the end"),
    ],
)
def test_an_interrupted_dump_is_told(chunks: list[bytes]) -> None:
    dump = Dump()

    assert [dump.take(chunk) for chunk in chunks][-1]
    assert dump.interrupted
    assert dump.raw


@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.ENOENT])
@pytest.mark.parametrize("write", [error, lambda number: done(-number)], ids=["error", "done"])
def test_a_refusal_says_so(number: int, write: type) -> None:
    with pytest.raises(RefusedError):
        Dump().take(row() + write(number))


def test_another_error_is_no_refusal() -> None:
    with pytest.raises(ObserveError, match="Cannot allocate memory") as caught:
        Dump().take(error(errno.ENOMEM))

    assert not isinstance(caught.value, RefusedError)


def test_an_end_that_carries_a_failure_is_no_end() -> None:
    with pytest.raises(ObserveError, match="Interrupted"):
        Dump().take(row() + done(-errno.EINTR))


def test_an_end_without_a_status_is_an_error() -> None:
    with pytest.raises(ObserveError, match="a status of 0 bytes"):
        Dump().take(struct.pack("=IHHII", 16, 3, 2, 1, 0))


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        pytest.param(ROWS, False, id="rows"),
        pytest.param(BYTES, True, id="rows and the end"),
        pytest.param(DONE, True, id="the end alone"),
        pytest.param(row() + done(-errno.EINTR), True, id="an end that is a failure"),
        pytest.param(error(1), True, id="an error"),
        pytest.param(b"", True, id="nothing"),
        pytest.param(row()[:-20] + DONE, True, id="a row that looks like it"),
    ],
)
def test_whether_a_chunk_may_be_the_last_is_seen_at_a_glance(
    chunk: bytes, *, expected: bool
) -> None:
    assert may_end(chunk) is expected


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from([*messages(BYTES), row(), row(96), error(1)]),
            st.builds(
                lambda head, rest: struct.pack("=IHH", *head) + rest,
                st.tuples(st.integers(0, 260), st.sampled_from([2, 3, 18]), st.integers(0, 31)),
                st.binary(max_size=250),
            ),
        ),
        max_size=8,
    )
)
def test_any_bytes_give_counts_or_an_error(parts: list[bytes]) -> None:
    dump = Dump()
    try:
        dump.take(b"".join(parts))
    except ObserveError:
        return

    assert isinstance(dump.raw, Counter)
    assert all(len(key[3]) == 20 for key in dump.raw)
