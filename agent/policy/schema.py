"""The JSON schema of a policy file, for editors."""

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from agent.policy.shapes import FileShape


def policy_schema() -> dict[str, object]:
    """Give the schema: JSON Schema draft 2020-12."""
    return FileShape.model_json_schema(schema_generator=_Generator)


class _Generator(GenerateJsonSchema):
    """Tells what may be left out by leaving it out, never by null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])
