"""A page in Markdown as the body of a man page. Only the forms that our pages have."""

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence

from checks.manuals import roff

_WIDTH = 66
"""Columns of a listing that fit beside its indent, on a terminal of 80."""

_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_FENCE = re.compile(r"```\w*$")
_RULE = re.compile(r"\|(?: *-+ *\|)+")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def body(page: str) -> list[str]:
    """The page behind its title; what stands ahead of the first section is the description."""
    lines = _COMMENT.sub("", page).split("\n")
    start = next(at for at, line in enumerate(lines) if line.startswith("# ")) + 1
    return [*roff.heading("Description"), *_blocks(lines[start:])]


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        end = at + 1
        if line.startswith("#"):
            yield from _heading(line)
        elif _FENCE.match(line):
            end = next(no for no in range(at + 1, len(lines)) if lines[no] == "```") + 1
            yield from roff.listing(_wrapped(lines[at + 1 : end - 1]))
        elif line.startswith("|"):
            end = _end(lines, at, lambda one: one.startswith("|"))
            yield from _table(lines[at:end])
        elif line.startswith("- "):
            end = _end(lines, at + 1, _goes_on)
            yield from roff.bullet(roff.prose(" ".join((line[2:], *lines[at + 1 : end]))))
        elif line:
            end = _end(lines, at + 1, _goes_on)
            yield from roff.paragraphs([" ".join(lines[at:end])])
        at = end


def _end(lines: Sequence[str], at: int, belongs: Callable[[str], bool]) -> int:
    while at < len(lines) and belongs(lines[at]):
        at += 1
    return at


def _goes_on(line: str) -> bool:
    """Whether a line goes on with the paragraph or the item before it."""
    return bool(line) and not line.startswith(("#", "|", "- ", "```"))


def _heading(line: str) -> list[str]:
    marks, _, text = line.partition(" ")
    bare = text.replace("`", "")
    return roff.heading(bare) if len(marks) == len("##") else roff.subheading(bare)


def _wrapped(lines: Sequence[str]) -> str:
    """Lines that fit; the rest of a longer one is indented further, as YAML and readers like."""
    shown = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        parts = textwrap.wrap(
            line,
            _WIDTH,
            subsequent_indent=indent,
            break_on_hyphens=False,
            break_long_words=False,
            drop_whitespace=True,
        )
        shown.extend(parts if len(line) > _WIDTH else [line])
    return "\n".join(shown)


def _table(lines: Sequence[str]) -> Iterator[str]:
    """Each row as a term, its first cell, and what the others say."""
    head, *rows = (_cells(line) for line in lines if not _RULE.fullmatch(line))
    for row in rows:
        term, *told = row
        yield from roff.item(_term(term), _told(head[1:], told))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _term(cell: str) -> str:
    bare = _LINK.sub(r"\1", cell)
    return roff.prose(bare) if "`" in bare else roff.bold(bare)


def _told(head: Sequence[str], cells: Sequence[str]) -> str:
    """What a row says: the column without a name, then the named ones that are not empty."""
    if len(cells) == 1:
        return roff.prose(_sentence(cells[0]))
    named = [
        _sentence(f"{name.capitalize()}: {cell}")
        for name, cell in zip(head, cells, strict=True)
        if name and cell
    ]
    plain = [cell for name, cell in zip(head, cells, strict=True) if not name and cell]
    parts = [*map(_sentence, plain), " ".join(named)]
    return "\n.br\n".join(roff.prose(part) for part in parts if part)


def _sentence(text: str) -> str:
    text = f"{text[0].upper()}{text[1:]}"
    return text if text.endswith((".", "?")) else f"{text}."
