"""The counter of changes to nf_tables."""

import struct
import subprocess

import pytest

from agent.errors import ObserveError, RefusedError
from agent.kernel.nf_generation import Generation, generation
from tests.range import in_namespace


def answer(attributes: bytes, kind: int = 0x0A0F) -> bytes:
    body = bytes(4) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value


def test_the_number_is_read_wherever_it_stands() -> None:
    told = Generation()

    assert told.take(answer(attribute(2, b"\0\0\0\1") + attribute(1, b"\0\0\1\2")))

    assert told.number == 258


@pytest.mark.parametrize(
    "chunk",
    [
        pytest.param(answer(b""), id="no attribute"),
        pytest.param(answer(attribute(2, bytes(4))), id="another attribute"),
        pytest.param(answer(attribute(1, b"\1")), id="a short number"),
        pytest.param(answer(struct.pack("=HH", 3, 1)), id="a length below the header's"),
        pytest.param(answer(struct.pack("=HH", 40, 1)), id="a length beyond the end"),
        pytest.param(answer(attribute(1, b"\0\0\1\2"), kind=0x0A03), id="another message"),
    ],
)
def test_an_answer_without_it_is_an_error(chunk: bytes) -> None:
    with pytest.raises(ObserveError):
        Generation().take(chunk)


def test_who_may_not_ask_is_told_so() -> None:
    refusal = struct.pack("=IHHIIi16x", 36, 2, 0, 1, 0, -1)

    with pytest.raises(RefusedError):
        Generation().take(refusal)


@pytest.mark.root
def test_each_batch_moves_it_by_one_and_a_look_does_not(namespace: str) -> None:
    with in_namespace(namespace):
        before = generation()
        subprocess.check_call(["nft", "add table inet a; add set inet a s { type ipv4_addr; }"])
        after = generation()
        subprocess.check_output(["nft", "list", "ruleset"])

        assert (after, generation()) == (before + 1, before + 1)
