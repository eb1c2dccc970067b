"""What is wrong with a text that isn't YAML, in our words and in one line. Pure.

The two parsers of PyYAML word and place their errors differently, so the words
here come from the character at the place, never from the parser's message.
"""

import re
from itertools import islice

import yaml

from agent.policy.words import escaped

_GLUED = re.compile(r"[A-Za-z_]+:[^\s:/]")
_HYPHEN = re.compile(r"\s*-[A-Za-z_]")
_KEY = re.compile(r"\s*[A-Za-z_]+")
_SECOND = re.compile(r"[^\[{\"'#]*[A-Za-z_]: [^\[{\"'#]*, *[A-Za-z_]+")

_QUOTES = "a text that begins with {0} needs quotes, as '{0}...'"
_NEEDS_QUOTES = "@`%&*!|>"
_CLOSERS = {"[": "]", "{": "}"}

_AT = {
    "\t": "a tab can't indent: use spaces",
    "-": "a list item can't stand here: check the indentation",
    "]": "this ] closes nothing that is open: remove it",
    "}": "this } closes nothing that is open: remove it",
    ",": "a comma can't stand here: a text that holds one needs quotes",
    ":": "a colon can't stand here: check the indentation, and quote a text that holds one",
} | {character: _QUOTES.format(character) for character in _NEEDS_QUOTES}

_AFTER_OPENER = {
    ":": "a text that begins with a colon needs quotes here, as '::1/128'",
    ",": "nothing stands before this comma: remove it",
}


def syntax_problem(error: yaml.YAMLError, text: str) -> tuple[int, int, str]:
    """Give line, column (both counted from 1) and the problem."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return 1, 1, "this is not YAML text"
    start = getattr(error, "context_mark", None) or mark
    if start.index < mark.index and (opened := _unclosed(text, start, mark)):
        return start.line + 1, start.column + 1, opened
    return mark.line + 1, mark.column + 1, _at(text, mark)


def _unclosed(text: str, start: yaml.Mark, mark: yaml.Mark) -> str | None:
    """Say what begins at `start` and should have ended before `mark`, if it is that."""
    if _GLUED.match(_line_of(text, start)[1]):
        return "a colon needs a blank behind it, as version: 1"
    opener, ended = _line_of(text, start)[1][:1], _ends(text, mark)
    found = _line_of(text, mark)[1][:1]
    closed_wrong = found in _CLOSERS.values()
    if opener in _CLOSERS and (ended or closed_wrong or start.line < mark.line):
        return f"this {opener} is not closed by {_CLOSERS[opener]}, or a comma is missing after it"
    if opener in {"'", '"'} and ended:
        return f"the text that begins with this {opener} never ends"
    if opener in {"'", '"'}:
        return "an unknown escape in this text: write it in single quotes"
    if start.line < mark.line and found != "\t" and not _is_collection(text, start):
        return "a colon is missing: expected a key, a colon and a value"
    return None


def _is_collection(text: str, start: yaml.Mark) -> bool:
    """Whether a block list or mapping begins at `start`: its error is at the other end."""
    after = _line_of(text, start)[1]
    return after.startswith("- ") or ":" in after


def _at(text: str, mark: yaml.Mark) -> str:
    before, after = _line_of(text, mark)
    character = after[:1]
    if _ends(text, mark):
        return "the file ends in the middle of a list, a mapping or a text"
    if character == ":" and (hint := _of_colon(before, _line_above(text, mark))):
        return hint
    if before.rstrip()[-1:] in {"[", "{", ","} and character in _AFTER_OPENER:
        return _AFTER_OPENER[character]
    if character in _AT:
        return _AT[character]
    if not before.strip():
        return "this line belongs to nothing above it: check the indentation"
    return f"{escaped(character)} can't stand here: check quotes, commas and colons before it"


def _of_colon(before: str, above: str) -> str | None:
    """Say why a colon can't stand behind `before`, if its line or the one above shows it."""
    if _HYPHEN.match(above):
        return "the hyphen in the line above needs a blank behind it, as - name"
    if _KEY.fullmatch(before) and above and not set(":[{,#") & set(above):
        return "the line above lacks its colon, as version: 1"
    if _SECOND.match(before):
        return (
            "a second key in this line: give each a line of its own, or put all within {}; "
            "quote a text that holds a colon"
        )
    return None


def _line_above(text: str, mark: yaml.Mark) -> str:
    """Give the last line with anything in it above a mark."""
    lines = (line.rstrip() for line in islice(text.splitlines(), mark.line))
    return next((line for line in reversed(list(lines)) if line), "")


def _line_of(text: str, mark: yaml.Mark) -> tuple[str, str]:
    """Give what stands before and after a mark in its line."""
    line = next(islice(text.splitlines(), mark.line, None), "")
    return line[: mark.column], line[mark.column :]


def _ends(text: str, mark: yaml.Mark) -> bool:
    """Whether nothing but blank space follows."""
    lines = text.splitlines()[mark.line :]
    return not "".join([lines[0][mark.column :], *lines[1:]] if lines else []).strip()
