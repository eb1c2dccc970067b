"""The JSON schema of a policy file, for editors. Source: JSON Schema draft 2020-12."""

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from agent.model.address import HOST
from agent.model.measure import MEASURES
from agent.model.policy import Scope
from agent.policy import patterns
from agent.policy.parse import MOST_SERVICES
from agent.policy.relations import EXCLUDED_BY, EXCLUDED_IF_UNPROVEN, WHO
from agent.policy.shapes import EntryShape, FileShape, ProxiesShape, Shape, keys
from agent.policy.typed import EXPECTED, SHARED, UNLESS

_NEEDED = ("version", "every")
"""Keys of the top below which not everything may be commented out."""

_UNPROVEN = [name for name, measure in MEASURES.items() if not measure.proves]


def policy_schema() -> dict[str, object]:
    """Give the schema: what an editor may propose, and what it can check.

    What one value says of another far from it, such as the name of a service, no schema
    can tell; nor how a number was spelt.
    """
    schema = FileShape.model_json_schema(schema_generator=_Generator)
    blocks = schema["$defs"]
    for name, condition in _conditions().items():
        blocks[name].update(condition)
    top = schema["properties"]
    top["services"] |= {"maxProperties": MOST_SERVICES, "additionalProperties": False}
    for key in [one for one in top if one not in _NEEDED]:
        top[key] = _or_blank(top[key])
    _tell_expected(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "A policy of abuse-agent",
    }


def _or_blank(block: dict[str, Any]) -> dict[str, Any]:
    description = block.pop("description")
    return {"anyOf": [block, {"type": "null"}], "description": description}


def _tell_expected(node: object) -> None:
    """Put behind what a value is for what holds without it, and what is expected of it."""
    if isinstance(node, list):
        for one in node:
            _tell_expected(one)
    if not isinstance(node, dict):
        return
    for one in node.values():
        _tell_expected(one)
    expected, unless, shared = (node.pop(one, "") for one in (EXPECTED, UNLESS, SHARED))
    told = [node["description"]] if "description" in node else []
    if unless:
        told.append(f"If left out{' everywhere' if shared else ''}: {unless}.")
    if expected:
        told.append(f"Expected: {expected}.")
    if told:
        node["description"] = " ".join(told).replace("`", "")


def _conditions() -> dict[str, dict[str, Any]]:
    """Give what keys of one block say of each other, by block."""
    return {
        "RuleShape": {"allOf": [_of_unproven(), _of_throttles(), _of_members()]},
        "EntryShape": {"anyOf": _somebody(EntryShape)},
        "ProxiesShape": {"anyOf": _somebody(ProxiesShape)},
        "AdministratorsShape": {"minProperties": 1},
    }


def _somebody(kind: type[Shape]) -> list[dict[str, Any]]:
    return [{"required": [key]} for key in WHO if key in keys(kind)]


def _of_unproven() -> dict[str, Any]:
    return {
        "if": {"properties": {"count": {"enum": _UNPROVEN}}, "required": ["count"]},
        "then": {"required": ["throttle"], "properties": _none_of(EXCLUDED_IF_UNPROVEN)},
    }


def _of_throttles() -> dict[str, Any]:
    return {
        "if": {"required": ["throttle"]},
        "then": {
            "properties": {
                **_none_of(EXCLUDED_BY["throttle"]),
                "scope": {"not": {"const": Scope.HOST.value}},
            }
        },
        "else": {"properties": _none_of(["for"])},
    }


def _of_members() -> dict[str, Any]:
    """Several members need a width beyond a host in both families."""
    wide = {
        "ipv4": dict(patterns.whole(1, HOST.ipv4 - 1)),
        "ipv6": dict(patterns.whole(1, HOST.ipv6 - 1)),
    }
    per = {"type": "object", "required": list(wide), "properties": wide}
    several = {"properties": {"members": {"not": {"enum": [1, "1"]}}}, "required": ["members"]}
    return {"if": several, "then": {"required": ["per"], "properties": {"per": per}}}


def _none_of(names: Iterable[str]) -> dict[str, bool]:
    return dict.fromkeys(names, False)


class _Generator(GenerateJsonSchema):
    """Tells what may be left out by leaving it out, and no titles that repeat the key."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: CoreSchema) -> bool:  # noqa: ARG002
        return False
