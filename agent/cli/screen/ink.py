"""Lines of a screen: pieces of text in a few inks, cut and filled to a width.

The inks are the terminal's own colours on its own background, so that they can be read on
light and dark ones; what they tell is told in words or marks as well. Whatever others wrote
is made printable here, where each piece passes.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from itertools import accumulate
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from agent.record.phrases import printable

CUT = "..."


class Ink(Enum):
    """How a piece looks."""

    PLAIN = auto()
    STRONG = auto()
    HEAD = auto()
    GOOD = auto()
    BAD = auto()
    CHOSEN = auto()


Piece: TypeAlias = tuple[str, Ink]
Line: TypeAlias = Sequence[Piece]

_STYLES: Mapping[Ink, Style] = {
    Ink.PLAIN: Style(),
    Ink.STRONG: Style(bold=True),
    Ink.HEAD: Style(bold=True, underline=True),
    Ink.GOOD: Style(bold=True, color="green"),
    Ink.BAD: Style(bold=True, color="red"),
    Ink.CHOSEN: Style(reverse=True),
}


def clean(text: str) -> str:
    """Give a text that can't play with the terminal."""
    return text if text.isprintable() else printable(text)


def width_of(text: str) -> int:
    """Give how many columns a text takes."""
    return cell_len(clean(text))


def cut(text: str, width: int) -> str:
    """Give a text in at most so many columns; one that was cut ends with dots."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    if width <= len(CUT):
        return set_cell_size(text, max(width, 0))
    return set_cell_size(text, width - len(CUT)).rstrip() + CUT


def left(text: str, width: int) -> str:
    """Give a text in just so many columns, from the left."""
    return set_cell_size(cut(text, width), max(width, 0))


def right(text: str, width: int) -> str:
    """Give a text in just so many columns, at their right."""
    text = cut(text, width)
    return " " * (width - cell_len(text)) + text


def strip_of(line: Iterable[Piece], width: int, under: Ink = Ink.PLAIN) -> Strip:
    """Give a line as the screen takes it, just so wide.

    Args:
        line: Its pieces.
        width: In columns.
        under: An ink for all of it, beneath its own.
    """
    base = _STYLES[under]
    pieces = [Segment(clean(text), base + _STYLES[ink]) for text, ink in line if text]
    return Strip(pieces).adjust_cell_length(width, base).simplify()


def flowing(words: Iterable[Line], width: int, gap: str = "  ") -> list[list[Piece]]:
    """Lay groups of pieces one after another, in as many lines as they need."""
    lines: list[list[Piece]] = [[]]
    used = 0
    for word in words:
        size = sum(width_of(text) for text, _ in word)
        if used and used + len(gap) + size > width:
            lines.append([])
            used = 0
        if used:
            lines[-1].append((gap, Ink.PLAIN))
            used += len(gap)
        lines[-1].extend(word)
        used += size
    return lines


def wrapped(text: str, width: int, most: int) -> list[str]:
    """Give a text in at most so many lines, broken at spaces where it can be; else cut."""
    words = clean(text).split(" ")
    lines: list[str] = []
    while words and len(lines) < most - 1:
        ends = accumulate((cell_len(word) + 1 for word in words), initial=-1)
        fitting = max(1, sum(end <= width for end in ends) - 1)
        lines.append(cut(" ".join(words[:fitting]), width))
        words = words[fitting:]
    if words:
        lines.append(cut(" ".join(words), width))
    return lines
