"""Several files are one policy, and a fault names the file it is in."""

import pytest

from agent.errors import Fault, MissingFileError, PolicyError
from agent.model.policy import USUAL
from agent.policy import PolicyText, Unread, parse_policy

SERVICES = "version: 1\nservices: {web: {ports: 80}}\n"
RULE = "version: 1\nrules: [{name: a, service: web, count: connections, above: 10}]\n"
MISSING = Unread(file="gone.yaml", problem="does not exist", missing=True)


def text(file: str, content: str) -> PolicyText:
    return PolicyText(file=file, folder="/etc/abuse-agent", raw=content.encode())


def faults(*texts: PolicyText | Unread) -> tuple[Fault, ...]:
    with pytest.raises(PolicyError) as told:
        parse_policy(texts)
    return told.value.faults


def test_lists_and_services_of_all_files_are_joined_in_order() -> None:
    entry = "allowlist: [{name: x, kind: nat, grants: 2x, prefixes: [192.0.2.0/24]}]\n"
    more = RULE.replace("name: a", "name: b").replace("service: web", "service: ssh")

    policy = parse_policy(
        (
            text("1.yaml", RULE + entry),
            text("2.yaml", more + "services: {ssh: {ports: 22}}\n"),
            text("3.yaml", SERVICES + entry.replace("name: x", "name: y")),
        )
    )

    assert policy.files == ("1.yaml", "2.yaml", "3.yaml")
    assert [rule.name for rule in policy.rules] == ["a", "b"]
    assert [service.name for service in policy.services] == ["ssh", "web"]
    assert [entry.declared_at for entry in policy.allowlist] == ["1.yaml:3", "3.yaml:3"]


@pytest.mark.parametrize(
    "block",
    [
        "every: 5s",
        "safety: {max_bans: 10}",
        "defaults: {ban: 5m}",
        "trusted_proxies: {prefixes: [192.0.2.1]}",
        "administrators: {users: [alice]}",
    ],
)
def test_a_single_valued_block_stands_in_one_file(block: str) -> None:
    key = block.partition(":")[0]

    (fault,) = faults(text("a.yaml", SERVICES + f"{block}\n"), text("b.yaml", RULE + f"{block}\n"))

    assert (fault.file, fault.line, fault.column, fault.path) == ("b.yaml", 3, 1, key)
    assert "stands in a.yaml already" in fault.problem


def test_a_name_is_taken_across_files() -> None:
    found = faults(text("a.yaml", SERVICES + RULE[11:]), text("b.yaml", SERVICES + RULE[11:]))

    assert [(each.file, each.line, each.path) for each in found] == [
        ("b.yaml", 2, "services.web"),
        ("b.yaml", 3, "rules[0].name"),
    ]
    assert "a.yaml:2" in found[0].problem
    assert "a.yaml:3" in found[1].problem


def test_the_version_stands_in_every_file() -> None:
    (fault,) = faults(text("a.yaml", SERVICES), text("b.yaml", RULE[11:]))

    assert (fault.file, fault.line) == ("b.yaml", 1)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(MISSING, id="a file that is not there"),
        pytest.param(text("bad.yaml", "a: [\n"), id="a file that is no YAML"),
        pytest.param(text("bad.yaml", ""), id="an empty file"),
        pytest.param(text("bad.yaml", "- 1\n"), id="a file that is a list"),
        pytest.param(text("bad.yaml", "version: 1\nservices: []\n"), id="services as a list"),
        pytest.param(text("bad.yaml", "version: 1\nservice: {}\n"), id="services misspelt"),
    ],
)
def test_what_may_be_in_a_lost_part_is_not_told_as_unknown(lost: PolicyText | Unread) -> None:
    (fault,) = faults(text("a.yaml", RULE), lost)

    assert fault.file == lost.file


def test_what_may_be_in_a_lost_part_is_not_told_as_absent() -> None:
    assert faults(MISSING) == (Fault(file="gone.yaml", problem="does not exist"),)


def test_nothing_worse_than_missing_files_has_its_own_status() -> None:
    with pytest.raises(MissingFileError):
        parse_policy((text("a.yaml", RULE), MISSING))


def test_no_file_at_all_is_no_policy() -> None:
    assert len(faults()) == 1


def test_a_blank_list_is_an_empty_one() -> None:
    blank = "allowlist:\n  # - name: x\nsafety:\ndefaults:\ntrusted_proxies:\nadministrators:\n"

    policy = parse_policy((text("a.yaml", SERVICES + RULE[11:] + blank),))
    assert (policy.allowlist, policy.administrators) == ((), USUAL)


def test_faults_come_in_the_order_of_the_files() -> None:
    found = faults(text("b.yaml", SERVICES + "x: 1\n"), text("a.yaml", RULE + "y: 1\n"))

    assert [each.file for each in found] == ["b.yaml", "a.yaml"]
