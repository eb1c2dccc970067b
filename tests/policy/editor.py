"""A policy as an editor sees it: YAML typed by the core schema, then checked by ours.

Source: YAML 1.2.2, 10.3 (core schema), which editors use unless told otherwise.
"""

import re
from functools import lru_cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from agent.policy import policy_schema

TYPES = (
    ("null", r"null|Null|NULL|~|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
)


class Editor(yaml.SafeLoader):
    """PyYAML with the types of YAML 1.2."""


Editor.yaml_implicit_resolvers = {}
for name, pattern, first in TYPES:
    tag = f"tag:yaml.org,2002:{name}"
    letters = ["" if one == "\0" else one for one in first]
    Editor.add_implicit_resolver(tag, re.compile(f"(?:{pattern})$"), letters)
Editor.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value, 10))


class Seen:
    """What an editor makes of a text."""

    def __init__(self, text: str) -> None:
        self.is_yaml, self.value = True, None
        try:
            self.value = yaml.load(text, Loader=Editor)  # noqa: S506 - a safe loader of ours
        except (yaml.YAMLError, ValueError, TypeError):
            self.is_yaml = False

    @property
    def is_right(self) -> bool:
        """Whether the editor finds nothing wrong."""
        return self.is_yaml and validator().is_valid(as_json(self.value))


def as_json(value: object) -> Any:
    """Give a value with its keys as JSON has them."""
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list) else value


@lru_cache
def validator() -> Draft202012Validator:
    """Give what checks by our schema."""
    schema = policy_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
