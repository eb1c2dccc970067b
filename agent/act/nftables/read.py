"""Elements of our sets, read back as what they mean."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    summarize_address_range,
)

from agent.act.comment import mark_of
from agent.act.nftables.layout import TABLE
from agent.act.nftables.names import ALLOW, Kind, Meaning, kind_of, read_name
from agent.act.nftables.structure import SetShape
from agent.kernel import nf_elements, nf_tables
from agent.kernel.nf_elements import Element
from agent.model.address import Prefix, Source, collapsed
from agent.model.ban import Held, Installed, Place
from agent.model.policy import Answer

EVERYTHING: dict[int, Prefix] = {4: IPv4Network((0, 0)), 6: IPv6Network((0, 0))}
"""What ``*`` stands for, by family. No ban of ours is as wide."""


def installed(shapes: dict[str, SetShape]) -> Installed:
    """Read all bans and the allow set.

    Args:
        shapes: The sets that are there, by name.

    Raises:
        ObserveError: They can't be read.
    """
    bans: list[Held] = []
    may_repeat: dict[Place, Held] = {}
    for name in shapes:
        if found := read_name(name):
            meaning, kind = found
            if kind.length and meaning[0][2] is Answer.DROP:
                bans.extend(_held(name, meaning, kind))
            else:
                may_repeat.update({(one.source, one.target): one for one in _held(name, *found)})
    if any(kind_of(source.prefix).length for source, _ in may_repeat):
        # Somebody's host in a set of prefixes may be in a set of hosts too.
        may_repeat.update({(one.source, one.target): one for one in bans})
        bans = []
    return Installed(bans=(*bans, *may_repeat.values()), allowed=allowed(shapes))


def allowed(shapes: dict[str, SetShape]) -> frozenset[Prefix]:
    """Read the allow set.

    Raises:
        ObserveError: It can't be read.
    """
    found: set[Prefix] = set()
    for version, name in ALLOW.items():
        for one in ranges(name) if name in shapes else ():
            found.update(prefixes_of(one) or [EVERYTHING[version]])
    return collapsed(found)


def ranges(set_name: str) -> list[Element]:
    """Read an interval set.

    Raises:
        ObserveError: It can't be read.
    """
    rows = nf_tables.dump(nf_tables.Kind.ELEMENTS, TABLE, set_name)
    return list(nf_elements.intervals(rows))


def keys(set_name: str) -> frozenset[bytes]:
    """Read the addresses in a hash set, in network order.

    Raises:
        ObserveError: It can't be read.
    """
    rows = nf_tables.dump(nf_tables.Kind.ELEMENTS, TABLE, set_name)
    return frozenset(one.first for one in nf_elements.keys(rows))


def count(set_name: str, kind: Kind) -> int:
    """Count the elements of a set.

    Raises:
        ObserveError: It can't be read.
    """
    return len(keys(set_name) if kind.length else ranges(set_name))


def prefixes_of(one: Element) -> list[Prefix]:
    """Give what an interval consists of: one prefix unless it is somebody's, none for ``*``."""
    if not one.first:
        return []
    if len(one.first) == len(IPv4Address(0).packed):
        return list(summarize_address_range(IPv4Address(one.first), IPv4Address(one.last)))
    return list(summarize_address_range(IPv6Address(one.first), IPv6Address(one.last)))


def text_of(one: Element) -> str:
    """Write an interval as nft does."""
    parts = prefixes_of(one)
    if not parts:
        return "*"
    return str(parts[0]) if len(parts) == 1 else f"{parts[0][0]}-{parts[-1][-1]}"


def _held(name: str, meaning: Meaning, kind: Kind) -> Iterator[Held]:
    target, rate = meaning
    for prefix, one in _prefixes(name, kind):
        yield Held(
            source=Source(prefix),
            target=target,
            left=None if one.left_ms is None else timedelta(milliseconds=one.left_ms),
            mark=mark_of(one.comment),
            rate=rate,
        )


def _prefixes(name: str, kind: Kind) -> Iterator[tuple[Prefix, Element]]:
    """Give each prefix of a set; a line with host bits is left out, it is never looked up."""
    rows = nf_tables.dump(nf_tables.Kind.ELEMENTS, TABLE, name)
    length, everything = kind.length, EVERYTHING[kind.version]
    if length is None:
        for one in nf_elements.intervals(rows):
            for part in prefixes_of(one) or [everything]:
                yield part, one
    elif kind.version == 4:  # noqa: PLR2004
        for one in nf_elements.keys(rows):
            yield IPv4Network((one.first, length)) if one.first else everything, one
    else:
        tail = bytes((128 - length) // 8)
        for one in nf_elements.keys(rows):
            if one.first.endswith(tail) or not one.first:
                yield IPv6Network((one.first, length)) if one.first else everything, one
