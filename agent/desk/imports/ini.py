"""fail2ban's kind of configuration -> the value that holds, with the lines it comes from. Pure.

Source: configparserinc.py and configreader.py of fail2ban 1.0, jail.conf(5).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from agent.desk.imports.notes import Notes
from agent.desk.imports.source import Source
from agent.desk.imports.spot import Spot
from agent.policy.words import shown

DEFAULT = "DEFAULT"
INCLUDES = "INCLUDES"

_SECTION = re.compile(r"\[([^\]]+)\]")
_OPTION = re.compile(r"([^\s=:][^=:]{0,127}?)\s*[=:]\s*(.*)")
_INLINE = re.compile(r"(^|\s);.*")
_REMARK = re.compile(r"(^|\s)#.*")
_REFERENCE = re.compile(r"%(?:%|\((?:([\w-]+)/)?([^)/\s]{1,128})\)s)")
_KNOWN = "known"
_DEEPEST = 10
_LONGEST = 100_000
_MOST_OPTIONS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What an option is set to.

    Attributes:
        lines: Of its text, with their places; the first one has the option's name.
        is_quoted: Whether comments may show it: see `Source`.
    """

    lines: tuple[tuple[Spot, str], ...]
    is_quoted: bool = True

    @property
    def text(self) -> str:
        """All lines, without what people write behind a # there; fail2ban takes it for words."""
        return "\n".join(_REMARK.sub("", line) for _, line in self.lines)


@dataclass(slots=True, kw_only=True)
class Options:
    """All that several files set, by section and option; later ones hold.

    Attributes:
        notes: Takes the lines that set nothing.
        values: All values of an option in a section, the one that holds last.
    """

    notes: Notes
    values: dict[tuple[str, str], list[Value]] = field(default_factory=dict)

    def take(self, source: Source) -> None:
        """Take a file."""
        for section, key, value in options_of(source, self.notes):
            known = self.values.get((section, key))
            if known is not None:
                known.append(value)
            elif len(self.values) < _MOST_OPTIONS:
                self.values[section, key] = [value]
            else:
                why = f"more than {_MOST_OPTIONS:,} settings"
                self.notes.add(value.lines[0][0], "a setting", why)

    def sections(self) -> Iterator[str]:
        """Name all sections but those with a meaning of their own."""
        names = dict.fromkeys(section for section, _ in self.values)
        yield from (name for name in names if name not in {DEFAULT, INCLUDES})

    def own(self, section: str, key: str) -> Value | None:
        """Give what a section itself sets."""
        values = self.values.get((section, key))
        return values[-1] if values else None

    def text(self, section: str, key: str) -> str:
        """Give a value with everything put in that it refers to; empty where it is not set."""
        value = self.own(section, key) or self.own(DEFAULT, key)
        return self.expanded(value.text, section, key) if value else ""

    def expanded(self, text: str, section: str, key: str) -> str:
        """Put in what a text refers to, as ``%(name)s``, ``%(known/name)s``, ``%(other/name)s``.

        What it refers to and is not there stays as it is, and so does what is endless.
        """
        return _Expansion(options=self, section=section).of(text, {(section, key): 1}, 0)

    def behind(
        self, section: str, key: str, used: Mapping[tuple[str, str], int]
    ) -> tuple[tuple[str, str], Value] | None:
        """Give the value behind those that were used; a section's, else the one for all."""
        for where in ((section, key), (DEFAULT, key)):
            values = self.values.get(where, [])
            if (count := used.get(where, 0)) < len(values):
                return where, values[-1 - count]
        return None


@dataclass(slots=True, kw_only=True)
class _Expansion:
    """One text, and how much more may be put into it."""

    options: Options
    section: str
    left: int = 1_000

    def of(self, text: str, used: Mapping[tuple[str, str], int], depth: int) -> str:
        parts, at, size = [], 0, 0
        for match in _REFERENCE.finditer(text):
            parts.append((text[at : match.start()] + self._value(match, used, depth))[:_LONGEST])
            at, size = match.end(), size + len(parts[-1])
            if size > _LONGEST:
                break
        return "".join((*parts, text[at:]))[:_LONGEST]

    def _value(self, match: re.Match[str], used: Mapping[tuple[str, str], int], depth: int) -> str:
        where, key = match[1] or _KNOWN, (match[2] or "").lower()
        if match[0] == "%%":
            return "%"
        if key == "__name__":
            return self.section
        found = self.options.behind(self.section if where == _KNOWN else where, key, used)
        self.left -= 1
        if found is None or depth == _DEEPEST or self.left < 0:
            return match[0]
        place, value = found
        return self.of(value.text, {**used, place: used.get(place, 0) + 1}, depth + 1)


def options_of(source: Source, notes: Notes) -> Iterator[tuple[str, str, Value]]:
    """Read the options of a file: section, name, value.

    Args:
        source: The file.
        notes: Takes the lines that set nothing.
    """
    section, key = "", ""
    lines: list[tuple[Spot, str]] = []
    for spot, line in (*source.lines(), (Spot(file=source.name, line=0), "[]")):
        said = _INLINE.sub("", line).rstrip()
        if line[:1] in {"#", ";"} or line.lstrip()[:1] in {"#", ";"} or not said:
            continue
        if key and line[:1].isspace():
            lines.append((spot, said.strip()))
            continue
        if key:
            yield section, key, Value(lines=tuple(lines), is_quoted=source.is_quoted)
            key = ""
        if match := _SECTION.match(said):
            section = match[1]
        elif (match := _OPTION.fullmatch(said)) and section:
            key, lines = match[1].lower(), [(spot, match[2])]
        elif spot.line:
            what = shown(said.strip()) if source.is_quoted else "a line"
            notes.add(spot, what, "no setting of a section")


def included(source: Source, order: str) -> Iterable[str]:
    """Name the files that a file includes ahead of itself (``before``) or behind (``after``)."""
    found = options_of(source, Notes()) if f"[{INCLUDES}]" in source.text else ()
    for section, key, value in found:
        if (section, key) == (INCLUDES, order):
            yield from (line for line in value.text.split("\n") if line)
