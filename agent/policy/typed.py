"""How one value of a policy is read: from text, with what is expected and a schema for editors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema

from agent.policy.respell import Respell
from agent.policy.scalars import Misfit
from agent.policy.words import did_you_mean, found

EXPECTED = "expected"
"""The key under which a schema keeps what is expected, until it is put into words."""

UNLESS = "unless"
"""The key under which it keeps what holds without a value."""

SHARED = "shared"
"""The key that says that the value may come from a wider place first."""


def key(  # noqa: PLR0913 - what there is to say of a key
    default: object = ...,
    *,
    means: str,
    unless: str = "",
    shared: bool = False,
    alias: str | None = None,
    at_least: int | None = None,
) -> Any:  # noqa: ANN401 - the field's type
    """Declare a key of a block, with what the reference, the man page and editors tell of it.

    Args:
        default: Where it may be left out, what stands there then.
        means: What it is for, in sentences; values in backticks.
        unless: What holds if it is left out, in words.
        shared: Whether a wider place is asked first if it is left out.
        alias: The key itself, where an attribute can't be called so.
        at_least: So many items, of a list.
    """
    told: dict[str, JsonValue] = {UNLESS: unless, SHARED: shared}
    return Field(
        default, description=means, alias=alias, min_length=at_least, json_schema_extra=told
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Text:
    """How a scalar is read: the one thing pydantic has to know about it.

    Attributes:
        expected: What is right there, for a message.
        read: From text to value, or `Misfit`.
        schema: For editors, which see a number where we read text.
        kind: Its type, in the reference's words; a closed choice as its values.
        many: Several of that type; made of `kind` if empty.
        bounds: What values of that type may stand there; empty where any may.
        respell: From a misfit to what may have been meant.
    """

    expected: str
    read: Callable[[str], object]
    schema: Mapping[str, object]
    kind: str
    many: str = ""
    bounds: str = ""
    respell: Respell = lambda _: ()

    def validate(self, value: object) -> object:
        """Give the value, or say what was expected, what was found, and what to do."""
        hint = "a text with a colon needs quotes" if isinstance(value, dict) else ""
        if isinstance(value, str) and value:
            try:
                return self.read(value)
            except Misfit as misfit:
                hints = (str(misfit), did_you_mean(self._meant(value)))
                hint = "; ".join(one for one in hints if one)
        problem = f"expected {self.expected}, {found(value)}"
        raise Misfit(f"{problem}; {hint}" if hint else problem)

    def _meant(self, text: str) -> str | None:
        """Give what was probably meant, if that is right here."""
        for spelling in self.respell(text):
            try:
                self.read(spelling)
            except Misfit:
                continue
            return spelling
        return None

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        """Let `validate` do it all."""
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, _core: object, _handler: object) -> dict[str, object]:
        """Tell editors what may stand here."""
        return {**self.schema, EXPECTED: self.expected}


@dataclass(frozen=True, slots=True, eq=False)
class Short:
    """A short form: text that stands for a whole collection.

    Attributes:
        expand: From what stands there to what it is short for, or `Misfit`.
        schema: Of the short form.
        kind: The type of both forms, in the reference's words.
        bounds: What values may stand there.
    """

    expand: Callable[[object], object]
    schema: Mapping[str, object]
    kind: str
    bounds: str = ""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Expand first, then check what it is short for."""
        return core_schema.no_info_before_validator_function(self.expand, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        """Tell editors of both forms."""
        return {"anyOf": [dict(self.schema), handler(core)]}


def word(short: str, instead: Mapping[str, str], form: str, meant: Respell) -> Short:
    """Let the word `short` stand for the mapping `instead`.

    Args:
        short: The word.
        instead: What it stands for.
        form: A mapping that is right there, as an example.
        meant: From a misfit to what may have been meant.
    """
    expected = f"{short}, or a mapping as {form}"

    def expand(value: object) -> object:
        if value == short:
            return dict(instead)
        if not isinstance(value, dict):
            close = next(iter(meant(value)), None) if isinstance(value, str) else None
            advice = f"; {did_you_mean(close)}" if close else ""
            raise Misfit(f"expected {expected}, {found(value)}{advice}")
        return value

    return Short(expand, {"const": short}, kind=f"`{short}`, or a block as `{form}`")
