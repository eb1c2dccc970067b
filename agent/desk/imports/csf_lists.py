"""The lists of CSF, as entries of the allowlist. Pure.

Source: readme.txt of CSF 14 and 15, "Advanced Allow/Deny Filters", and linefilter in csf.pl.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.desk.imports.draft import Entry
from agent.desk.imports.listed import Listing, Word, demand
from agent.desk.imports.notes import Notes
from agent.desk.imports.numbers import ports
from agent.desk.imports.source import Source
from agent.model.policy import Kind

ALLOW, IGNORE, RIGNORE, DYNDNS, DENY, SIPS = "allow", "ignore", "rignore", "dyndns", "deny", "sips"
LISTS = (ALLOW, IGNORE, RIGNORE, DYNDNS, DENY, SIPS)
"""The ends of their files' names."""

INCLUDE = re.compile(r"include\s+(\S.*)", re.IGNORECASE)

_FILTER = re.compile(r"(tcp|udp|icmp|in|out|[sdug]=).*[|:=]", re.IGNORECASE)
_FIELD = re.compile(r"([sd])=(.+)", re.IGNORECASE)
_TO_PORTS = ("Allowed to single ports there; here spared at each service that has one of them.",)
_KINDS = {RIGNORE: Kind.CRAWLER}
_COMMENT = {
    RIGNORE: ("Confirmed forwards, as there. A crawler fares well with grants: 5x instead.",),
    DYNDNS: ("Looked up again and again, off the cycle.",),
}
_BANNED = "kept out for ever there: every ban ends here, so leave it to the firewall"
_OWN = "traffic of an own address: leave it to the firewall"
_NOT_JUDGED = "nobody is judged by that here: only TCP connections to this machine count"
_UNWATCHED = "no rule watches these ports, so nobody is banned there"
_NO_FILTER = "no filter as tcp|in|d=22|s=192.0.2.7"


@dataclass(slots=True, kw_only=True)
class Lists:
    """Takes the files of lists, and gives their entries.

    Attributes:
        services: Of the policy: what their ports are.
        notes: Takes what has no counterpart.
        has_own: Whether the policy exempts private networks anyway.
    """

    services: Mapping[str, Iterable[range]]
    notes: Notes
    has_own: bool
    _listings: dict[tuple[str, tuple[str, ...]], Listing] = field(default_factory=dict)

    def take(self, kind: str, source: Source) -> None:
        """Take one file; what it includes is taken by whoever reads files."""
        for word in _lines(source):
            if kind == DENY:
                self._of(kind).refuse(word, _BANNED)
            elif kind == SIPS:
                self._of(kind).refuse(word, _OWN)
            elif kind != RIGNORE and _FILTER.match(word.text):
                self._take_filter(kind, word)
            else:
                _TAKES[kind](self._of(kind), word)

    def entries(self) -> Iterator[Entry]:
        """Give all of them."""
        for (kind, services), listing in self._listings.items():
            name = "-".join(("csf", kind, *(("to", *services) if services else ())))
            comment = _TO_PORTS if services else _COMMENT.get(kind, ())
            for entry in listing.entries(name, comment, _KINDS.get(kind, Kind.PARTNER)):
                yield replace(entry, services=services)

    def demand(self, path: Path) -> None:
        """See to it that files which stand alone, `path` the first of them, are lists.

        Raises:
            UnreadableError: Nothing in them is what it should be.
        """
        demand(self._listings.values(), path)

    def _of(self, kind: str, services: tuple[str, ...] = ()) -> Listing:
        key = (kind, services)
        if key not in self._listings:
            beside = self._listings.get((ALLOW, ())) if kind != ALLOW else None
            made = Listing(notes=self.notes, beside=beside, has_own=self.has_own)
            self._listings[key] = made
        return self._listings[key]

    def _take_filter(self, kind: str, word: Word) -> None:
        """Take a line such as ``tcp|in|d=22|s=192.0.2.7``."""
        parts = [part.strip() for part in re.split(r"\|" if "|" in word.text else ":", word.text)]
        plain = {part.lower() for part in parts if "=" not in part}
        told = [_FIELD.fullmatch(part) for part in parts if "=" in part]
        if plain - {"tcp", "in"} or None in told:
            is_known = plain <= {"tcp", "udp", "icmp", "in", "out"}
            self._of(kind).refuse(word, _NOT_JUDGED if is_known else _NO_FILTER)
            return
        wanted = {match[1].lower(): match[2] for match in told if match}
        numbers = [ports(one) for one in wanted.get("d", "").split(",") if one]
        if "s" not in wanted or None in numbers:
            self._of(kind).refuse(word, _NOT_JUDGED)
            return
        services = self._touched([one for one in numbers if one])
        who = replace(word, text=wanted["s"], remark=_remark(word, wanted.get("d", "")))
        if numbers and not services:
            self._of(kind).refuse(word, _UNWATCHED)
        elif kind == DYNDNS:
            self._of(kind, services).take_host(who)
        else:
            self._of(kind, services).take_network(who)

    def _touched(self, numbers: Iterable[range]) -> tuple[str, ...]:
        """Name the services that have one of these ports."""
        return tuple(
            name
            for name, watched in self.services.items()
            if any(_overlap(one, other) for one in numbers for other in watched)
        )


def _lines(source: Source) -> Iterator[Word]:
    """Give the first word of each line that is no comment, without the files it includes."""
    for spot, line in source.lines():
        said, _, remark = line.strip().partition("#")
        if said.strip() and not INCLUDE.fullmatch(said.strip()):
            text = said.split()[0]
            yield Word(text=text, spot=spot, remark=remark.strip(), is_quoted=source.is_quoted)


def _remark(word: Word, numbers: str) -> str:
    return "; ".join(filter(None, (word.remark, f"to {numbers} there" if numbers else "")))


def _overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


_TAKES: Mapping[str, Callable[[Listing, Word], None]] = {
    ALLOW: Listing.take_network,
    IGNORE: Listing.take_network,
    RIGNORE: Listing.take_domain,
    DYNDNS: Listing.take_host,
}
