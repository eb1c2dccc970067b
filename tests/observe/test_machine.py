"""What this machine is."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ObserveError
from agent.observe.machine import (
    is_clock_set,
    kernel_release,
    memory_bytes,
    parse_meminfo,
    processors,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MemTotal:       2048 kB\nMemFree: 1 kB\n", 2_097_152),
        ("MemFree: 1 kB\n", 0),
        ("MemTotal:\n", 0),
        ("MemTotal: many kB\n", 0),
        ("", 0),
    ],
)
def test_all_memory_is_told_in_bytes_or_not_at_all(text: str, expected: int) -> None:
    assert parse_meminfo(text) == expected


@given(st.text(max_size=100))
def test_any_text_is_some_memory_or_none(text: str) -> None:
    assert parse_meminfo(f"MemTotal: {text}") >= 0


def test_this_machine_is_told_of() -> None:
    assert memory_bytes() > 1 << 20
    assert processors() >= 1
    assert "." in kernel_release()


def test_the_clock_is_set_or_not_unless_the_kernel_is_silent() -> None:
    with suppress(ObserveError):
        assert is_clock_set() in {True, False}
