"""Every right policy of the corpus that will surprise is told of at its places, and at no other."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.model.caution import Warned
from agent.policy import PolicyText, load_policy, parse_policy, policy_cautions, spots_of

ROOT = Path(__file__).parents[2]
CORPUS = sorted((ROOT / "tests/corpus/warned").glob("*.yaml"))
EXPECTED = re.compile(r"# warn: (\d+):(\d+) (\S+) (.*?): (.*)")
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def warnings(file: str, raw: bytes) -> list[Warned]:
    texts = (PolicyText(file=file, folder="/etc/abuse-agent", raw=raw),)
    found = policy_cautions(parse_policy(texts), NOW)
    return sorted(map(spots_of(texts).warned, found))


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_everything_that_will_surprise_is_told_once_at_its_place(path: Path) -> None:
    raw = path.read_bytes()
    matches = (EXPECTED.fullmatch(line) for line in raw.decode().splitlines())
    wanted = [match.groups() for match in matches if match]

    found = warnings(path.name, raw)

    assert [(str(one.line), str(one.column), one.kind, one.path) for one in found] == [
        part[:4] for part in wanted
    ]
    for warned, part in zip(found, wanted, strict=True):
        assert part[4] in warned.problem
        assert str(warned).startswith(f"{path.name}:{warned.line}:{warned.column}: warning: ")
        assert str(warned).isprintable()


def test_the_corpus_has_each_kind_that_a_policy_alone_tells() -> None:
    kinds = {kind for path in CORPUS for kind in re.findall(r"# warn: \S+ (\S+)", path.read_text())}

    assert kinds == {
        "covered",
        "ends-soon",
        "expired",
        "infrastructure",
        "never-fires",
        "noisy",
        "observes",
        "proxies",
        "shadowed",
        "unwatched",
        "wide",
    }
    assert any("# warn:" not in path.read_text() for path in CORPUS)


def test_no_ready_made_policy_will_surprise() -> None:
    machine = ROOT / "tests/corpus/good/machine.yaml"
    for path in (machine, *sorted((ROOT / "policies").glob("*.yaml"))):
        assert list(policy_cautions(load_policy([str(path)]), NOW)) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "allowlist:\n"
            + "".join(
                f" - {{name: x{number}, kind: nat, grants: exempt, prefixes: ["
                + ", ".join(f"10.0.{host}.{number % 4}" for host in range(100))
                + "]}\n"
                for number in range(400)
            ),
            id="entries that are alike",
        ),
        pytest.param(
            "allowlist:\n"
            + "".join(
                f" - {{name: x{number}, kind: nat, grants: exempt, prefixes: [10.0.0.1]}}\n"
                for number in range(5000)
            ),
            id="very many entries",
        ),
    ],
)
def test_a_large_policy_is_looked_at_in_time(text: str) -> None:
    head = "version: 1\nservices: {web: {ports: 80}}\n"
    rules = "rules: [{name: a, service: web, count: connections, above: 10}]\n"
    policy = parse_policy((PolicyText(file="p", folder="/", raw=f"{head}{rules}{text}".encode()),))
    began = time.monotonic()

    list(policy_cautions(policy, NOW))

    assert time.monotonic() - began < 20
