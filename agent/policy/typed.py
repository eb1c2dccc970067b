"""How one value of a policy is read: from text, with what is expected and a schema for editors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from agent.policy.respell import Respell
from agent.policy.scalars import Misfit
from agent.policy.words import did_you_mean, found

EXPECTED = "expected"
"""The key under which a schema keeps what is expected, until it is put into words."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Text:
    """How a scalar is read: the one thing pydantic has to know about it.

    Attributes:
        expected: What is right there, for a message.
        read: From text to value, or `Misfit`.
        schema: For editors, which see a number where we read text.
        respell: From a misfit to what may have been meant.
    """

    expected: str
    read: Callable[[str], object]
    schema: Mapping[str, object]
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
    """

    expand: Callable[[object], object]
    schema: Mapping[str, object]

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


def word(short: str, instead: Mapping[str, str], expected: str, meant: Respell) -> Short:
    """Let the word `short` stand for the mapping `instead`.

    Args:
        short: The word.
        instead: What it stands for.
        expected: What is right there, for a message.
        meant: From a misfit to what may have been meant.
    """

    def expand(value: object) -> object:
        if value == short:
            return dict(instead)
        if not isinstance(value, dict):
            close = next(iter(meant(value)), None) if isinstance(value, str) else None
            advice = f"; {did_you_mean(close)}" if close else ""
            raise Misfit(f"expected {expected}, {found(value)}{advice}")
        return value

    return Short(expand, {"const": short})
