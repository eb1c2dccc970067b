"""Administrators from the files of users and groups, and from nothing else."""

from pathlib import Path

import pytest

from agent.model.policy import USUAL, Administrators
from agent.observe.accounts import Accounts, parse_administrators, read_administrators

USERS = """\
root:x:0:0:root:/root:/bin/bash
toor:x:0:0::/root:/bin/sh
alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash
bob:x:1001:1001::/home/bob:/bin/bash
carol:x:1002:27::/home/carol:/bin/bash
dave:x:1003:100::/home/dave:/bin/bash
erin:x:1004:999::/home/erin:/bin/bash
"""
GROUP = """\
root:x:0:
adm:x:4:syslog,bob
sudo:x:27:alice
users:x:100:alice,dave
netops:x:999:
"""


def administrators(who: Administrators = USUAL, passwd: str = USERS) -> Accounts:
    return parse_administrators(passwd.splitlines(), GROUP.splitlines(), who)


def test_members_and_those_whose_first_group_it_is_are_administrators() -> None:
    found = administrators()

    assert found.names == {"root", "toor", "alice", "bob", "carol", "syslog"}
    assert found.numbers == {0, 1000, 1001, 1002}


def test_who_is_named_is_one_beside_root_known_or_not() -> None:
    found = administrators(Administrators(users=frozenset({"dave", "ldap"}), groups=frozenset()))

    assert found.names == {"root", "toor", "dave", "ldap"}
    assert found.numbers == {0, 1003}


def test_another_group_may_be_named() -> None:
    assert administrators(Administrators(groups=frozenset({"netops"}))).names >= {"erin"}


@pytest.mark.parametrize(
    "line",
    [
        "+::::::",
        "+",
        "",
        "mallory:x:0",
        "mallory:x:zero:0::/:/",
        "mallory:x:\u00b2:0::/:/",
        ":" * 9,
        f"mallory:x:{'9' * 5000}:0::/:/",
    ],
)
def test_a_malformed_line_makes_nobody_an_administrator(line: str) -> None:
    assert administrators(passwd=f"{USERS}{line}\n") == administrators()


def test_without_files_only_root_and_the_named_are_left(tmp_path: Path) -> None:
    assert read_administrators(tmp_path, USUAL) == Accounts(
        names=frozenset(), numbers=frozenset({0})
    )


def test_a_file_that_is_too_long_is_not_read_in_half_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.observe.accounts._FILE_BYTES", len("sudo:x:27:alice\nadm:x:4:bo"))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/group").write_text("sudo:x:27:alice\nadm:x:4:bob\n")

    assert read_administrators(tmp_path, USUAL).names == {"alice"}
