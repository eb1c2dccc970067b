"""The marks that bars and graphs are made of, by what a terminal can show."""

from dataclasses import dataclass

_PLAIN_TERMS = ("linux", "dumb", "vt", "ansi", "cons", "unknown")
"""Terminals whose fonts lack eighths of a block, or that may be anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """A set of marks, each one column wide.

    Attributes:
        steps: From nothing to a full column, in equal steps.
        rest: What is left of a bar.
    """

    steps: str
    rest: str

    @property
    def full(self) -> str:
        """A full column."""
        return self.steps[-1]

    def bar(self, share: float, width: int) -> str:
        """Give a bar of that width; it is full from a share of 1 on, and only then."""
        filled = min(width, max(0, int(share * width)))
        return self.full * filled + self.rest * (width - filled)


BLOCKS = Marks(steps=" ▁▂▃▄▅▆▇█", rest="░")
PLAIN = Marks(steps=" .:-=+*%#", rest=".")


def marks_for(term: str, encoding: str) -> Marks:
    """Give the marks for a terminal.

    Args:
        term: Its kind, as in ``$TERM``.
        encoding: Of what is written to it.
    """
    is_plain = not term or term.startswith(_PLAIN_TERMS)
    is_unicode = encoding.lower().replace("-", "").replace("_", "") == "utf8"
    return BLOCKS if is_unicode and not is_plain else PLAIN
