from datetime import timedelta

import click
import pytest

from agent.cli.ban import ban
from agent.cli.deeds import LONGEST_REASON
from agent.cli.options import LengthType, SourceType


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("example.com", "'example.com' is a name; give an address", id="a-name"),
        pytest.param("example.com/24", "is a name; give an address", id="a-name-with-a-length"),
        pytest.param("fe80::1%eth0", "leave out the interface after %", id="a-zone"),
        pytest.param("198.51.100.7/x", "write the length as a number", id="no-length"),
        pytest.param("198.51.100.7.8", "'198.51.100.7.8' is no address and no prefix", id="five"),
        pytest.param("2001:db8::zz", "is no address and no prefix", id="no-hex"),
        pytest.param("x\x1b", r"'x\x1b' is", id="nothing-a-terminal-obeys"),
        pytest.param("198.0.0.0/8", "is too wide: at most a /16", id="too-wide"),
    ],
)
def test_what_is_no_source_is_told_as_what_it_is(text: str, says: str) -> None:
    with pytest.raises(click.BadParameter) as told:
        SourceType().convert(text, None, None)

    assert says in told.value.message
    assert "hosts" not in told.value.message


def test_the_longest_duration_is_the_one_that_is_told() -> None:
    with pytest.raises(click.BadParameter, match="1s to 24d20h31m23s"):
        LengthType().convert("24d20h31m24s", None, None)

    assert LengthType().convert("24d20h31m23s", None, None) == timedelta(seconds=2_147_483)


def test_a_reason_is_short_and_one_line() -> None:
    reason = next(one for one in ban.params if one.name == "reason")
    context = click.Context(ban)

    assert reason.process_value(context, " scans\n us ") == "scans us"
    assert len(reason.process_value(context, "x" * LONGEST_REASON)) == LONGEST_REASON
    with pytest.raises(click.BadParameter, match="201 characters: at most 200"):
        reason.process_value(context, "x" * (LONGEST_REASON + 1))
