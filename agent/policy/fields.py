"""The types of a policy's values: a text to each, with what is expected and its JSON schema."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from agent.model.address import Prefix
from agent.model.measure import MEASURES
from agent.model.measure import Measure as ModelMeasure
from agent.model.policy import Kind, Mode, Scope
from agent.model.policy import Rate as ModelRate
from agent.model.policy import Sustained as ModelSustained
from agent.model.sample import State as ModelState
from agent.policy import names, scalars
from agent.policy.scalars import Misfit
from agent.policy.words import found

LONGEST = "24d20h31m23s"
"""The longest timeout that an ipset element can have: almost 25 days."""

MOST_PORTS = 64
"""Ports and ranges in the list of a service."""

_TEXT = {"type": "string"}
_NUMBER = {"type": ["integer", "string"]}


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """How a scalar is read: the one thing pydantic has to know about it.

    Attributes:
        expected: What is right there, for a message.
        read: From text to value, or `Misfit`.
        schema: For editors, which see a number where we read text.
    """

    expected: str
    read: Callable[[str], object]
    schema: Mapping[str, object] = field(default_factory=lambda: _TEXT)

    def validate(self, value: object) -> object:
        """Give the value, or say what was expected, what was found, and what to do."""
        hint = "a text with a colon needs quotes" if isinstance(value, dict) else ""
        if isinstance(value, str) and value:
            try:
                return self.read(value)
            except Misfit as misfit:
                hint = str(misfit)
        problem = f"expected {self.expected}, {found(value)}"
        raise Misfit(f"{problem}; {hint}" if hint else problem)

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> CoreSchema:
        """Let `validate` do it all."""
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, _core: object, _handler: object) -> dict[str, object]:
        """Tell editors what may stand here."""
        return {**self.schema, "description": f"{self.expected[0].upper()}{self.expected[1:]}."}


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


def word(short: str, instead: Mapping[str, str], expected: str) -> Short:
    """Let the word `short` stand for the mapping `instead`."""

    def expand(value: object) -> object:
        if value == short:
            return dict(instead)
        if not isinstance(value, dict):
            raise Misfit(f"expected {expected}, {found(value)}")
        return value

    return Short(expand, {"const": short})


def _whole(low: int, high: int) -> Text:
    schema = _NUMBER | {"minimum": low, "maximum": high}
    return Text(f"a whole number of {low} to {high}", scalars.whole(low, high), schema)


def _one_of(allowed: type[Kind | Mode | Scope]) -> Text:
    return Text(names.one_of(allowed), names.choice(allowed), {"enum": list(allowed)})


def _version(text: str) -> int:
    if text != "1":
        raise Misfit
    return 1


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_SLUG = "a name of at most 64 letters, digits, dots, hyphens and underscores"
_BAN = f"a duration of 1s to {LONGEST} (a kernel set keeps no longer timer) as 10m or 1h30m"
_STATES = ", ".join(state.name for state in ModelState if state in names.COUNTABLE)

Version: TypeAlias = Annotated[int, Text("1, the only version there is", _version, {"const": 1})]
Every: TypeAlias = Annotated[
    timedelta, Text("a duration of 200ms to 60s as 5s", scalars.duration("200ms", "60s"))
]
Length: TypeAlias = Annotated[timedelta, Text(_BAN, scalars.duration("1s", LONGEST))]
Within: TypeAlias = Annotated[
    timedelta, Text("a duration of 1m to 365d as 7d", scalars.duration("1m", "365d"))
]
Share: TypeAlias = Annotated[Fraction, Text("a share of 1% to 100%", scalars.share)]
Warning_: TypeAlias = Annotated[Fraction, Text("a share of 1% to 100%, or none", scalars.warning)]
Sustained: TypeAlias = Annotated[
    ModelSustained,
    Text("how many of how many samples as 3 of 5, at most of 60", scalars.sustained),
]
Rate: TypeAlias = Annotated[
    ModelRate,
    Text("a rate as 1/s, 10/m or 60/h, of at most 10000 (new connections)", scalars.rate),
]
Patience: TypeAlias = Annotated[
    int | None, Text("exempt, or a factor of each limit of 2x to 1000x", scalars.patience)
]
Port: TypeAlias = Annotated[
    range, Text("a port of 1 to 65535, or a range as 8000-8099", scalars.ports, _NUMBER)
]
Ports: TypeAlias = Annotated[
    tuple[Port, ...], Field(min_length=1, max_length=MOST_PORTS), Short(_listed, _NUMBER)
]
End: TypeAlias = Annotated[
    datetime, Text("a date as 2027-01-31, or a moment as 2027-01-31T18:00:00Z", scalars.end)
]
Slug: TypeAlias = Annotated[str, Text(_SLUG, names.slug)]
Reference: TypeAlias = Annotated[str, Text("the name of a service", str)]
EntryName: TypeAlias = Annotated[str, Text(_SLUG, names.entry_name)]
RuleName: TypeAlias = Annotated[str, Text(_SLUG, names.rule_name)]
Account: TypeAlias = Annotated[
    str, Text("the name of a user or a group, without blanks, as alice", names.account)
]
Domain: TypeAlias = Annotated[str, Text("a domain as example.net", names.domain)]
Host: TypeAlias = Annotated[str, Text("a host name as vpn.example.net", names.host)]
Path: TypeAlias = Annotated[str, Text("the path of a file as ranges/vendor.json", names.path)]
Network: TypeAlias = Annotated[
    Prefix, Text("an address or a network as 203.0.113.0/24", names.prefix)
]
State: TypeAlias = Annotated[
    ModelState, Text(f"a TCP state ({_STATES})", names.state, {"enum": _STATES.split(", ")})
]
Measure: TypeAlias = Annotated[
    ModelMeasure, Text(names.one_of(MEASURES), names.measure, {"enum": list(MEASURES)})
]
KindOf: TypeAlias = Annotated[Kind, _one_of(Kind)]
ModeOf: TypeAlias = Annotated[Mode, _one_of(Mode)]
ScopeOf: TypeAlias = Annotated[Scope, _one_of(Scope)]
Limit: TypeAlias = Annotated[int, _whole(1, 1_000_000)]
Members: TypeAlias = Annotated[int, _whole(1, 65_536)]
Times: TypeAlias = Annotated[int, _whole(1, 100)]
NewBans: TypeAlias = Annotated[int, _whole(1, 100_000)]
MaxBans: TypeAlias = Annotated[int, _whole(1, 1_000_000)]
Ipv4Width: TypeAlias = Annotated[int, _whole(16, 32)]
Ipv6Width: TypeAlias = Annotated[int, _whole(32, 128)]
