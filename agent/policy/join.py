"""Several files -> one set of places: what stands where. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.policy.block import plain, read_key, tell_unknown
from agent.policy.document import Document, Mapping, Sequence, parse_document
from agent.policy.place import Faults, Place
from agent.policy.shapes import FileShape, HeadShape, keys
from agent.policy.text import PolicyText, UnfitError, Unread, decode
from agent.policy.words import found

_SINGLE = ("every", "tape", "safety", "defaults", "trusted_proxies", "administrators")


@dataclass(slots=True, kw_only=True)
class Joined:
    """The items of all files, in their order.

    Attributes:
        single: Single-valued blocks by key; the first of each.
        services: Each with its key's place, which tells the name.
        allowlist: Entries.
        rules: Rules.
        complete: Whether nothing is lost; if not, something that seems absent
            may be there.
    """

    single: dict[str, Place] = field(default_factory=dict)
    services: list[tuple[Place, Place]] = field(default_factory=list)
    allowlist: list[Place] = field(default_factory=list)
    rules: list[Place] = field(default_factory=list)
    complete: bool = True


def join(texts: Iterable[PolicyText | Unread], faults: Faults) -> Joined:
    """Take the files together."""
    joined = Joined()
    for text in texts:
        root = _read(text, joined, faults)
        if root is not None:
            _take(root, joined, faults)
    return joined


def _read(text: PolicyText | Unread, joined: Joined, faults: Faults) -> Place | None:
    """Give the place of a file's top; None, and a fault, if there is no such mapping."""
    if isinstance(text, Unread):
        joined.complete = False
        faults.add_at(text.file, (0, 0), text.problem)
        return None
    document = _document(text, faults)
    joined.complete &= document.whole
    if document.root is None:
        joined.complete = False
        if document.whole:
            faults.add_at(text.file, (0, 0), "the file is empty: a policy begins with version: 1")
        return None
    return _top(Place(file=text.file, folder=text.folder, node=document.root), joined, faults)


def _document(text: PolicyText, faults: Faults) -> Document:
    try:
        document = parse_document(decode(text.raw))
    except UnfitError as error:
        faults.add_at(text.file, (error.line, error.column), error.problem)
        return Document(root=None, whole=False)
    for trouble in document.troubles:
        faults.add_at(text.file, (trouble.line, trouble.column), trouble.problem)
    return document


def _top(place: Place, joined: Joined, faults: Faults) -> Place | None:
    if isinstance(place.node, Mapping):
        return place
    joined.complete = False
    value = found(plain(place.node))
    faults.add(place, f"expected a mapping (keys: {', '.join(keys(FileShape))}), {value}")
    return None


def _take(root: Place, joined: Joined, faults: Faults) -> None:
    """Put the parts of one file to those of the others."""
    node = root.node
    if not isinstance(node, Mapping):
        return
    meant = tell_unknown(root, node, FileShape, faults)
    joined.complete &= not meant
    if "version" in node.values:
        read_key(root.at("version"), HeadShape, "version", faults)
    elif "version" not in meant:
        faults.add(root, "lacks version: write version: 1 at the top")
    for key in _SINGLE:
        if key in node.values:
            _take_single(root, key, joined, faults)
    joined.services += _services(root, joined, faults)
    joined.allowlist += _items(root, "allowlist", joined, faults)
    joined.rules += _items(root, "rules", joined, faults)


def _take_single(root: Place, key: str, joined: Joined, faults: Faults) -> None:
    if key not in joined.single:
        joined.single[key] = root.at(key)
        return
    first = joined.single[key].file
    faults.add(root.at_key(key), f"stands in {first} already, and may stand in one file only")


def _services(root: Place, joined: Joined, faults: Faults) -> list[tuple[Place, Place]]:
    place = root.at("services")
    match place.node:
        case _ if place is root or place.is_blank:
            return []
        case Mapping():
            return [(place.at_key(key), place.at(key)) for key in place.node.values]
        case _:
            joined.complete = False
            value = found(plain(place.node))
            faults.add(place, f"expected a mapping as {{web: {{ports: [80, 443]}}}}, {value}")
            return []


def _items(root: Place, key: str, joined: Joined, faults: Faults) -> list[Place]:
    place = root.at(key)
    match place.node:
        case _ if place is root or place.is_blank:
            return []
        case Sequence():
            return [place.at(number) for number in range(len(place.node.items))]
        case _:
            joined.complete = False
            faults.add(
                place,
                f"expected a list of mappings, each behind a hyphen, {found(plain(place.node))}",
            )
            return []
