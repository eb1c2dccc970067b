"""Queues of listening sockets."""

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import ObserveError, RefusedError
from agent.model.inputs import Queue
from agent.observe import listeners
from agent.observe.listeners import REQUEST, parse_rows, queues_of, read_listeners
from tests.observe.recorded_sockets import DUMP
from tests.range import in_namespace

BYTES = bytes.fromhex(DUMP)
LISTENING = BYTES[: 132 + 124]
END = BYTES[-20:]


def test_the_request_asks_for_listening_sockets_of_both_families() -> None:
    assert struct.pack("=IHHIIBBBB48xII", 76, 18, 0x301, 1, 0, 0, 0, 0, 0, 1 << 10, 0) == REQUEST


def test_a_recorded_answer_is_read_bit_for_bit() -> None:
    assert parse_rows(LISTENING + END) == ([(80, 0, 128), (22, 0, 128)], True)


def test_an_answer_may_come_in_chunks() -> None:
    assert parse_rows(LISTENING[:132]) == ([(80, 0, 128)], False)
    assert parse_rows(END) == ([], True)


def test_the_two_numbers_are_not_mistaken_for_each_other() -> None:
    row = bytearray(LISTENING[:132])
    struct.pack_into("=II", row, 72, 7, 511)

    assert parse_rows(bytes(row)) == ([(80, 7, 511)], False)


def test_an_answer_cut_off_anywhere_is_whole_rows_or_an_error() -> None:
    whole = {0, 132, 256, 276}
    answer = LISTENING + END

    for end in set(range(len(answer))) - whole:
        with pytest.raises(ObserveError):
            parse_rows(answer[:end])
    for end in whole:
        parse_rows(answer[:end])


def test_a_row_that_is_too_short_for_its_fields_is_an_error() -> None:
    with pytest.raises(ObserveError, match="a row of 68 bytes, not 72"):
        parse_rows(struct.pack("=IHHII", 84, 18, 2, 1, 0) + bytes(68))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 276))
def test_any_bytes_are_rows_or_an_error(rest: bytes, kept: int) -> None:
    try:
        rows, _ = parse_rows((LISTENING + END)[:kept] + rest)
    except ObserveError:
        return

    assert all(0 <= port <= 65535 for port, _, _ in rows)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], {}, id="none"),
        pytest.param(
            [(80, 3, 511)],
            {80: Queue(waiting=3, backlog=511, smallest=511, full=0)},
            id="one",
        ),
        pytest.param(
            [(80, 3, 511), (80, 1, 128), (22, 0, 128)],
            {
                80: Queue(waiting=4, backlog=639, smallest=128, full=0),
                22: Queue(waiting=0, backlog=128, smallest=128, full=0),
            },
            id="of-one-port-together",
        ),
        pytest.param(
            [(80, 0, 511), (80, 129, 128), (80, 96, 128), (80, 95, 128)],
            {80: Queue(waiting=320, backlog=895, smallest=128, full=129 + 129)},
            id="two-of-four-nearly-full",
        ),
        pytest.param(
            [(80, 1, 0)],
            {80: Queue(waiting=1, backlog=0, smallest=0, full=1)},
            id="one-waits-where-none-should",
        ),
        pytest.param(
            [(80, 0, 0)],
            {80: Queue(waiting=0, backlog=0, smallest=0, full=0)},
            id="no-backlog-and-nothing-waits",
        ),
    ],
)
def test_the_sockets_of_a_port_are_added_up(
    rows: list[tuple[int, int, int]], expected: dict[int, Queue]
) -> None:
    assert queues_of(rows) == expected


@pytest.mark.parametrize("error", [RefusedError("no"), ObserveError("no answer")])
def test_a_kernel_that_does_not_tell_is_no_queues(
    monkeypatch: pytest.MonkeyPatch, error: ObserveError
) -> None:
    def ask(*_: object) -> None:
        raise error

    monkeypatch.setattr(listeners, "ask", ask)

    assert read_listeners() == {}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.root
def test_real_listeners_of_both_families(namespace: str, stack: ExitStack) -> None:
    with in_namespace(namespace):
        four = stack.enter_context(socket.create_server(("127.0.0.1", 80), backlog=5))
        stack.enter_context(socket.create_server(("::1", 80), family=socket.AF_INET6, backlog=7))
        for _ in range(2):
            stack.enter_context(socket.create_connection(("127.0.0.1", 80)))

        assert read_listeners() == {80: Queue(waiting=2, backlog=12, smallest=5, full=0)}
        stack.enter_context(four.accept()[0])
        assert read_listeners()[80].waiting == 1


@pytest.mark.root
def test_a_full_one_among_workers_that_share_a_port_is_told(
    namespace: str, stack: ExitStack
) -> None:
    with in_namespace(namespace):
        stack.enter_context(socket.create_server(("127.0.0.1", 80), backlog=1, reuse_port=True))
        for _ in range(2):
            stack.enter_context(socket.create_connection(("127.0.0.1", 80)))
        stack.enter_context(socket.create_server(("127.0.0.1", 80), backlog=50, reuse_port=True))

        assert read_listeners() == {80: Queue(waiting=2, backlog=51, smallest=1, full=2)}
