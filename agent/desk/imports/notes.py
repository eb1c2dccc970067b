"""Lines without a counterpart: each is told, and a million of them take a page. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import wrap

from agent.desk.imports.spot import Spot

WIDTH = 100
"""Columns of a comment."""

_AT_ONCE = 10
_MOST_NAMED = 400
_MOST_SPANS = 200
_MOST_GROUPS = 200


@dataclass(slots=True, kw_only=True)
class _Group:
    """The lines of one file with the same reason.

    Attributes:
        named: By what their lines say, where the first of them stand.
        spans: The others, first and last line of each run.
    """

    named: dict[str, list[int]] = field(default_factory=dict)
    spans: list[list[int]] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, what: str) -> None:
        if self.count < _MOST_NAMED:
            self.count += 1
            self.named.setdefault(what, []).append(line)
        elif self.spans and self.spans[-1][1] in {line, line - 1}:
            self.spans[-1][1] = line
        else:
            self.spans.append([line, line])

    def words(self) -> Iterator[str]:
        """Give a word a setting, with its lines; then the lines of what is not named."""
        for what, lines in self.named.items():
            numbers = [str(line) for line in dict.fromkeys(lines)]
            for at in range(0, len(numbers), _AT_ONCE):
                yield f"{what}:{','.join(numbers[at : at + _AT_ONCE])}"
        told = self.spans[:_MOST_SPANS]
        if told:
            yield "and the lines"
        yield from (f"{first}-{last}" if last > first else f"{first}" for first, last in told)
        if len(self.spans) > len(told):
            yield f"and others up to {self.spans[-1][1]}"


@dataclass(slots=True)
class Notes:
    """All of them, by file and reason."""

    _groups: dict[tuple[str, str], _Group] = field(default_factory=dict)

    def add(self, spot: Spot, what: str, why: str) -> None:
        """Take a line.

        Args:
            spot: Where it stands.
            what: The name of its setting, or what it says; printable.
            why: What is so instead, the same for all lines with the same reason.
        """
        key = (spot.file, why)
        if key not in self._groups and len(self._groups) >= _MOST_GROUPS:
            key = (spot.file, "without a counterpart")
        self._groups.setdefault(key, _Group()).add(spot.line, what)

    def lines(self) -> Iterator[str]:
        """Give the text, a line of a comment each; nothing where there are none."""
        if not self._groups:
            return
        yield "Without a counterpart here (what:line)."
        for file in dict.fromkeys(file for file, _ in self._groups):
            yield ""
            yield f"{file}:"
            for (of, why), group in self._groups.items():
                if of == file:
                    yield from wrap(f"- {why}:", WIDTH - 4, subsequent_indent="  ")
                    yield from _wrapped(group.words())

    def __len__(self) -> int:
        """How many reasons there are."""
        return len(self._groups)


def _wrapped(words: Iterator[str]) -> Iterator[str]:
    """Put words into lines; none is broken, since it may be looked for."""
    line = "   "
    for word in words:
        if len(line) + 1 + len(word) > WIDTH - 4 and line.strip():
            yield line
            line = "   "
        line += f" {word}"
    yield line
