"""Where in which file something stands, and the faults found there."""

from dataclasses import dataclass, replace

from agent.errors import Fault
from agent.policy.document import Broken, Mapping, Node, Scalar, Sequence
from agent.policy.words import shortened

_MOST_FOUND = 10_000
_MOST_TOLD = 200
"""Nobody mends more at once, and whoever can write a policy must not fill the log with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A node of a file.

    Attributes:
        file: As the operator named it.
        folder: The file's, absolute.
        path: Where in the document, as ``rules[0].above``.
        node: What stands there.
    """

    file: str
    folder: str
    path: str = ""
    node: Node

    @property
    def line(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.node.line}"

    @property
    def is_blank(self) -> bool:
        """Whether nothing follows a key, as when every line below it is a comment."""
        return isinstance(self.node, Scalar) and not self.node.text

    def at(self, *steps: str | int) -> "Place":
        """Go down by keys and indices, as far as there is something."""
        place = self
        for step in steps:
            match place.node:
                case Mapping() if step in place.node.values:
                    node = place.node.values[str(step)]
                    place = replace(place, path=_joined(place.path, str(step)), node=node)
                case Sequence() if isinstance(step, int) and step < len(place.node.items):
                    node = place.node.items[step]
                    place = replace(place, path=f"{place.path}[{step}]", node=node)
                case _:
                    break
        return place

    def at_key(self, key: str) -> "Place":
        """Go to a key itself, not to its value."""
        place = self.at(key)
        return replace(place, node=self.node.keys[key]) if isinstance(self.node, Mapping) else place


class Faults:
    """Collects what is wrong. What stands on a broken node has been told already."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, place: Place, problem: str) -> None:
        """Tell one fault."""
        if not isinstance(place.node, Broken):
            self.add_at(place.file, (place.node.line, place.node.column), problem, place.path)

    def add_at(self, file: str, at: tuple[int, int], problem: str, path: str = "") -> None:
        """Tell one fault of a file that has no nodes; (0, 0) for the file as a whole."""
        if len(self.found) < _MOST_FOUND:
            fault = Fault(file=file, line=at[0], column=at[1], path=path, problem=problem)
            self.found.append(fault)

    @property
    def is_crowded(self) -> bool:
        """Whether there are more than are told, so that no more thought goes into one."""
        return len(self.found) > _MOST_TOLD

    def forget_within(self, place: Place) -> None:
        """Take back what was told of a value that must not stand there at all."""
        path = place.path
        self.found = [
            fault
            for fault in self.found
            if fault.file != place.file
            or not (fault.path == path or fault.path.startswith((f"{path}.", f"{path}[")))
        ]

    def in_order(self, files: tuple[str, ...]) -> tuple[Fault, ...]:
        """Give each once, by file, line and column; of very many only the first."""
        order = {file: number for number, file in reversed(tuple(enumerate(files)))}
        every = sorted(
            set(self.found),
            key=lambda fault: (order.get(fault.file, 0), fault.line, fault.column, fault),
        )
        told, more = every[:_MOST_TOLD], len(every) - _MOST_TOLD
        if more > 0:
            count = f"{more} more" if len(self.found) < _MOST_FOUND else "many more"
            told.append(replace(told[-1], path="", problem=f"... and {count} faults after this"))
        return tuple(told)


def _joined(path: str, key: str) -> str:
    return f"{path}.{shortened(key)}" if path else shortened(key)
