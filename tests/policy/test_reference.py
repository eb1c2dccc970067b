"""The examples of the reference are right; its tables are written from the schema."""

import re
from pathlib import Path

import pytest

from agent.policy import PolicyText, parse_policy

PAGE = (Path(__file__).parents[2] / "docs/policy.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SERVICES = "services: {web: {ports: 80}, ssh: {ports: 22}}\n"
RULES = "rules: [{name: a, service: web, count: connections, above: 10}]\n"


@pytest.mark.parametrize(
    "example", [pytest.param(text, id=f"{at}") for at, text in enumerate(EXAMPLES)]
)
def test_every_example_is_right(example: str) -> None:
    blocks = {"version:": "version: 1\n", "services:": SERVICES, "rules:": RULES}
    missing = [block for key, block in blocks.items() if f"\n{key}" not in f"\n{example}"]

    text = "".join(missing) + example
    assert parse_policy((PolicyText(file="p.yaml", folder="/", raw=text.encode()),)).rules
