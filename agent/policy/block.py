"""One mapping of a policy -> its shape. Each key stands for itself, so one fault hides no other."""

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from agent.model.measure import MEASURES
from agent.policy.document import Broken, Mapping, Node, Scalar, Sequence
from agent.policy.place import Faults, Place
from agent.policy.relations import ALSO_CALLED, EXCLUDED_BY, EXCLUDED_IF_UNPROVEN
from agent.policy.respell import nearest
from agent.policy.shapes import NESTED, RuleShape, Shape, keys, text_of
from agent.policy.words import did_you_mean, found, listed

S = TypeVar("S", bound=Shape)

_PLAIN = re.compile("[A-Za-z0-9_./-]{1,40}")
_NEEDED_LISTS = frozenset({"ports"})

_MANY = 100
"""Keys in a mapping that nobody wrote by hand: there is no typing error to guess at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Generic[S]):
    """A mapping that was read.

    Attributes:
        place: Of the mapping.
        shape: Its values; an attribute of a broken key may be absent.
        given: The keys that stand there.
        broken: The keys whose values can't be used: wrong or missing.
    """

    place: Place
    shape: S
    given: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()

    def sound(self, *names: str) -> bool:
        """Whether the values of all these keys, or their absence, can be relied on."""
        return self.broken.isdisjoint(names)


def read_block(place: Place, kind: type[S], faults: Faults) -> Block[S] | None:
    """Read the mapping at `place`; None, and a fault, if it is something else."""
    node = place.node
    if not isinstance(node, Mapping):
        value, names = found(plain(node)), list(keys(kind))
        form = f"as {{{names[0]}: ...}}" if len(names) == 1 else f"(keys: {', '.join(names)})"
        faults.add(place, f"expected a mapping {form}, {value}")
        return None
    attributes = keys(kind)
    shape = kind.model_construct()
    meant = tell_unknown(place, node, kind, faults)
    missing = [key for key in _required(kind) if key not in node.values and key not in meant]
    if missing:
        faults.add(place, f"lacks {listed(_described(kind, missing))}")
    wrong = {
        key
        for key, attribute in attributes.items()
        if key in node.values and not _assign(shape, attribute, place.at(key), faults)
    }
    return Block(
        place=place,
        shape=shape,
        given=frozenset(node.values),
        broken=frozenset({*wrong, *missing, *meant}),
    )


def read_key(place: Place, kind: type[Shape], key: str, faults: Faults) -> Any:  # noqa: ANN401 - the field's type
    """Read the one value at `place` as that of `key`; None, and a fault, if it is wrong."""
    shape = kind.model_construct()
    return getattr(shape, key) if _assign(shape, key, place, faults) else None


def tell_unknown(place: Place, node: Mapping, kind: type[Shape], faults: Faults) -> set[str]:
    """Tell of the keys that a mapping can't have; gives the absent ones probably meant."""
    meant = set()
    for key in node.values:
        if key not in keys(kind):
            fitting = _fitting(node, kind) if len(node.values) < _MANY else []
            close = nearest(key, fitting, ALSO_CALLED)
            meant.update([close] if close else [])
            faults.add(place.at_key(key), _unknown_key(kind, close))
    return meant


def _fitting(node: Mapping, kind: type[Shape]) -> list[str]:
    """Give the keys that may be added to a mapping as it stands."""
    excluded = {one for key in node.values for one in EXCLUDED_BY.get(key, ())}
    unproven = kind is RuleShape and not _proves(node)
    excluded |= set(EXCLUDED_IF_UNPROVEN) if unproven else set()
    return [key for key in keys(kind) if key not in node.values and key not in excluded]


def _proves(node: Mapping) -> bool:
    """Whether a rule counts what proves its source, as far as it can be told."""
    measure = MEASURES.get(str(plain(node.values["count"]))) if "count" in node.values else None
    return measure is None or measure.proves


def plain(node: Node) -> object:
    """Give the value at a node: text, list or dict."""
    match node:
        case Scalar():
            return node.text
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(value) for key, value in node.values.items()}
        case _:
            return ""


def _required(kind: type[Shape]) -> list[str]:
    fields = kind.model_fields.items()
    return [info.alias or name for name, info in fields if info.is_required()]


def _described(kind: type[Shape], missing: list[str]) -> list[str]:
    """Give the missing keys, each with what is expected of it."""
    return [f"{key} ({text.expected})" if (text := text_of(kind, key)) else key for key in missing]


def _unknown_key(kind: type[Shape], close: str | None) -> str:
    """Say which keys are known."""
    advice = f"; {did_you_mean(close)}" if close else ""
    return f"unknown key; possible here: {', '.join(keys(kind))}{advice}"


def _assign(shape: Shape, attribute: str, place: Place, faults: Faults) -> bool:
    """Set one attribute to the value at `place`; tells whether that was possible."""
    if isinstance(place.node, Broken):
        return False
    try:
        setattr(shape, attribute, plain(place.node))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _tell(detail, place, faults)
        return False
    return True


def _tell(detail: Map[str, Any], place: Place, faults: Faults) -> None:
    """Tell one fault that pydantic found, in our words."""
    steps = detail["loc"][1:]
    here = place.at(*steps)
    match detail["type"]:
        case "value_error":
            faults.add(here, str(detail["ctx"]["error"]))
        case "extra_forbidden":
            parent, nested = place.at(*steps[:-1]), NESTED[str(detail["loc"][-2])]
            absent = [key for key in keys(nested) if key not in _keys_of(parent)]
            close = nearest(str(steps[-1]), absent)
            faults.add(parent.at_key(steps[-1]), _unknown_key(nested, close))
        case "too_short" if not isinstance(here.node, Sequence) or here.node.items:
            pass  # none of its items is sound, and each has been told
        case "too_short" if detail["loc"][0] in _NEEDED_LISTS:
            faults.add(here, "an empty list: give at least one")
        case "too_short":
            faults.add(here, "an empty list: give at least one, or leave the key out")
        case "too_long":
            most = detail["ctx"]["max_length"]
            faults.add(here, f"more than {most} items: join neighbours into ranges as 8000-8099")
        case _:
            value = plain(here.node)
            form = f"[{value}]" if _PLAIN.fullmatch(str(value)) else "[a, b]"
            faults.add(here, f"expected a list as {form}, {found(value)}")


def _keys_of(place: Place) -> frozenset[str]:
    return frozenset(place.node.values) if isinstance(place.node, Mapping) else frozenset()
