"""What a row of the dump says beyond its fixed part."""

import struct

import pytest

from agent.errors import ObserveError
from agent.observe.table.rows import ROW, ROW_BYTES, ages
from tests.observe.table.rows import info, row


def test_a_row_is_as_long_as_the_kernels_own() -> None:
    assert ROW.size == ROW_BYTES == 72


def test_the_ages_come_out_of_the_extension_whatever_stands_before_it() -> None:
    assert ages(row(info=info(8_008, 61_000))[16:]) == (61_000, 8_008)


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"", id="none"),
        pytest.param(struct.pack("=HH", 4, 2), id="empty"),
        pytest.param(struct.pack("=HH", 4 + 40, 2) + bytes(40), id="of-an-old-kernel"),
        pytest.param(struct.pack("=HHI", 8, 7, 1), id="another-attribute"),
    ],
)
def test_what_a_kernel_does_not_tell_has_no_age(tail: bytes) -> None:
    assert ages(bytes(72) + tail) == (None, None)


@pytest.mark.parametrize("length", [0, 3, 9])
def test_an_attribute_that_ends_elsewhere_is_an_error(length: int) -> None:
    with pytest.raises(ObserveError, match="cut off"):
        ages(bytes(72) + struct.pack("=HHI", length, 2, 0))
