"""Where fail2ban keeps its files, and in which order they hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.desk.imports.blocks import default_ports
from agent.desk.imports.draft import Draft
from agent.desk.imports.fail2ban import draft_of
from agent.desk.imports.ini import included
from agent.desk.imports.source import Source, files_in, is_folder, is_there, read_source, real_path
from agent.errors import InputError

FOLDER = Path("/etc/fail2ban")

_MOST_FILES = 200
_DEEPEST = 20


def read_fail2ban(paths: Sequence[Path]) -> Draft:
    """Read whom fail2ban ignores.

    Args:
        paths: Folders, read as fail2ban does; or files, the strongest last; empty for
            the usual place.

    Raises:
        InputError: There is nothing.
        UnreadableError: Something can't be read as what it should be.
    """
    wanted = paths or ([FOLDER] if is_there(FOLDER) else [])
    found = _Files()
    for path in wanted:
        for one in _ordered(path) if is_folder(path) else (path,):
            found.take(one, path if is_folder(path) else path.parent)
    if not found.sources:
        where = " and ".join(map(str, paths or [FOLDER]))
        raise InputError(f"no jail.conf, jail.local or jail.d of fail2ban in {where}")
    return draft_of(found.sources, default_ports())


def _ordered(folder: Path) -> Iterator[Path]:
    """Give the files of a folder, the strongest last. Source: jail.conf(5)."""
    for end in ("conf", "local"):
        yield folder / f"jail.{end}"
        inner = folder if folder.name == "jail.d" else folder / "jail.d"
        yield from files_in(inner, f".{end}")


@dataclass(slots=True)
class _Files:
    """What was read; each file once, so that no circle of includes goes on."""

    sources: list[Source] = field(default_factory=list)
    read: set[Path] = field(default_factory=set)

    def take(self, path: Path, folder: Path, depth: int = 0) -> None:
        """Take a file between those that it includes."""
        real = real_path(path)
        if real in self.read or len(self.read) >= _MOST_FILES or depth > _DEEPEST:
            return
        is_inside = real.is_relative_to(real_path(folder))
        name = str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
        source = read_source(path, name, is_quoted=is_inside)
        if source is None:
            return
        self.read.add(real)
        for named in included(source, "before"):
            self.take(path.parent / named, folder, depth + 1)
        self.sources.append(source)
        for named in included(source, "after"):
            self.take(path.parent / named, folder, depth + 1)
