"""YAML text -> a tree of nodes that know where they stand. Pure.

Built from parser events, so no constructor of YAML ever types a value: every
scalar stays the text it looks like. What YAML can do beyond text, lists and
mappings (anchors, tags, several documents, odd keys) is told as a fault, and the
tree is built all the same, so that the faults behind it are told as well.

Source: YAML 1.1; https://pyyaml.org/wiki/PyYAMLDocumentation (events).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from agent.policy.syntax import syntax_problem
from agent.policy.words import shown

DEEPEST = 16
"""Collections within each other; a policy needs four."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Something in a document; line and column are counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar(Node):
    """A text, plain or quoted; empty when nothing stands there."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Node):
    """A value that can't be had; its fault has been told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping(Node):
    """Keys, each once, in their order."""

    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble(Node):
    """One thing wrong with a document as YAML."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a text holds.

    Attributes:
        root: None when the text has no value or isn't YAML.
        troubles: What is wrong, in the order of the text.
        whole: Whether `root` is all that the text says.
    """

    root: Node | None
    troubles: tuple[Trouble, ...] = ()
    whole: bool = True


class _EndError(Exception):
    """Nothing after this can be read."""


def parse_document(text: str) -> Document:
    """Read `text` as one YAML document."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except _EndError:
        return Document(root=None, troubles=tuple(builder.troubles), whole=False)
    except yaml.YAMLError as error:
        line, column, problem = syntax_problem(error, text)
        builder.troubles.append(Trouble(line=line, column=column, problem=problem))
        return Document(root=None, troubles=tuple(builder.troubles), whole=False)
    whole = not any(isinstance(trouble, _Loss) for trouble in builder.troubles)
    return Document(root=builder.root, troubles=tuple(builder.troubles), whole=whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loss(Trouble):
    """Trouble that takes a part of the document with it."""


_Store: TypeAlias = Callable[[Node], None]


class _Builder:
    """Takes events one by one; `root` is the tree.

    A collection that is still open is a function that takes its next node.
    """

    def __init__(self) -> None:
        self.root: Node | None = None
        self.troubles: list[Trouble] = []
        self._open: list[_Store] = [self._take_root]
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Put one event into the tree."""
        line, column = _place(event)
        match event:
            case yaml.DocumentStartEvent():
                self._begin_document(event)
            case yaml.AliasEvent():
                self._trouble(event, "aliases are not supported: write the value out", _Loss)
                self._open[-1](Broken(line=line, column=column))
            case yaml.ScalarEvent():
                self._refuse_properties(event)
                self._open[-1](Scalar(line=line, column=column, text=event.value))
            case yaml.CollectionStartEvent():
                self._refuse_properties(event)
                self._begin_collection(event)
            case yaml.CollectionEndEvent():
                self._open.pop()
            case _:
                pass

    def _take_root(self, node: Node) -> None:
        if self.root is None:
            self.root = node

    def _begin_document(self, event: yaml.Event) -> None:
        self._documents += 1
        if self._documents > 1:
            self._trouble(event, "a second document: put it into a file of its own", _Loss)
            raise _EndError

    def _begin_collection(self, event: yaml.Event) -> None:
        if len(self._open) > DEEPEST:
            self._trouble(
                event,
                f"more than {DEEPEST} lists and mappings within each other: a policy needs four",
                _Loss,
            )
            raise _EndError
        line, column = _place(event)
        if isinstance(event, yaml.SequenceStartEvent):
            sequence = Sequence(line=line, column=column)
            self._open[-1](sequence)
            self._open.append(sequence.items.append)
        else:
            mapping = Mapping(line=line, column=column)
            self._open[-1](mapping)
            self._open.append(self._filler(mapping))

    def _filler(self, mapping: Mapping) -> _Store:
        """Give the function that takes keys and values of `mapping` in turn."""
        pending: list[Node] = []

        def take(node: Node) -> None:
            if not pending:
                pending.append(node)
                return
            self._put(mapping, pending.pop(), node)

        return take

    def _put(self, mapping: Mapping, key: Node, value: Node) -> None:
        if isinstance(key, Broken):
            return
        if not isinstance(key, Scalar):
            problem = "a key must be a text, not a list or a mapping"
            self.troubles.append(_Loss(line=key.line, column=key.column, problem=problem))
        elif key.text in mapping.keys:
            first = mapping.keys[key.text].line
            problem = f"{shown(key.text)} stands in line {first} already: remove one of the two"
            self.troubles.append(_Loss(line=key.line, column=key.column, problem=problem))
        else:
            mapping.keys[key.text] = key
            mapping.values[key.text] = value

    def _refuse_properties(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            problem = f"anchors are not supported: remove &{shown(event.anchor)[1:-1]}"
            self._trouble(event, problem)
        if getattr(event, "tag", None) is not None:
            self._trouble(event, "tags are not supported: remove what begins with !")

    def _trouble(self, event: yaml.Event, problem: str, kind: type[Trouble] = Trouble) -> None:
        line, column = _place(event)
        self.troubles.append(kind(line=line, column=column, problem=problem))


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
