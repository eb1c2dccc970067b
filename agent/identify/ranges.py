"""The text of a range file -> its networks and its date. Pure.

Known are the JSON of Google and Bing (``prefixes`` with ``ipv4Prefix`` and ``ipv6Prefix``),
that of Amazon, that of Fastly, and a plain list: a prefix a line, ``#`` before a comment,
and a line ``# date: 2026-11-27`` for its date.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, ip_network
from itertools import islice
from typing import Any, TypeAlias

from agent.errors import Fault
from agent.model.address import Prefix, collapsed

MOST_PREFIXES = 50_000
WIDEST = {4: 8, 6: 16}
"""The shortest prefix length of what a range file may hold, also of neighbours together, by IP
version."""

AMAZON = frozenset({"CLOUDFRONT", "CLOUDFRONT_ORIGIN_FACING"})
"""Of Amazon's file with all its services only these are taken: the others are whoever rents
a machine there."""

_SLICE = 256
_MAPPED_BITS = 96
_DATE = re.compile(r"#\s*date:\s*(\d{4}-\d{2}-\d{2})\s*$", re.ASCII | re.IGNORECASE)
_AMAZONS_DATE = "%Y-%m-%d-%H-%M-%S"
_BRIEFLY = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """What a range file says.

    Attributes:
        prefixes: Networks, no two of which overlap; not empty.
        date: When the list was made, as it says itself; aware, UTC. None where it doesn't.
    """

    prefixes: frozenset[Prefix]
    date: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """The text of one prefix, and where it stands."""

    text: str
    line: int = 0
    path: str = ""


class _Unfit(Exception):  # noqa: N818 - it never leaves this module
    """A text can't be read; at this line, or at this path of a JSON document."""

    def __init__(self, problem: str, line: int = 0, path: str = "") -> None:
        super().__init__(problem)
        self.problem, self.line, self.path = problem, line, path


_List: TypeAlias = tuple[list[_Item], datetime | None]


def parse_ranges(
    raw: bytes, file: str, breathe: Callable[[], None] = lambda: None
) -> Ranges | Fault:
    """Read a range file, all of it or nothing.

    Args:
        raw: Its content.
        file: Its name, for the fault.
        breathe: Called again and again while there is much to read.

    Returns:
        What it says; or the first fault, with what to do about it.
    """
    try:
        items, date = _listed(raw)
        return Ranges(prefixes=_joined(_prefixes(items, breathe)), date=date)
    except _Unfit as unfit:
        return Fault(
            file=file,
            line=unfit.line,
            column=1 if unfit.line else 0,
            path=unfit.path,
            problem=unfit.problem,
        )


def _listed(raw: bytes) -> _List:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Unfit("not a text in UTF-8: get the list again") from error
    return _of_json(text) if text.lstrip()[:1] in {"{", "["} else _of_lines(text)


def _prefixes(items: Sequence[_Item], breathe: Callable[[], None]) -> Iterator[Prefix]:
    if not items:
        raise _Unfit("no prefix is in it: get the list again")
    if len(items) > MOST_PREFIXES:
        raise _Unfit(f"more than {MOST_PREFIXES:,} prefixes: list wider ones instead")
    left = iter(items)
    while some := list(islice(left, _SLICE)):
        yield from map(_prefix, some)
        breathe()


def _joined(prefixes: Iterator[Prefix]) -> frozenset[Prefix]:
    """Give the fewest prefixes; neighbours together may be no wider than one alone."""
    found = collapsed(prefixes)
    for one in sorted(found, key=lambda each: each.prefixlen):
        if one.prefixlen < WIDEST[one.version]:
            raise _Unfit(f"its prefixes together are {one}, {_too_wide(one)}")
    return found


def _too_wide(network: Prefix) -> str:
    return (
        f"wider than /{WIDEST[network.version]}: "
        "that would spare much of the internet; get the list again"
    )


def _prefix(item: _Item) -> Prefix:
    """Read one prefix; IPv4 inside a mapped IPv6 one becomes IPv4."""
    try:
        network = ip_network(item.text)
    except ValueError as error:
        raise _Unfit(
            f"{_briefly(item.text)} is no address and no network as 203.0.113.0/24",
            item.line,
            item.path,
        ) from error
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        network = IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    if "%" in item.text:
        raise _Unfit("leave out the interface after %", item.line, item.path)
    if network.prefixlen < WIDEST[network.version]:
        raise _Unfit(f"{network} is {_too_wide(network)}", item.line, item.path)
    return network


def _of_lines(text: str) -> _List:
    items, date = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if told := _DATE.match(line.strip()):
            date = _moment(f"{told[1]}T00:00:00") or date
        if word := line.partition("#")[0].strip():
            items.append(_Item(text=word, line=number))
    return items, date


def _of_json(text: str) -> _List:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise _Unfit(f"broken JSON ({error.msg}): get the list again", error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise _Unfit("broken JSON: get the list again") from error
    if not isinstance(document, dict):
        raise _Unfit(_UNKNOWN)
    if "addresses" in document:
        return [*_texts(document, "addresses"), *_texts(document, "ipv6_addresses")], None
    if "prefixes" not in document:
        raise _Unfit(_UNKNOWN)
    rows = [*_rows(document, "prefixes"), *_rows(document, "ipv6_prefixes")]
    return _of_service(rows), _date(document)


def _of_service(rows: list[tuple[str, Mapping[str, Any]]]) -> list[_Item]:
    """Give the prefixes in rows; of several services only those of a CDN."""
    services = {str(row["service"]) for _, row in rows if "service" in row}
    if len(services) > 1:
        rows = [(path, row) for path, row in rows if str(row.get("service")) in AMAZON]
        if not rows:
            raise _Unfit("several services, none of them CLOUDFRONT: leave the one you mean in it")
    found = [
        _Item(text=str(row[key]), path=f"{path}.{key}")
        for path, row in rows
        for key in _KEYS
        if key in row
    ]
    if not found and rows:
        raise _Unfit(_UNKNOWN, path=rows[0][0])
    return found


def _rows(document: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, row in enumerate(_array(document, key)):
        if not isinstance(row, dict):
            raise _Unfit(_UNKNOWN, path=f"{key}[{number}]")
        yield f"{key}[{number}]", row


def _texts(document: Mapping[str, Any], key: str) -> Iterator[_Item]:
    for number, text in enumerate(_array(document, key)):
        yield _Item(text=str(text), path=f"{key}[{number}]")


def _array(document: Mapping[str, Any], key: str) -> list[Any]:
    found = document.get(key, [])
    if not isinstance(found, list):
        raise _Unfit(_UNKNOWN, path=key)
    return found


def _date(document: Mapping[str, Any]) -> datetime | None:
    made, created = document.get("creationTime"), document.get("createDate")
    if isinstance(made, str):
        return _moment(made)
    if not isinstance(created, str):
        return None
    try:
        return datetime.strptime(created, _AMAZONS_DATE).replace(tzinfo=UTC)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """Read a moment; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _briefly(text: str) -> str:
    return repr(text if len(text) <= _BRIEFLY else f"{text[:_BRIEFLY]}...")


_KEYS = ("ipv4Prefix", "ipv6Prefix", "ip_prefix", "ipv6_prefix")
_UNKNOWN = (
    "JSON of a kind that is not known: known are the lists of Google, Bing, Amazon and Fastly; "
    "write the prefixes into a plain list instead, one a line"
)
