"""Where CSF keeps its files, and what they include."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.desk.imports import csf_told as told
from agent.desk.imports.blocks import default_ports
from agent.desk.imports.csf import limits_of, settings_of
from agent.desk.imports.csf_lists import ALLOW, INCLUDE, LISTS, Lists
from agent.desk.imports.draft import Draft
from agent.desk.imports.notes import Notes
from agent.desk.imports.reader import Reader, Setting
from agent.desk.imports.source import Source, is_folder, is_there, read_source, real_path
from agent.desk.imports.spot import Spot
from agent.errors import InputError, UnreadableError
from agent.policy.words import shown

FOLDER = Path("/etc/csf")
CONF = "csf.conf"

_SETTING = re.compile(r'^\s*[A-Z0-9_]+\s*=\s*"', re.MULTILINE)
_MOST_FILES = 100
_MOST_CHARACTERS = 64 * 1024 * 1024


def read_csf(paths: Sequence[Path]) -> Draft:
    """Read csf.conf and the lists beside it.

    Args:
        paths: Folders, or files; empty for the usual place.

    Raises:
        InputError: There is nothing.
        UnreadableError: Something can't be read as what it should be.
    """
    notes = Notes()
    found = _Files(notes=notes)
    for path in paths:
        if is_folder(path):
            found.take_folder(path)
        else:
            found.take_file(path)
    if not paths and is_there(FOLDER):
        found.take_folder(FOLDER)
    if not found.read:
        where = " and ".join(map(str, paths or [FOLDER]))
        raise InputError(f"no {CONF} and no list of csf in {where}: give its PATH")
    settings: dict[str, Setting] = {}
    for conf in found.confs:
        settings |= settings_of(conf, notes)
    if found.confs and told.KNOWN.isdisjoint(settings):
        raise UnreadableError(f"{found.confs[0].path}: no setting of csf is in it")
    return _draft(found, Reader(settings=settings, notes=notes))


def _draft(found: "_Files", reader: Reader) -> Draft:
    limits = limits_of(reader)
    told.tell(reader)
    services = limits.services or default_ports()
    lists = Lists(services=services, notes=reader.notes, has_own=limits.head is None)
    for kind, source in found.lists:
        lists.take(kind, source)
    if not found.confs:
        lists.demand(found.lists[0][1].path)
    return Draft(
        peer="csf",
        files=tuple(str(path) for path in found.read),
        differs=told.DIFFERS if limits.head else told.LISTS_DIFFER,
        head=limits.head,
        services=limits.services,
        entries=tuple(lists.entries()),
        limits=limits.rules,
        notes=reader.notes,
    )


@dataclass(slots=True, kw_only=True)
class _Files:
    """What was read; each file once, so that no circle of includes goes on.

    Attributes:
        notes: Takes the lines that include what can't be read.
    """

    notes: Notes
    confs: list[Source] = field(default_factory=list)
    lists: list[tuple[str, Source]] = field(default_factory=list)
    read: dict[Path, None] = field(default_factory=dict)
    _size: int = 0

    def take_folder(self, folder: Path) -> None:
        if conf := self._read(folder / CONF):
            self.confs.append(conf)
        for kind in LISTS:
            self._take_list(kind, self._read(folder / f"csf.{kind}"), folder)

    def take_file(self, path: Path) -> None:
        """Take a file as what its name, or else its content, says."""
        kind = path.name.rpartition(".")[2]
        source = read_source(path)
        if source is None:
            raise InputError(f"{path}: no such file or folder")
        if path.name == CONF:
            self.take_folder(path.parent)
        elif kind not in LISTS and _SETTING.search(source.text):
            self.confs.append(source)
            self.read[path] = None
        else:
            self._take_list(kind if kind in LISTS else ALLOW, self._read(path), path.parent)

    def _read(self, path: Path, *, is_quoted: bool = True) -> Source | None:
        real = real_path(path)
        if real in self.read or len(self.read) >= _MOST_FILES:
            return None
        source = read_source(path, is_quoted=is_quoted)
        if source is None:
            return None
        self.read[real] = None
        self._size += len(source.text)
        if self._size > _MOST_CHARACTERS:
            raise UnreadableError(f"{path}: the files that lists include are too large together")
        return source

    def _take_list(self, kind: str, source: Source | None, folder: Path) -> None:
        """Take a list, and what it includes, in the order of the lines that do."""
        waiting = [source] if source else []
        while waiting:
            one = waiting.pop(0)
            self.lists.append((kind, one))
            for spot, path in _includes(one):
                waiting.extend(self._included(spot, path, folder))

    def _included(self, spot: Spot, named: str, folder: Path) -> Iterator[Source]:
        """Give a file that a list includes; those of the usual folder lie in this one too."""
        path = folder / named
        if path.is_relative_to(FOLDER):
            path = folder / path.relative_to(FOLDER)
        try:
            is_inside = real_path(path).is_relative_to(real_path(folder))
            is_known = real_path(path) in self.read
            source = self._read(path, is_quoted=is_inside)
        except UnreadableError:
            self.notes.add(spot, shown(named), "it can't be read: give who is in it by hand")
            return
        if source:
            yield source
        elif not is_known:
            self.notes.add(spot, shown(named), "it is not there: nobody is spared for it")


def _includes(source: Source) -> Iterator[tuple[Spot, str]]:
    for spot, line in source.lines():
        said = line.partition("#")[0].strip()
        if match := INCLUDE.fullmatch(said):
            yield spot, match[1].strip()
