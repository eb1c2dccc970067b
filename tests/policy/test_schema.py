"""Editors are told the same as operators, by a schema that agrees with the parser."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from agent.errors import PolicyError
from agent.policy import PolicyText, parse_policy, policy_schema
from agent.policy.patterns import numbers
from agent.policy.shapes import (
    AdministratorsShape,
    EntryShape,
    FileShape,
    ProxiesShape,
    RuleShape,
    Shape,
    TapeShape,
    keys,
)
from tests.policy.editor import Seen, as_json, validator

ROOT = Path(__file__).parents[2]
GOOD = sorted(
    (
        *(ROOT / "policies").glob("*.yaml"),
        *(ROOT / "tests/corpus/good").glob("*.yaml"),
        *(ROOT / "tests/corpus/warned").glob("*.yaml"),
        *(ROOT / "tests/scenarios").glob("*/policy*.yaml"),
    )
)
BAD = sorted((ROOT / "tests/corpus/policies").glob("*.yaml"))
PAGES = "".join(page.read_text() for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGES, re.DOTALL)
RULES = """\
services: {web: {ports: 80}, ssh: {ports: 22}}
rules: [{name: a, service: web, count: connections, above: 10}]
"""

BEYOND = {
    # A schema sees values, and not how they were written: 010 is 10, 1.0 is 1.
    "spelling": "above-octal number-with-a-point version-point",
    # What YAML resolves, or lets pass, before a schema sees anything.
    "yaml": "alias-and-anchor duplicate-key duplicate-top-key tag",
    # A regular expression does not add up hours and minutes.
    "bounds of durations": "ban-for-ever every-too-long every-too-short",
    "calendar": "until-no-such-day until-the-end-of-time",
    # One value against another, or against what stands elsewhere.
    "comparisons": "ban-above-up-to ban-above-up-to-in-defaults throttle-above-up-to "
    "ports-backwards up-to-below-default-ban",
    "names taken": "entry-names-taken names-taken",
    "names that must exist": "entry-service-unknown service-in-capitals "
    "service-of-an-entry-misspelt "
    "service-of-many service-of-the-proxies-misspelt service-unknown service-unknown-of-none",
    # The agent's own list of domains in which anybody can have a host.
    "lists": "names-of-anybody",
    # Of several files that are joined, one may lack rules.
    "all files together": "no-rules rules-left-blank",
}
"""Bad policies that no schema can tell from right ones, and why."""


def parse(text: str) -> bool:
    """Whether our parser finds nothing wrong."""
    try:
        parse_policy((PolicyText(file="p.yaml", folder="/", raw=text.encode()),))
    except PolicyError:
        return False
    return True


def properties(name: str) -> set[str]:
    schema: dict[str, Any] = policy_schema()
    block: dict[str, Any] = schema["$defs"][name] if name else schema
    return set(block["properties"])


def test_the_schema_is_json() -> None:
    assert json.loads(json.dumps(policy_schema())) == policy_schema()


def test_the_schema_has_every_key() -> None:
    assert properties("") == set(keys(FileShape))
    assert properties("RuleShape") == set(keys(RuleShape))
    assert properties("EntryShape") == set(keys(EntryShape))
    assert properties("TapeShape") == set(keys(TapeShape))
    assert properties("ProxiesShape") == set(keys(ProxiesShape))
    assert properties("AdministratorsShape") == set(keys(AdministratorsShape))


def test_only_what_may_be_commented_out_may_be_null() -> None:
    schema: dict[str, Any] = policy_schema()
    blank = [key for key, block in schema["properties"].items() if {"type": "null"} in _any(block)]

    assert json.dumps(schema).count('"null"') == len(blank)
    for key in blank:
        rules = "" if key == "rules" else RULES
        assert parse(f"version: 1\n{rules}{key}:\n") is (key not in {"rules", "services"})


def _any(block: dict[str, Any]) -> list[dict[str, Any]]:
    return list(block.get("anyOf", ()))


def test_every_key_is_described() -> None:
    shapes: list[type[Shape]] = [FileShape, RuleShape, EntryShape]

    for shape in shapes:
        assert all(field.description for field in shape.model_fields.values())


def test_every_optional_value_tells_what_holds_without_it() -> None:
    schema: dict[str, Any] = policy_schema()
    for block in (schema, *schema["$defs"].values()):
        plain = {
            key: value["description"]
            for key, value in block.get("properties", {}).items()
            if key not in block.get("required", ()) and "pattern" in value
        }
        silent = [key for key, told in plain.items() if "left out" not in told]
        assert silent in ([], ["throttle"])


@pytest.mark.parametrize("path", GOOD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_is_right_is_right_to_an_editor(path: Path) -> None:
    seen = Seen(path.read_text())

    assert seen.is_yaml
    assert [error.message for error in validator().iter_errors(as_json(seen.value))] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=map(str, range(len(EXAMPLES))))
def test_an_example_is_right_to_an_editor(example: str) -> None:
    assert Seen(example if "version:" in example else f"version: 1\n{example}").is_right


def test_what_is_wrong_is_wrong_to_an_editor_but_for_what_no_schema_can_tell() -> None:
    texts = {path.stem: path.read_bytes().decode("utf-8", "replace") for path in BAD}
    untold = {name for name, text in texts.items() if Seen(text).is_right}

    assert untold == {name for names in BEYOND.values() for name in names.split()}


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 9), (1, 60), (16, 32), (32, 128), (0, 255), (2, 1000), (1, 65535)],
)
def test_a_pattern_of_numbers_is_exact(low: int, high: int) -> None:
    pattern = re.compile(numbers(low, high))

    found = [number for number in range(high * 2 + 200) if pattern.fullmatch(str(number))]
    assert found == list(range(low, high + 1))
    assert not pattern.fullmatch(f"0{low}")
