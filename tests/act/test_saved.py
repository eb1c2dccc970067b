"""Saved rule files that a boot would refuse."""

from pathlib import Path

import pytest

from agent.act.saved import EARLY_UNIT, faults_of, names_saved

OURS = "*raw\n-A abuse-agent -m set --match-set aa4-web src -j DROP\nCOMMIT\n"
OTHERS = "*filter\n-A INPUT -m set --match-set people src -j DROP\nCOMMIT\n"
AS_IPTABLES_MADE_IT = 'table ip raw {\n\tchain abuse-agent {\n\t\txt match "set" drop\n\t}\n}\n'
OUR_OWN = "table inet abuse-agent {\n\tchain input {\n\t}\n}\n"


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


@pytest.mark.parametrize("folder", ["etc/systemd/system", "usr/lib/systemd/system"])
def test_with_the_early_unit_it_is_well(tmp_path: Path, folder: str) -> None:
    write(tmp_path, "etc/iptables/rules.v4", OURS)
    write(tmp_path, f"{folder}/{EARLY_UNIT}")

    assert list(faults_of(tmp_path)) == []


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
