"""Editors are told the same keys as operators."""

import json
from typing import Any

from agent.policy import policy_schema
from agent.policy.shapes import (
    AdministratorsShape,
    EntryShape,
    FileShape,
    ProxiesShape,
    RuleShape,
    Shape,
    keys,
)


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
    assert properties("ProxiesShape") == set(keys(ProxiesShape))
    assert properties("AdministratorsShape") == set(keys(AdministratorsShape))


def test_nothing_may_be_null() -> None:
    assert "null" not in json.dumps(policy_schema())


def test_every_key_is_described() -> None:
    shapes: list[type[Shape]] = [FileShape, RuleShape, EntryShape]

    for shape in shapes:
        assert all(field.description for field in shape.model_fields.values())
