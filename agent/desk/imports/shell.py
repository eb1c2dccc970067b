"""The assignments of a shell's file -> settings. Pure: nothing is run."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from agent.desk.imports.notes import Notes
from agent.desk.imports.reader import Setting
from agent.desk.imports.source import Source
from agent.desk.imports.spot import Spot
from agent.policy.words import shown

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,63})=(.*)", re.DOTALL)
_BARE = re.compile(r"[^\s;#'\"]*")
_REST = re.compile(r"\s*;?\s*(?:#.*)?", re.DOTALL)
_NAME = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]{0,63})\}|([A-Za-z_][A-Za-z0-9_]{0,63}))")
_COMMAND = re.compile(r"`|\$\(")
_MOST_JOINED = 100
_MOST_SETTINGS = 1_000
_LONGEST = 10_000


def settings_of(source: Source, notes: Notes) -> dict[str, Setting]:
    """Read the assignments of a file; of several of one name the last holds, as in a shell.

    Args:
        source: The file.
        notes: Takes the lines that are no assignment.
    """
    found: dict[str, Setting] = {}
    for spot, line in _statements(source):
        match = _ASSIGNMENT.fullmatch(line)
        value = _value(match[2]) if match and len(line) <= _LONGEST else None
        if match is None or value is None:
            notes.add(spot, shown(line.strip()), "no setting: nothing of it is run")
        elif _COMMAND.search(value):
            notes.add(spot, match[1], "the output of a command, which is not run here")
        elif match[1] in found or len(found) < _MOST_SETTINGS:
            if earlier := found.get(match[1]):
                notes.add(earlier.spot, match[1], f"set again in line {spot.line}")
            found[match[1]] = Setting(value=_expanded(value, found), spot=spot)
    return found


def _statements(source: Source) -> Iterator[tuple[Spot, str]]:
    """Give the lines that say something; a text in quotes goes on to the line of its end."""
    lines = deque(source.lines())
    while lines:
        spot, line = lines.popleft()
        if line.strip() and not line.lstrip().startswith("#"):
            more = _more(line, lines)
            for _ in more:
                lines.popleft()
            yield spot, "\n".join((line, *more))


def _more(line: str, following: Iterable[tuple[Spot, str]]) -> list[str]:
    """Give the lines that belong to a text in quotes; none where they don't close it well."""
    match = _ASSIGNMENT.fullmatch(line)
    quote = match[2][:1] if match else ""
    if match is None or not quote or quote not in "\"'" or quote in match[2][1:]:
        return []
    more: list[str] = []
    for _, one in islice(following, _MOST_JOINED):
        more.append(one)
        if quote in one:
            return more if _value("\n".join((match[2], *more))) is not None else []
    return []


def _value(said: str) -> str | None:
    """Give a value without its quotes; None where something else is behind it."""
    quote = said[:1]
    if quote and quote in "\"'":
        value, closed, rest = said[1:].partition(quote)
        return value if closed and _REST.fullmatch(rest) else None
    match = _BARE.match(said)
    return match[0] if match and _REST.fullmatch(said[match.end() :]) else None


def _expanded(value: str, found: Mapping[str, Setting]) -> str:
    """Put in the values of the names that were set before; others stay as they are."""

    def value_of(match: re.Match[str]) -> str:
        known = found.get(match[1] or match[2])
        return known.value if known else match[0]

    return _NAME.sub(value_of, value)[:_LONGEST]
