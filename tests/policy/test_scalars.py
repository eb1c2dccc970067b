"""Numbers, times and shares as an operator writes them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from agent.model.policy import Rate, Sustained
from agent.policy import scalars
from agent.policy.scalars import Misfit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("200ms", timedelta(milliseconds=200), id="milliseconds"),
        pytest.param("90s", timedelta(seconds=90), id="seconds"),
        pytest.param("10m", timedelta(minutes=10), id="minutes"),
        pytest.param("24h", timedelta(days=1), id="hours"),
        pytest.param("7d", timedelta(days=7), id="days"),
        pytest.param("2w", timedelta(days=14), id="weeks"),
        pytest.param("1h30m", timedelta(minutes=90), id="a sum"),
        pytest.param("1m500ms", timedelta(seconds=60.5), id="minutes and milliseconds"),
    ],
)
def test_a_duration_is_numbers_with_units(text: str, expected: timedelta) -> None:
    assert scalars.duration("1ms", "52w")(text) == expected


@pytest.mark.parametrize(
    "text",
    ["10", "10 m", "-1m", "1m1h", "5m5m", "1.5h", "010m", "m", "1M", "1y", "\u0661s", "9" * 5000],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.duration("1ms", "52w")(text)


@pytest.mark.parametrize(
    ("text", "fits"),
    [("199ms", False), ("200ms", True), ("60s", True), ("1m", True), ("60001ms", False)],
)
def test_the_bounds_of_a_duration_are_in_it(text: str, fits: bool) -> None:
    read = scalars.duration("200ms", "60s")

    if fits:
        assert read(text)
    else:
        with pytest.raises(Misfit):
            read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1MB", 10**6), ("1000KB", 10**6), ("200MB", 2 * 10**8), ("1TB", 10**12), ("none", 0)],
)
def test_a_size_is_a_number_with_its_unit(text: str, expected: int) -> None:
    assert scalars.size(text) == expected


@pytest.mark.parametrize(
    "text",
    ["1", "999KB", "0MB", "1MiB", "1 MB", "1.5GB", "01MB", "2TB", "1001GB", "1B", "\u0661MB"],
)
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.size(text)


@pytest.mark.parametrize("text", ["0", "11", "01", "+1", "1.0", "1_0", "1e1", "yes", "\u0661", ""])
def test_a_whole_number_is_digits_within_its_bounds(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.whole(1, 10)(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("1%", Fraction(1, 100)), ("80%", Fraction(4, 5)), ("100%", Fraction(1))]
)
def test_a_share_has_a_percent_sign(text: str, expected: Fraction) -> None:
    assert scalars.share(text) == expected


@pytest.mark.parametrize("text", ["0%", "101%", "80", "0.8", "80.5%", "%"])
def test_anything_else_is_no_share(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.share(text)


def test_a_warning_of_none_is_at_the_limit_itself() -> None:
    assert scalars.warning("none") == 1
    assert scalars.warning("80%") == Fraction(4, 5)


def test_sustained_is_so_many_of_so_many() -> None:
    assert scalars.sustained("3 of 5") == Sustained(times=3, of=5)
    assert scalars.sustained("60 of 60") == Sustained(times=60, of=60)


@pytest.mark.parametrize("text", ["0 of 5", "6 of 5", "3 of 61", "3", "3/5", "3of5", "3 of"])
def test_anything_else_is_not_sustained(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.sustained(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/s", Rate(count=1, per=timedelta(seconds=1))),
        ("10/m", Rate(count=10, per=timedelta(minutes=1))),
        ("60/h", Rate(count=60, per=timedelta(hours=1))),
    ],
)
def test_a_rate_is_so_many_in_a_unit(text: str, expected: Rate) -> None:
    assert scalars.rate(text) == expected


@pytest.mark.parametrize("text", ["0/s", "1/d", "1", "1/2s", "1.5/s", "10001/s", "1 / s"])
def test_anything_else_is_no_rate(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.rate(text)


def test_patience_is_a_factor_or_a_full_exemption() -> None:
    assert scalars.patience("exempt") is None
    assert scalars.patience("10x") == 10


@pytest.mark.parametrize("text", ["1x", "1001x", "10", "x10", "2.5x", "Exempt", "x"])
def test_anything_else_is_no_patience(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.patience(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("22", range(22, 23)), ("8000-8099", range(8000, 8100)), ("1-65535", range(1, 65536))],
)
def test_ports_are_one_or_a_range_with_both_ends(text: str, expected: range) -> None:
    assert scalars.ports(text) == expected


@pytest.mark.parametrize("text", ["0", "65536", "90-80", "80-", "-80", "80-90-100", "022", "http"])
def test_anything_else_is_no_port(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.ports(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC), id="through that day"),
        pytest.param("2028-02-29", datetime(2028, 3, 1, tzinfo=UTC), id="a leap day"),
        pytest.param("2027-01-31T18:00:00Z", datetime(2027, 1, 31, 18, tzinfo=UTC), id="UTC"),
        pytest.param("2027-01-31T18:00:00+02:00", datetime(2027, 1, 31, 16, tzinfo=UTC), id="+2"),
        pytest.param("2027-01-31 18:00:00z", datetime(2027, 1, 31, 18, tzinfo=UTC), id="blank, z"),
        pytest.param(
            "2027-01-31T18:00:00.5Z", datetime(2027, 1, 31, 18, 0, 0, 500000, UTC), id="half"
        ),
    ],
)
def test_an_entry_ends_after_its_day_or_at_its_moment(text: str, expected: datetime) -> None:
    assert scalars.end(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2027-02-29",
        "9999-12-31",
        "2027-1-31",
        "31.01.2027",
        "2027-01-31T18:00:00",
        "2027-01-31T25:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "2027-W04-7",
        "20270131",
        "soon",
    ],
)
def test_anything_else_is_no_end(text: str) -> None:
    with pytest.raises(Misfit):
        scalars.end(text)
