"""Where ddos-deflate keeps its files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from agent.desk.imports.deflate import draft_of
from agent.desk.imports.draft import Draft
from agent.desk.imports.notes import Notes
from agent.desk.imports.shell import settings_of
from agent.desk.imports.source import Source, is_folder, is_there, read_source
from agent.errors import InputError

CONF, ADDRESSES, HOSTS = "ddos.conf", "ignore.ip.list", "ignore.host.list"
PLACES = (Path("/etc/ddos"), Path("/usr/local/ddos"))

_ASSIGNED = re.compile(r"^\s*(export\s+)?[A-Za-z_]+=", re.MULTILINE)


def read_deflate(paths: Sequence[Path]) -> Draft:
    """Read a configuration and both ignore lists.

    Args:
        paths: Folders, or files; empty for the usual places. The lists beside a
            configuration belong to it.

    Raises:
        InputError: There is nothing.
        UnreadableError: Something can't be read as what it should be.
    """
    found = _Files()
    for path in paths:
        if is_folder(path):
            found.take_folder(path)
        else:
            found.take_file(path)
    for place in () if paths else PLACES:
        if not found.read and is_there(place):
            found.take_folder(place)
    if not found.read:
        where = " and ".join(map(str, paths or PLACES))
        raise InputError(f"no {CONF} and no ignore list in {where}: give its PATH")
    return draft_of(found.confs, found.addresses, found.hosts)


@dataclass(slots=True)
class _Files:
    """What was read; each file once."""

    confs: list[Source] = field(default_factory=list)
    addresses: list[Source] = field(default_factory=list)
    hosts: list[Source] = field(default_factory=list)
    read: set[Path] = field(default_factory=set)

    def take_folder(self, folder: Path) -> None:
        conf = read_source(folder / CONF)
        if conf:
            self._take_conf(conf)
        else:
            self._take(self.addresses, folder / ADDRESSES)
            self._take(self.hosts, folder / HOSTS)

    def take_file(self, path: Path) -> None:
        """Take a file as what its name, or else its content, says."""
        source = read_source(path)
        if source is None:
            raise InputError(f"{path}: no such file or folder")
        if path.name == CONF or (
            path.name not in {ADDRESSES, HOSTS} and _ASSIGNED.search(source.text)
        ):
            self._take_conf(source)
        else:
            self._take(self.hosts if "host" in path.name else self.addresses, path)

    def _take_conf(self, conf: Source) -> None:
        if conf.path in self.read:
            return
        self.read.add(conf.path)
        self.confs.append(conf)
        settings = settings_of(conf, Notes())
        for key, usual, kept in (
            ("IGNORE_IP_LIST", ADDRESSES, self.addresses),
            ("IGNORE_HOST_LIST", HOSTS, self.hosts),
        ):
            named = PurePath(settings[key].value).name if key in settings else ""
            self._take(kept, conf.path.parent / (named or usual))

    def _take(self, kept: list[Source], path: Path) -> None:
        source = None if path in self.read else read_source(path)
        if source:
            self.read.add(path)
            kept.append(source)
