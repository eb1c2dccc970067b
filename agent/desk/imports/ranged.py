"""Long lists go into range files beside the policy. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.desk.imports.draft import Entry, Item
from agent.errors import UnreadableError
from agent.identify.ranges import MOST_PREFIXES, WIDEST
from agent.model.address import Prefix, collapsed
from agent.record.phrases import counted

MOST_INLINE = 500
"""Networks of an entry that stand in the policy itself, where a person looks them through."""

MOST_INLINE_IN_ALL = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranged:
    """Which entries' networks stand in a file.

    Attributes:
        files: By the name of an entry, that of its file.
        texts: By the name of a file, what is in it.
        wide: By the name of an entry, those that are too wide for a range file.
    """

    files: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    wide: dict[str, tuple[Item[Prefix], ...]] = field(default_factory=dict)

    def inline(self, entry: Entry) -> tuple[Item[Prefix], ...]:
        """Give those of an entry that stand in the policy."""
        return self.wide.get(entry.name, entry.prefixes)

    def told(self, entry: Entry) -> str:
        """Tell what was written to the entry's file."""
        files = list(dict.fromkeys(item.spot.file for item in entry.prefixes))
        return f"the {len(entry.prefixes):,} networks of {', '.join(files[:3])}"


def split(entries: Iterable[Entry], stem: str) -> Ranged:
    """Choose the entries whose networks go into files, and write those.

    Args:
        entries: All of them.
        stem: Of the files' names.

    Raises:
        UnreadableError: A list is longer than a range file can be.
    """
    ranged, room = Ranged(), MOST_INLINE_IN_ALL
    for entry in entries:
        count = len(entry.prefixes)
        if count <= min(room, MOST_INLINE):
            room -= count
            continue
        _put(ranged, entry, f"{stem}.{entry.name}.txt")
    return ranged


def _put(ranged: Ranged, entry: Entry, file: str) -> None:
    joined = collapsed(item.what for item in entry.prefixes)
    wide = {one for one in joined if one.prefixlen < WIDEST[one.version]}
    narrow = sorted(joined - wide, key=_order)
    if len(narrow) > MOST_PREFIXES or len(wide) > MOST_INLINE:
        raise UnreadableError(
            f"{ranged.told(entry)} are more than a range file holds ({MOST_PREFIXES:,}): import a "
            "shorter list, or leave so many to the firewall"
        )
    spot = entry.prefixes[0].spot
    ranged.wide[entry.name] = tuple(
        Item(what=one, spot=spot, remark="together with its neighbours") for one in wide
    )
    if narrow:
        ranged.files[entry.name] = file
        head = f"# Imported: {counted(len(narrow), 'network')}, of {entry.name}.\n"
        ranged.texts[file] = head + "".join(f"{one}\n" for one in narrow)


def _order(one: Prefix) -> tuple[int, int, int]:
    return (one.version, int(one.network_address), one.prefixlen)
