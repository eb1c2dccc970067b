"""Attributes, whole and broken."""

import struct

import pytest

from agent.errors import ObserveError
from agent.kernel.attributes import attributes, value

ONE = struct.pack("=HH5s3x", 9, 0x8001, b"abcde")
TWO = struct.pack("=HH", 4, 0x4002)


def test_attributes_are_found_by_type_whatever_their_flags() -> None:
    assert attributes(ONE + TWO) == {1: ONE[:9], 2: TWO}
    assert value(attributes(ONE)[1]) == b"abcde"
    assert value(TWO) == b""
    assert attributes(b"") == {}


def test_the_last_of_a_type_counts() -> None:
    assert attributes(ONE + struct.pack("=HHB", 5, 1, 7)) == {1: struct.pack("=HHB", 5, 1, 7)}


@pytest.mark.parametrize("end", [1, 3, 4, 8, 13, 15])
def test_one_that_is_cut_off_is_an_error(end: int) -> None:
    with pytest.raises(ObserveError):
        attributes((ONE + TWO)[:end])


@pytest.mark.parametrize("length", [0, 3, 13, 65_535])
def test_a_length_that_cannot_be_is_an_error(length: int) -> None:
    with pytest.raises(ObserveError, match=f"an attribute of {length} bytes in 12"):
        attributes(struct.pack("=H", length) + ONE[2:])
