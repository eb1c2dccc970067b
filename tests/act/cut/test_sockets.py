"""The rows of the kernel's table: handmade, and what may go wrong with them."""

import errno
import struct
from collections.abc import Callable, Iterable
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.act.cut import sockets
from agent.act.cut.reach import Reaches
from agent.act.cut.removal import Removal
from agent.act.cut.sockets import REQUEST, Table, destroy_sockets, order_of
from agent.errors import ObserveError, RefusedError
from agent.kernel.ask import OverrunError
from agent.model.policy import Scope
from agent.model.sample import State
from tests.builders import ban, prefix

INTERRUPTED = 0x10
BAD = "192.0.2.10"


def row(
    source: str = BAD,
    *,
    state: State = State.ESTABLISHED,
    port: int = 80,
    length: int = 124,
    **changes: int,
) -> bytes:
    """Write a row; by default of an established connection from the banned source."""
    address = ip_address(source)
    family = changes.get("family", 2 if address.version == 4 else 10)
    flags, cookie = changes.get("flags", 2), changes.get("cookie", 7)
    text = struct.pack("=IHHII", length, changes.get("kind", 18), flags, 1, 0)
    text += bytes([family, state, 0, 0]) + struct.pack("!HH", port, 50_000)
    text += bytes(16) + address.packed.ljust(16, b"\0") + struct.pack("=IQ", 3, cookie)
    return text.ljust((length + 3) & ~3, b"\0")


def listener(port: int = 80) -> bytes:
    return row("0.0.0.0", state=State.LISTEN, port=port, length=132)


def done(status: int = 0, flags: int = 2) -> bytes:
    return struct.pack("=IHHIIi", 20, 3, flags, 1, 0, status)


def table() -> Table:
    return Table(Reaches([ban()], [], frozenset({22})))


def found(*chunks: bytes) -> list[bytes]:
    one = table()
    for chunk in chunks:
        one.take(chunk)
    return one.found()


def test_the_request_is_one_walk_over_both_families_and_all_that_is_inbound() -> None:
    states = 0xFFE & ~(1 << 2 | 1 << 7)  # neither SYN_SENT nor CLOSE

    assert struct.pack("=IHHIIBBBB48xII", 76, 18, 0x301, 1, 0, 0, 0, 0, 0, states, 0) == REQUEST


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(row(), True, id="established"),
        pytest.param(row(length=96, state=State.TIME_WAIT), True, id="time-wait"),
        pytest.param(row(length=96, state=State.SYN_RECV), True, id="half-open"),
        pytest.param(row("::ffff:192.0.2.10"), True, id="mapped"),
        pytest.param(row("192.0.2.11"), False, id="another source"),
        pytest.param(row(port=443), False, id="a port on which nothing listens"),
        pytest.param(row(port=8443), False, id="another service"),
        pytest.param(row(state=State.LISTEN), False, id="a listener with an address"),
        pytest.param(row(family=1), False, id="a family that we don't know"),
        pytest.param(row(cookie=2**64 - 1), False, id="a cookie that is none"),
    ],
)
def test_inbound_sockets_in_reach_are_found(text: bytes, *, expected: bool) -> None:
    assert found(text, listener() + listener(8443) + done()) == ([text[16:68]] if expected else [])


def test_an_order_has_the_identity_with_its_cookie() -> None:
    text = row()

    assert order_of(text[16:68]) == struct.pack("=BBHI", 2, 6, 0, 0) + text[20:68]


def test_an_answer_cut_off_anywhere_is_whole_rows_or_an_error() -> None:
    text = listener() + row(length=96) + row() + done()
    whole = {0, 132, 228, 352}
    for end in range(len(text)):
        if end in whole:
            assert not table().take(text[:end])
        else:
            with pytest.raises(ObserveError):
                table().take(text[:end])


@pytest.mark.parametrize("length", [0, 16, 84, 10_000])
def test_a_length_that_cannot_be_is_an_error(length: int) -> None:
    wrong = struct.pack("=I", length) + row()[4:]

    with pytest.raises(ObserveError):
        table().take(listener() + wrong + row())


@pytest.mark.parametrize(
    ("status", "kind"), [(errno.EPERM, RefusedError), (errno.EINTR, ObserveError)]
)
def test_an_end_that_is_a_failure_says_so(status: int, kind: type) -> None:
    with pytest.raises(ObserveError) as caught:
        table().take(row() + done(-status))

    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(row(flags=2 | INTERRUPTED) + done(), id="on a row"),
        pytest.param(row() + done(flags=2 | INTERRUPTED), id="on the end"),
    ],
)
def test_an_interrupted_walk_is_told(chunk: bytes) -> None:
    one = table()

    assert one.take(chunk)
    assert one.interrupted


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200),
            st.sampled_from([listener(), row(), row(length=96), done()]),
            st.builds(
                lambda head, rest: struct.pack("=IHH", *head) + rest,
                st.tuples(st.integers(0, 260), st.sampled_from([2, 3, 18]), st.integers(0, 31)),
                st.binary(max_size=250),
            ),
        ),
        max_size=8,
    )
)
def test_any_bytes_give_rows_or_an_error(parts: list[bytes]) -> None:
    one = table()
    try:
        one.take(b"".join(parts))
    except ObserveError:
        return
    assert all(len(text) == 52 for text in one.found())


Answers = Callable[..., list[list[bytes]]]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Have the kernel give these tables, one a walk, and these errnos; gives the orders."""

    def put(*tables: bytes | Exception, numbers: Iterable[int]) -> list[list[bytes]]:
        left, answers, told = list(tables), iter(numbers), []

        def ask(_: int, __: bytes, take: Callable[[bytes], bool]) -> None:
            chunk = left.pop(0)
            if isinstance(chunk, Exception):
                raise chunk
            assert take(chunk)

        def tell(_: int, __: int, bodies: Iterable[bytes]) -> list[int]:
            told.append(list(bodies))
            return [next(answers) for _ in told[-1]]

        monkeypatch.setattr(sockets, "ask", ask)
        monkeypatch.setattr(sockets, "tell", tell)
        return told

    return put


def destroyed() -> Removal:
    return destroy_sockets(Reaches([ban(scope=Scope.HOST)], [prefix("::/0")], frozenset()))


NO_DESTROY = "this kernel can't destroy sockets (CONFIG_INET_DIAG_DESTROY)"
UNABLE = errno.EOPNOTSUPP


@pytest.mark.parametrize(
    ("states", "numbers", "expected"),
    [
        pytest.param([State.ESTABLISHED], [UNABLE], Removal(left=1, failure=NO_DESTROY), id="none"),
        pytest.param([State.TIME_WAIT, State.FIN_WAIT2], [UNABLE] * 2, Removal(), id="small ones"),
        pytest.param(
            [State.TIME_WAIT, State.ESTABLISHED], [UNABLE, 0], Removal(removed=1), id="an old one"
        ),
        pytest.param([State.ESTABLISHED], [errno.ENOENT], Removal(), id="gone meanwhile"),
    ],
)
def test_what_a_kernel_cannot_destroy_is_told(
    kernel: Answers, states: list[State], numbers: list[int], expected: Removal
) -> None:
    kernel(listener() + b"".join(row(state=one) for one in states) + done(), numbers=numbers)

    assert destroyed() == expected


def test_an_interrupted_walk_is_repeated_for_what_it_may_have_missed(kernel: Answers) -> None:
    interrupted = done(flags=2 | INTERRUPTED)
    first = listener() + row() + row(cookie=8) + interrupted
    told = kernel(
        first, OverrunError("lost"), listener() + row(cookie=8) + done(), numbers=[0, 5, 0]
    )

    assert destroyed() == Removal(removed=2)
    assert [len(orders) for orders in told] == [2, 1]


def test_a_table_that_never_rests_is_not_walked_for_ever(kernel: Answers) -> None:
    busy = listener() + row() + done(flags=2 | INTERRUPTED)
    kernel(busy, busy, busy, numbers=[0, 0, 0])

    assert destroyed() == Removal(removed=3)


def test_a_third_loss_is_an_error(kernel: Answers) -> None:
    kernel(*[OverrunError("lost")] * 3, numbers=[])

    with pytest.raises(OverrunError):
        destroyed()
