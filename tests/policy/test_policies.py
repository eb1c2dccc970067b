"""The policies that come with the agent, and the example of the design."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from agent.model.policy import TRUSTED_PROXIES, Answer, Kind, Mode
from agent.policy import load_policy, packaged_policy

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
EVERY_ONE = sorted(POLICIES.glob("*.yaml"))
SPECIAL = ("web.yaml", "ssh.yaml", "mail.yaml", "game.yaml")
NUMBER = re.compile(r"^ *(?!- )(above|throttle|for|ban|sustained|members|every|max_bans)\b.*\d")


@pytest.mark.parametrize("path", EVERY_ONE, ids=lambda path: path.stem)
def test_each_ready_made_policy_is_right_by_itself(path: Path) -> None:
    policy = load_policy([str(path)])

    assert policy.files == (str(path),)
    assert policy.rules


def test_the_special_ones_can_be_joined() -> None:
    policy = load_policy([str(POLICIES / name) for name in SPECIAL])

    assert {service.name for service in policy.services} >= {"web", "ssh", "smtp", "game"}


def test_the_special_ones_can_be_joined_in_a_folder(tmp_path: Path) -> None:
    for name in SPECIAL:
        (tmp_path / name).write_bytes((POLICIES / name).read_bytes())

    names = load_policy([str(tmp_path)]).files
    assert [Path(name).name for name in names] == sorted(SPECIAL)


@pytest.mark.parametrize("path", EVERY_ONE, ids=lambda path: path.stem)
def test_a_ready_made_policy_asks_nobody_who_a_source_is(path: Path) -> None:
    assert not any(entry.must_be_asked for entry in load_policy([str(path)]).allowlist)


@pytest.mark.parametrize("path", EVERY_ONE, ids=lambda path: path.stem)
def test_a_ready_made_policy_bans_no_network(path: Path) -> None:
    wide = [rule for rule in load_policy([str(path)]).rules if rule.members > 1]

    assert all(rule.mode is Mode.OBSERVE for rule in wide)


@pytest.mark.parametrize("path", EVERY_ONE, ids=lambda path: path.stem)
def test_a_ready_made_policy_throttles_what_is_not_proven(path: Path) -> None:
    unproven = [rule for rule in load_policy([str(path)]).rules if not rule.measure.proves]

    assert unproven
    assert all(rule.answer is Answer.THROTTLE for rule in unproven)


@pytest.mark.parametrize("path", EVERY_ONE, ids=lambda path: path.stem)
def test_each_number_has_its_reason_beside_it(path: Path) -> None:
    lines = path.read_text().splitlines()
    above = {
        line
        for number, line in enumerate(lines)
        if NUMBER.match(line) and "#" not in line and not _reason_above(lines, number)
    }

    assert above == set()


def _reason_above(lines: list[str], number: int) -> bool:
    """Whether the item that this line belongs to begins with a comment."""
    item = max(n for n in range(number + 1) if lines[n].startswith("  - "))
    return lines[item - 1].strip().startswith("#")


def test_an_office_of_300_is_safe_from_the_default_policy() -> None:
    limits = {rule.name: rule.limit for rule in load_policy([packaged_policy()]).rules}

    assert limits["web-connections"] > 300 * 6
    assert limits["mailbox-connections"] >= 300 * 2 * 5


def test_what_stands_in_front_of_the_machine_is_the_last_entry() -> None:
    policy = load_policy([str(ROOT / "tests/corpus/good/front.yaml")])

    assert [entry.name for entry in policy.allowlist] == ["googlebot", "bastion", TRUSTED_PROXIES]
    proxies = policy.allowlist[-1]
    assert (proxies.kind, proxies.patience, proxies.until) == (Kind.INFRASTRUCTURE, None, None)
    assert proxies.services == {"web"}
    assert proxies.ranges == (str(ROOT / "tests/corpus/good/ranges/cloudflare.txt"),)
    assert proxies.hosts == ("balancer.example.net",)
    assert len(proxies.prefixes) == 2
    assert proxies.declared_at.endswith("front.yaml:8")
    assert policy.administrators.users == {"alice", "CORP\\bob", "carol@example.net"}
    assert policy.administrators.groups == {"root", "sudo", "wheel", "adm", "netops"}


def test_the_example_of_the_design_is_right() -> None:
    policy = load_policy([str(ROOT / "tests/corpus/good/design.yaml")])

    assert policy.every == timedelta(seconds=5)
    assert [entry.patience for entry in policy.allowlist] == [None, 10, 5, None]
    assert [str(rule.per) for rule in policy.rules] == ["host", "{ipv4: 24, ipv6: 48}", "host"]
    assert [rule.answer for rule in policy.rules] == [Answer.DROP, Answer.DROP, Answer.THROTTLE]
    assert [rule.mode for rule in policy.rules] == [Mode.ENFORCE, Mode.OBSERVE, Mode.ENFORCE]
