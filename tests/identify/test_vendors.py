"""The range files that come with the agent."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path

import pytest

from agent.identify.range_files import RangeFile, read_ranges
from agent.identify.vendors import CDNS, PACKAGED, read_vendors
from agent.model.address import Prefix, covers, overlaps

FILES = sorted(PACKAGED.glob("*.txt"))


def read(path: Path) -> RangeFile:
    found = read_ranges(str(path))
    assert isinstance(found, RangeFile), found
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_is_right_dated_and_says_whose_it_is(path: Path) -> None:
    found, lines = read(path), path.read_text().splitlines()

    assert f"# date: {found.date:%Y-%m-%d}" in lines
    assert found.date > datetime(2026, 1, 1, tzinfo=UTC)
    assert found.date < datetime.now(UTC) + timedelta(days=1)
    assert lines[0].startswith("# ")
    assert ": " in lines[0]
    assert len(found.prefixes) < 300
    assert all(one.is_global for one in found.prefixes)


def test_no_two_hold_the_same_address() -> None:
    for one, other in combinations(FILES, 2):
        for left in read(one).prefixes:
            assert not any(overlaps(left, right) for right in read(other).prefixes)


def test_what_is_everybodys_is_in_none() -> None:
    anybodys: list[Prefix] = [
        ip_network("3.5.0.0/16"),  # Amazon's S3 and EC2
        ip_network("34.64.0.0/16"),  # Google's customers; its crawlers have a /28 of it
        ip_network("8.8.8.0/24"),
    ]
    for path in FILES:
        for one in read(path).prefixes:
            assert not any(covers(one, wide) for wide in anybodys)


def test_every_cdn_has_its_networks() -> None:
    vendors = read_vendors()

    assert vendors.keys() == CDNS.keys()
    assert all(vendors.values())


def test_without_a_file_a_vendor_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "fastly.txt").write_text("198.51.100.0/24")
    (tmp_path / "cloudflare.txt").write_text("<html>")

    assert read_vendors(tmp_path) == {"Fastly": frozenset({ip_network("198.51.100.0/24")})}
