"""Tables that fit a terminal: columns that may be cut give way to the others. Pure."""

from collections.abc import Sequence

_GAP = 2
_CUT = ".."
_LEAST = 8
"""Of a column that is cut stays so much, however narrow a terminal is."""


def fitted(
    rows: Sequence[tuple[str, ...]], columns: int, *, whole: int, right: frozenset[int]
) -> list[str]:
    """Write rows, the first of them the head, as lines of so many columns.

    Args:
        rows: Of printable cells; as many in each.
        columns: Of the terminal.
        whole: So many of the first are never cut.
        right: Those that are aligned to the right.
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    room = columns - _GAP * (len(widths) - 1)
    while sum(widths) > room:
        widest = max(range(whole, len(widths)), key=lambda at: widths[at])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    return [_line(row, widths, right) for row in rows]


def _line(row: tuple[str, ...], widths: Sequence[int], right: frozenset[int]) -> str:
    cells = (
        _cut(cell, width).rjust(width) if at in right else _cut(cell, width).ljust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return (" " * _GAP).join(cells).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - len(_CUT)] + _CUT
