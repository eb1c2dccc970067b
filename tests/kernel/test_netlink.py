"""The protocol's own messages."""

import errno
import struct

import pytest

from agent.errors import ObserveError, RefusedError
from agent.kernel.netlink import failure, messages, padded, request

DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def message(payload: bytes, kind: int = 24) -> bytes:
    """Write a message."""
    return struct.pack("=IHHII", 16 + len(payload), kind, 2, 1, 0) + payload


def test_a_request_says_its_length() -> None:
    assert request(26, bytes(12)) == struct.pack("=IHHII12x", 28, 26, 0x301, 1, 0)


def test_messages_are_padded_to_four_bytes() -> None:
    chunk = message(b"abcde") + bytes(3) + message(b"") + DONE + b"ignored"

    assert list(messages(chunk, 24)) == [b"abcde", b"", None]


@pytest.mark.parametrize(("length", "taken"), [(0, 0), (1, 4), (4, 4), (5, 8)])
def test_padding(length: int, taken: int) -> None:
    assert padded(length) == taken


@pytest.mark.parametrize("length", [0, 15, 17, 2**32 - 1])
def test_a_length_that_cannot_be_is_an_error(length: int) -> None:
    with pytest.raises(ObserveError, match=f"a message of {length} bytes in 16"):
        list(messages(struct.pack("=IHHII", length, 24, 2, 1, 0), 24))


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        pytest.param(errno.EPERM, RefusedError, id="not allowed"),
        pytest.param(errno.EPROTONOSUPPORT, RefusedError, id="not in this kernel"),
        pytest.param(errno.ENOBUFS, ObserveError, id="may pass"),
        pytest.param(0, ObserveError, id="unknown"),
    ],
)
def test_only_what_asking_again_cannot_help_is_a_refusal(number: int, kind: type) -> None:
    assert type(failure(number, "netlink")) is kind
