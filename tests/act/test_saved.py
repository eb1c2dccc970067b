"""Saved rule files that a boot would refuse."""

from pathlib import Path

import pytest

from agent.act.nftables.layout import TABLE
from agent.act.saved import EARLY_UNIT, faults_of, names_saved, notes_after_teardown

OURS = "*raw\n-A abuse-agent -m set --match-set aa4-web src -j DROP\nCOMMIT\n"
OTHERS = "*filter\n-A INPUT -m set --match-set people src -j DROP\nCOMMIT\n"
AS_IPTABLES_MADE_IT = 'table ip raw {\n\tchain abuse-agent {\n\t\txt match "set" drop\n\t}\n}\n'
OUR_OWN = f"table inet {TABLE} {{\n\tchain input {{\n\t}}\n}}\n"


def write(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_nothing_is_wrong_where_nothing_is_saved(tmp_path: Path) -> None:
    assert list(faults_of(tmp_path)) == []


@pytest.mark.parametrize(
    "name", ["etc/iptables/rules.v4", "etc/iptables/rules.v6", "etc/sysconfig/iptables"]
)
def test_a_saved_file_with_our_sets_needs_the_early_unit(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, OURS)

    (fault,) = faults_of(tmp_path)

    assert fault.startswith(f"/{name} refers to aa4-web")
    assert names_saved(tmp_path) == {name: frozenset({"aa4-web"})}


def enable(root: Path, folder: str = "etc/systemd/system", target: str = "sysinit.target") -> None:
    """Link the unit as systemctl does: to what it is once this is the root."""
    links = root / folder / f"{target}.wants"
    links.mkdir(parents=True)
    (links / EARLY_UNIT).symlink_to(f"/usr/lib/systemd/system/{EARLY_UNIT}")


@pytest.mark.parametrize("folder", ["etc/systemd/system", "usr/lib/systemd/system"])
@pytest.mark.parametrize("links", ["etc/systemd/system", "usr/lib/systemd/system"])
def test_with_the_early_unit_enabled_it_is_well(tmp_path: Path, folder: str, links: str) -> None:
    write(tmp_path, "etc/iptables/rules.v4", OURS)
    write(tmp_path, f"{folder}/{EARLY_UNIT}")
    enable(tmp_path, links)

    assert list(faults_of(tmp_path)) == []


def test_an_early_unit_that_is_only_installed_does_not_help(tmp_path: Path) -> None:
    write(tmp_path, "etc/iptables/rules.v4", OURS)
    write(tmp_path, f"usr/lib/systemd/system/{EARLY_UNIT}")

    (fault,) = faults_of(tmp_path)

    assert f"enable {EARLY_UNIT}" in fault


def test_a_link_to_a_unit_that_is_gone_does_not_help(tmp_path: Path) -> None:
    write(tmp_path, "etc/iptables/rules.v4", OURS)
    enable(tmp_path)

    assert len(list(faults_of(tmp_path))) == 1


def test_a_masked_unit_does_not_help(tmp_path: Path) -> None:
    write(tmp_path, "etc/iptables/rules.v4", OURS)
    write(tmp_path, f"usr/lib/systemd/system/{EARLY_UNIT}")
    enable(tmp_path)
    (tmp_path / "etc/systemd/system" / EARLY_UNIT).symlink_to("/dev/null")

    assert len(list(faults_of(tmp_path))) == 1


@pytest.mark.parametrize("is_enabled", [True, False], ids=["enabled", "not enabled"])
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("etc/iptables/rules.v4", "iptables-save > /etc/iptables/rules.v4"),
        ("etc/iptables/rules.v6", "ip6tables-save > /etc/iptables/rules.v6"),
    ],
)
def test_after_a_teardown_every_saved_file_with_our_sets_is_told(
    tmp_path: Path, name: str, command: str, *, is_enabled: bool
) -> None:
    write(tmp_path, name, OURS)
    write(tmp_path, f"usr/lib/systemd/system/{EARLY_UNIT}")
    if is_enabled:
        enable(tmp_path)

    (note,) = notes_after_teardown(tmp_path)

    assert note.startswith(f"/{name} still refers to aa4-web: save the rules again")
    assert command in note
    assert "enable " not in note


def test_after_a_teardown_nothing_is_told_of_rules_of_others(tmp_path: Path) -> None:
    write(tmp_path, "etc/iptables/rules.v4", OTHERS)

    assert list(notes_after_teardown(tmp_path)) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(AS_IPTABLES_MADE_IT, ["chains abuse-agent"], id="as iptables made it"),
        pytest.param(OUR_OWN, [f"table inet {TABLE}"], id="our own table"),
        pytest.param("table inet other {\n}\n", [], id="of others"),
    ],
)
def test_after_a_teardown_what_nft_would_bring_back_is_told(
    tmp_path: Path, text: str, told: list[str]
) -> None:
    write(tmp_path, "etc/nftables.conf", text)

    notes = list(notes_after_teardown(tmp_path))

    assert len(notes) == len(told)
    assert all(words in note for words, note in zip(told, notes, strict=True))


def test_rules_of_others_are_no_matter_of_ours(tmp_path: Path) -> None:
    write(tmp_path, "etc/iptables/rules.v4", OTHERS)

    assert list(faults_of(tmp_path)) == []


@pytest.mark.parametrize(
    ("text", "expected"), [(AS_IPTABLES_MADE_IT, 1), (OUR_OWN, 0), ("", 0)], ids=str
)
def test_rules_of_iptables_in_a_file_of_nft_are_told(
    tmp_path: Path, text: str, expected: int
) -> None:
    write(tmp_path, "etc/nftables.conf", text)

    assert len(list(faults_of(tmp_path))) == expected
