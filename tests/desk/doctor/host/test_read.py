"""Reading what is around the sockets, on this machine and in made trees."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.desk.doctor.host.read import HostReader
from agent.desk.where import Where

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
RIGHT = "version: 1\nservices: {web: {ports: [80]}}\nrules: [{name: r, service: web, above: 20}]\n"


def reader(folder: Path, root: Path, *paths: str) -> HostReader:
    where = Where(
        folder=folder, paths=paths, firewall=None, now=NOW, stopwatch=lambda: 1.0, boot_id="b"
    )
    return HostReader(where, root)


def test_where_nothing_was_installed_nothing_is_checked(tmp_path: Path) -> None:
    found = reader(tmp_path / "none", tmp_path).read()

    assert (found.service.is_installed, found.service.running) == (False, None)
    assert found.fences.faults is None
    assert found.rooms
    assert not (tmp_path / "none").exists()


def test_a_bad_policy_stops_nothing(tmp_path: Path) -> None:
    policy = tmp_path / "bad.yaml"
    policy.write_text("version: none\n")

    found = reader(tmp_path / "none", tmp_path, str(policy)).read()

    assert found.service.policy is not None
    assert found.service.policy.faults


def test_a_missing_policy_stops_nothing(tmp_path: Path) -> None:
    one = reader(tmp_path / "none", tmp_path, str(tmp_path / "none.yaml"))

    found = one.read()

    assert "policy" in one.unread or (found.service.policy and found.service.policy.faults)


def test_a_unit_that_a_boot_starts_is_seen(tmp_path: Path) -> None:
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    (units / "abuse-agent.service").write_text("[Service]\nLogRateLimitIntervalSec=0\n")
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / "abuse-agent.service").symlink_to("/usr/lib/systemd/system/abuse-agent.service")
    policy = tmp_path / "right.yaml"
    policy.write_text(RIGHT)

    found = reader(tmp_path / "none", tmp_path, str(policy)).read().service

    assert (found.is_installed, found.is_enabled, found.quiet_s) == (True, True, "0")


@pytest.mark.parametrize(
    ("unit", "journal", "expected"),
    [
        pytest.param("LogRateLimitIntervalSec=0\n", "RateLimitIntervalSec=5s\n", "0", id="unit"),
        pytest.param("", "RateLimitIntervalSec=5s\n", "5s", id="journal"),
        pytest.param("", "#RateLimitIntervalSec=30s\n", "30s", id="the-journal-s-own"),
        pytest.param(None, "RateLimitIntervalSec=5s\n", None, id="no-unit"),
    ],
)
def test_the_unit_s_limit_of_lines_goes_before_the_journal_s(
    tmp_path: Path, unit: str | None, journal: str, expected: str | None
) -> None:
    units, drop_ins = tmp_path / "etc/systemd/system", tmp_path / "run/systemd/journald.conf.d"
    for folder in (units, drop_ins):
        folder.mkdir(parents=True)
    (tmp_path / "etc/systemd/journald.conf").mkdir(parents=True)
    (drop_ins / "10.conf").write_text(f"[Journal]\n{journal}")
    if unit is not None:
        (units / "abuse-agent.service").write_text(f"[Service]\n{unit}")

    assert reader(tmp_path / "none", tmp_path).read().service.quiet_s == expected
