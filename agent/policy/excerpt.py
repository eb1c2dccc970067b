"""The line of a file that a fault is about, with a caret under the word. Pure.

What is shown takes as many columns of a terminal as we think it does: tabs are widened,
whatever can't be printed is escaped, and characters of two columns count as two.

Source: Unicode Standard Annex 11 (East Asian Width).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import category, east_asian_width

from agent.policy.text import PolicyText, lines_of

WIDEST = 88
"""Columns of a line that are shown at most, without the number before it."""

_BEFORE = 40
_TAB = 8
_MARKS = frozenset({"Mn", "Me"})
_SELECTORS = range(0xFE00, 0xFE10)
"""They make a character wider, or not: terminals differ."""

_QUOTED = re.compile(r"""\"(?:\\.|[^"\\])*"|'(?:''|[^'])*'""")
_OPENERS = re.compile(r"[\[\]{},]")
_IN_BLOCK = re.compile(r"(?:[^\s:#]|:(?!\s|$)|(?<!\s)#|\s+(?![#\s]|$))+")
_IN_FLOW = re.compile(r"(?:[^\s:#,\[\]{}]|:(?![\s,\[\]{}]|$)|(?<!\s)#|\s+(?![#\s,\[\]{}]|$))+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """One character as it is shown, and how many columns that takes."""

    shown: str
    width: int


def excerpt(text: PolicyText, line: int, column: int, encoding: str = "utf-8") -> Iterator[str]:
    """Give the line at a place and a line with a caret under each column of its first word.

    Args:
        text: The file.
        line: Counted from 1; for 0, or behind the end of the text, nothing is given.
        column: In characters, counted from 1; at the end of the line it may be one more.
        encoding: Of where it is printed: what it lacks is escaped.
    """
    lines = lines_of(text)
    if not 0 < line <= len(lines):
        return
    whole, at = lines[line - 1], column - 1
    cells = list(_cells(whole, encoding))
    length = max(1, len(_word(whole, at)))
    first = sum(cell.width for cell in cells[:at])
    marked = max(1, sum(cell.width for cell in cells[at : at + length]))
    shown, first, marked = _window(cells, first, marked)
    number = f"{line:>5}"
    yield f"{number} | {shown}".rstrip()
    yield f"{' ' * len(number)} | {' ' * first}{'^' * marked}"


def _word(line: str, at: int) -> str:
    """Give what stands at a place: a quoted text, a bracket, or plain text up to its end."""
    if quoted := _QUOTED.match(line, at):
        return quoted[0]
    if _OPENERS.match(line, at) or line[at : at + 1].isspace():
        return line[at]
    before = _QUOTED.sub("", line[:at])
    is_flow = any(before.count(opener) > before.count(closer) for opener, closer in ("[]", "{}"))
    plain = (_IN_FLOW if is_flow else _IN_BLOCK).match(line, at)
    return plain[0] if plain else ""


def _cells(line: str, encoding: str) -> Iterator[_Cell]:
    """Give a line character by character, as it is shown."""
    used = 0
    for character in line:
        cell = _cell(character, encoding, used)
        used += cell.width
        yield cell


def _cell(character: str, encoding: str, used: int) -> _Cell:
    if character == "\t":
        width = _TAB - used % _TAB
        return _Cell(shown=" " * width, width=width)
    if not (character.isprintable() and _has(encoding, character)) or ord(character) in _SELECTORS:
        escape = character.encode("unicode_escape", "surrogatepass").decode("ascii")
        return _Cell(shown=escape, width=len(escape))
    if category(character) in _MARKS:
        return _Cell(shown=character, width=0)
    return _Cell(shown=character, width=2 if east_asian_width(character) in "WF" else 1)


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _window(cells: list[_Cell], first: int, marked: int) -> tuple[str, int, int]:
    """Give the part around the marked columns, with dots where something was left out.

    Returns:
        What is shown, the column at which the mark begins in it, and how many it has.
    """
    if sum(cell.width for cell in cells) <= WIDEST:
        return "".join(cell.shown for cell in cells), first, marked
    begin = max(0, first - _BEFORE)
    shown, used, left_out = "", 0, 0
    for cell in cells:
        if used + cell.width <= begin:
            left_out = used + cell.width
        elif used + cell.width <= begin + WIDEST:
            shown += cell.shown
        used += cell.width
    head = "..." if left_out else ""
    tail = "..." if used > begin + WIDEST else ""
    room = begin + WIDEST - first
    return f"{head}{shown}{tail}", first - left_out + len(head), max(1, min(marked, room))
