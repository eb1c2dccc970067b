"""The reference tells of every key, and its examples are right."""

import re
from pathlib import Path

import pytest

from agent.policy import PolicyText, parse_policy
from agent.policy.shapes import (
    AdministratorsShape,
    Defaults,
    EntryShape,
    EscalateShape,
    FileShape,
    ProxiesShape,
    RuleShape,
    SafetyShape,
    ServiceShape,
    Shape,
    TapeShape,
    keys,
)

PAGE = (Path(__file__).parents[2] / "docs/policy.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SERVICES = "services: {web: {ports: 80}, ssh: {ports: 22}}\n"
RULES = "rules: [{name: a, service: web, count: connections, above: 10}]\n"


@pytest.mark.parametrize(
    "shape",
    [
        FileShape,
        SafetyShape,
        Defaults,
        ServiceShape,
        EntryShape,
        ProxiesShape,
        AdministratorsShape,
        RuleShape,
        TapeShape,
    ],
)
def test_every_key_is_told_of(shape: type[Shape]) -> None:
    assert [key for key in keys(shape) if f"`{key}`" not in PAGE] == []


def test_every_key_of_an_escalation_is_told_of() -> None:
    assert [key for key in keys(EscalateShape) if f"`escalate.{key}`" not in PAGE] == []


@pytest.mark.parametrize(
    "example", [pytest.param(text, id=f"{at}") for at, text in enumerate(EXAMPLES)]
)
def test_every_example_is_right(example: str) -> None:
    blocks = {"version:": "version: 1\n", "services:": SERVICES, "rules:": RULES}
    missing = [block for key, block in blocks.items() if f"\n{key}" not in f"\n{example}"]

    text = "".join(missing) + example
    assert parse_policy((PolicyText(file="p.yaml", folder="/", raw=text.encode()),)).rules
