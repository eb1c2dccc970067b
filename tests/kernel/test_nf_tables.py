"""Dumps of nf_tables: recorded and broken ones."""

import struct
from collections.abc import Callable

import pytest

from agent.errors import ObserveError, RefusedError
from agent.kernel import nf_tables
from agent.kernel.nf_elements import Element, intervals, keys
from agent.kernel.nf_tables import Dump, Kind, attributes, comment, dump, request


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def element(key: bytes, *more: bytes) -> bytes:
    return attribute(1, attribute(1, attribute(1, key)) + b"".join(more))


def row(*elements: bytes) -> bytes:
    return attribute(1, b"abuse_agent\0") + attribute(3, b"".join(elements))


def message(body: bytes, kind: int = 0x0A0C, flags: int = 2) -> bytes:
    return struct.pack("=IHHII", 20 + len(body), kind, flags, 1, 0) + bytes(4) + body


LEFT = attribute(5, struct.pack(">Q", 598_432))
MARK = attribute(6, b"\x01\x04\x01\0\0\0" + b"\0\x06a b 1\0")
END = attribute(3, b"\0\0\0\1")
DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def test_the_elements_of_a_hash_set() -> None:
    rows = [row(element(b"\x0b\0\0\1", LEFT, MARK), element(b"\x0b\0\0\2"))]

    assert list(keys(rows)) == [
        Element(b"\x0b\0\0\1", b"\x0b\0\0\1", 598_432, "a b 1"),
        Element(b"\x0b\0\0\2", b"\x0b\0\0\2", None, None),
    ]


def test_intervals_are_put_together_from_edges_in_any_order() -> None:
    rows = [
        row(
            element(b"\xff\0\0\0", LEFT),
            element(b"\1\2\4\0", END),
            element(b"\1\2\3\0", LEFT, MARK),
            element(b"\1\2\3\0", END),
            element(b"\1\2\2\0"),
            element(b"\0\0\0\0", END),
        )
    ]

    assert [(one.first.hex(), one.last.hex(), one.left_ms) for one in intervals(rows)] == [
        ("01020200", "010202ff", None),
        ("01020300", "010203ff", 598_432),
        ("ff000000", "ffffffff", 598_432),
    ]


@pytest.mark.parametrize("value", [b"\3\0\1\0", b"\x09\0\1\0abcd", b"\0\0\0\0"])
def test_a_length_that_cannot_be_is_an_error(value: bytes) -> None:
    with pytest.raises(ObserveError):
        attributes(value)


@pytest.mark.parametrize(
    ("userdata", "expected"),
    [(None, None), (b"", None), (b"\1\4\0\0\0\0", None), (b"\0\3ab\0", "ab"), (b"\0\x09ab", "ab")],
)
def test_a_comment_is_found_among_other_data(userdata: bytes, expected: str | None) -> None:
    assert comment(userdata) == expected


def test_a_row_ends_with_the_dump() -> None:
    answer = Dump(Kind.ELEMENTS)

    assert not answer.take(message(b"abcd") + message(b"efgh"))
    assert answer.take(DONE)
    assert (answer.rows, answer.interrupted) == ([b"abcd", b"efgh"], False)


def test_a_table_that_is_not_there_is_a_refusal() -> None:
    with pytest.raises(RefusedError):
        Dump(Kind.SET).take(struct.pack("=IHHIIi16x", 36, 2, 0, 1, 0, -2))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[bytes]]:
    """Put recorded chunks in the place of the kernel."""

    def put(*chunks: bytes) -> list[bytes]:
        left = list(chunks)

        def ask(_protocol: int, _request: bytes, take: Callable[[bytes], bool]) -> None:
            while not take(left.pop(0)):
                pass

        monkeypatch.setattr(nf_tables, "ask", ask)
        return left

    return put


def test_a_dump_that_was_interrupted_is_asked_for_again(
    answers: Callable[..., list[bytes]],
) -> None:
    left = answers(message(b"old!", flags=0x12), DONE, message(b"new!"), DONE)

    assert dump(Kind.ELEMENTS, "t", "s") == [b"new!"]
    assert left == []


def test_one_that_always_is_interrupted_is_an_error(answers: Callable[..., list[bytes]]) -> None:
    answers(*[message(b"old!", flags=0x12) + DONE] * 5)

    with pytest.raises(ObserveError, match="all the time"):
        dump(Kind.ELEMENTS, "t")


def test_a_request_names_the_table_and_the_set() -> None:
    body = b"\1\0\0\0" + attribute(1, b"t\0") + attribute(2, b"s\0")

    assert request(Kind.ELEMENTS, "t", "s") == (
        struct.pack("=IHHII", 16 + len(body), 0x0A0D, 0x301, 1, 0) + body
    )


def test_an_element_for_everything_else_has_no_key() -> None:
    rows = [row(attribute(1, LEFT), element(b"\1\2\3\0"), element(b"\1\2\4\0", END))]

    assert [(one.first.hex(), one.last.hex(), one.left_ms) for one in intervals(rows)] == [
        ("", "", 598_432),
        ("01020300", "010203ff", None),
    ]
