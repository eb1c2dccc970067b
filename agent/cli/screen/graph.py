"""Small graphs over time. Pure."""

from collections.abc import Sequence

from agent.cli.screen.marks import Marks


def graph(values: Sequence[int], width: int, height: int, marks: Marks) -> list[str]:
    """Draw the newest values at the right, one a column, from nothing to the most of them.

    What is not nothing is seen, however little it is beside the most.

    Returns:
        So many lines of so many columns, the upper one first.
    """
    shown = list(values[-width:]) if width > 0 else []
    top = max(shown, default=0) or 1
    steps = len(marks.steps) - 1
    heights = [-(-value * height * steps // top) for value in shown]
    return [
        "".join(marks.steps[max(0, min(steps, one - steps * row))] for one in heights).rjust(width)
        for row in reversed(range(height))
    ]
