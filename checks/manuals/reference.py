"""The tables of the policy reference: every key of every block, as the schema has it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from agent.policy.shapes import (
    NESTED,
    AdministratorsShape,
    Defaults,
    EntryShape,
    FileShape,
    ProxiesShape,
    RuleShape,
    SafetyShape,
    ServiceShape,
    Shape,
    TapeShape,
    keys,
)
from agent.policy.typed import UNLESS, Short, Text

PAGE = "docs/policy.md"

BLOCKS: Mapping[str, type[Shape]] = MappingProxyType(
    {
        "top": FileShape,
        "safety": SafetyShape,
        "tape": TapeShape,
        "defaults": Defaults,
        "services": ServiceShape,
        "allowlist": EntryShape,
        "trusted_proxies": ProxiesShape,
        "administrators": AdministratorsShape,
        "rules": RuleShape,
    }
)
"""Each block that has a section of its own, by the name in the marks around its table."""

_MARKED = re.compile(
    r"(?P<begin><!-- schema: (?P<name>\w+) -->\n).*?(?P<end><!-- /schema -->)", re.DOTALL
)
_HEAD = ("key", "type", "default", "bounds", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What there is to say of one key; all in Markdown.

    Attributes:
        name: Of the key, or several that are told of elsewhere.
        kind: Its type.
        default: What holds without it; "needed" where nothing does.
        bounds: What values may stand there; empty where the type says it.
        means: What it is for.
    """

    name: str
    kind: str = ""
    default: str = ""
    bounds: str = ""
    means: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """Its line of a table."""
        return (self.name, self.kind, self.default, self.bounds, self.means)


def keys_of(shape: type[Shape]) -> tuple[Key, ...]:
    """The keys of a block, in the order of its messages; those of defaults in one at the end."""
    inherited = set(Defaults.model_fields) if shape is not Defaults else set()
    own = [(name, attribute) for name, attribute in keys(shape).items() if name not in inherited]
    found = [one for name, attribute in own for one in _keys(shape, name, attribute)]
    if issubclass(shape, Defaults) and inherited:
        names = ", ".join(f"`{name}`" for name in Defaults.model_fields)
        found.append(Key(name=names, default="those of `defaults`", means="see there"))
    return tuple(found)


def _keys(shape: type[Shape], name: str, attribute: str) -> Iterator[Key]:
    """A key, and behind it those of a mapping that has no section of its own."""
    yield _key(name, shape.model_fields[attribute])
    if name in NESTED and name not in BLOCKS:
        for inner, info in NESTED[name].model_fields.items():
            yield _key(f"{name}.{inner}", info)


def _key(name: str, info: FieldInfo) -> Key:
    extra = info.json_schema_extra
    unless = str(extra.get(UNLESS, "")) if isinstance(extra, dict) else ""
    kind, bounds = _type_of(info.annotation, info.metadata)
    default = "needed" if info.is_required() else unless
    shown = f"`{name}`"
    if name in BLOCKS:
        shown, default = f"[{shown}](#{name})", default or "see there"
    means = _as_cell(info.description or "")
    return Key(name=shown, kind=kind, default=default, bounds=bounds, means=means)


def _as_cell(sentences: str) -> str:
    """Begin small and end without a point, as a cell of a table does."""
    is_name = sentences[1:2].isupper()
    head = sentences[:1] if is_name else sentences[:1].lower()
    return f"{head}{sentences[1:]}".rstrip(".")


def _type_of(annotation: object, metadata: Sequence[object] = ()) -> tuple[str, str]:
    """Give the type and the bounds of what is annotated so."""
    for one in metadata:
        if isinstance(one, Text | Short):
            return one.kind, one.bounds
    inner = [one for one in get_args(annotation) if one is not type(None)]
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type_of(inner[0], inner[1:])
    if origin in {Union, UnionType}:
        return _type_of(inner[0])
    if origin is tuple:
        return f"list of {_many(inner[0])}", ""
    return ("names to blocks" if origin is dict else "block"), ""


def _many(item: object) -> str:
    texts = [one for one in get_args(item) if isinstance(one, Text)]
    return texts[0].many or f"{texts[0].kind}s" if texts else "blocks"


def table(shape: type[Shape]) -> str:
    """The table of a block in Markdown; without a column in which nothing stands."""
    rows = [_HEAD, *(one.cells for one in keys_of(shape))]
    kept = [at for at, _ in enumerate(_HEAD) if any(row[at] for row in rows[1:])]
    lines = [[row[at] for at in kept] for row in rows]
    lines.insert(1, ["---"] * len(kept))
    return "".join(f"|{'|'.join(map(_padded, cells))}|\n" for cells in lines)


def _padded(cell: str) -> str:
    return f" {cell} " if cell else " "


def rewritten(page: str) -> str:
    """The page with its marked tables as they should be; unknown marks stay as they are."""

    def new(found: re.Match[str]) -> str:
        shape = BLOCKS.get(found["name"])
        return f"{found['begin']}{table(shape)}{found['end']}" if shape else found[0]

    return _MARKED.sub(new, page)


def unmarked(page: str) -> list[str]:
    """The blocks for whose table the page has no room."""
    marked = {found["name"] for found in _MARKED.finditer(page)}
    return [name for name in BLOCKS if name not in marked]
