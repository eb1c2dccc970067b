"""Units of systemd."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.observe.units import configured, is_enabled, said, unit_file, values_of

UNIT = "a.service"


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_operator_s_own_unit_holds(tmp_path: Path) -> None:
    write(tmp_path, f"usr/lib/systemd/system/{UNIT}", "[Service]\nKey=package\n")
    assert said(UNIT, "Key", tmp_path) == "package"

    write(tmp_path, f"etc/systemd/system/{UNIT}", "[Service]\nKey=own\n")
    assert said(UNIT, "Key", tmp_path) == "own"


def test_drop_ins_come_after_it_by_their_names(tmp_path: Path) -> None:
    write(tmp_path, f"usr/lib/systemd/system/{UNIT}", "Key = 0\n")
    write(tmp_path, f"etc/systemd/system/{UNIT}.d/20.conf", "#Key=9\nKey=2\nKeys=7\n")
    write(tmp_path, f"usr/lib/systemd/system/{UNIT}.d/30.conf", "Key=3\n")
    write(tmp_path, f"etc/systemd/system/{UNIT}.d/30.conf", "")

    assert said(UNIT, "Key", tmp_path) == "2"


def test_of_a_configuration_the_nearest_file_and_all_drop_ins_hold(tmp_path: Path) -> None:
    write(tmp_path, "usr/lib/systemd/a.conf", "Key=package\nOther=1\n")
    assert configured("a.conf", "Key", tmp_path) == "package"

    write(tmp_path, "etc/systemd/a.conf", "Key=own\n")
    assert (configured("a.conf", "Key", tmp_path), configured("a.conf", "Other", tmp_path)) == (
        "own",
        None,
    )

    write(tmp_path, "usr/lib/systemd/a.conf.d/10.conf", "Key=drop-in\n")
    assert configured("a.conf", "Key", tmp_path) == "drop-in"


def test_a_unit_is_enabled_by_a_link_and_only_if_it_is_there(tmp_path: Path) -> None:
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / UNIT).symlink_to("/nowhere")
    assert not is_enabled(UNIT, tmp_path)

    write(tmp_path, f"usr/lib/systemd/system/{UNIT}", "")
    assert is_enabled(UNIT, tmp_path)


def test_what_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert (unit_file(UNIT, tmp_path), said(UNIT, "Key", tmp_path)) == (None, None)


@pytest.mark.root
def test_folders_that_are_closed_to_a_user_say_nothing(tmp_path: Path) -> None:
    write(tmp_path, f"etc/systemd/system/{UNIT}", "Key=1\n")
    tmp_path.chmod(0o700)
    os.seteuid(65534)
    try:
        found = unit_file(UNIT, tmp_path), is_enabled(UNIT, tmp_path), said(UNIT, "Key", tmp_path)
    finally:
        os.seteuid(0)

    assert found == (None, False, None)


@given(st.text(max_size=200))
def test_any_text_is_values_or_none(text: str) -> None:
    assert all(one == one.strip() for one in values_of(text, "Key"))
