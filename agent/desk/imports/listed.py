"""The lines of a list -> networks, hosts and domains, or why not. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv6Network, ip_address, ip_network, summarize_address_range
from pathlib import Path
from typing import TypeVar

from agent.desk.imports.draft import Entry, Item
from agent.desk.imports.notes import Notes
from agent.desk.imports.source import Source
from agent.desk.imports.spot import Spot
from agent.errors import UnreadableError
from agent.model.address import Prefix
from agent.model.policy import Kind
from agent.observe.surroundings import STANDING
from agent.policy import names
from agent.policy.scalars import Misfit
from agent.policy.words import shown

T = TypeVar("T")

MOST_LISTED = 200_000
"""Different networks of a list; those that somebody trusts are fewer."""

MOST_NAMES = 500
"""Hosts or domains of an entry: each is asked for again and again."""

PRIVATE = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)
"""RFC 1918, RFC 6598, RFC 4193: who speaks from there is a machine of one's own."""

GUARDED = "guarded anyway, whatever a policy says"
LISTED = "exempt already, by another list"
NO_NETWORK = "no address and no network: nobody is spared for it"
NO_HOST = "no host name: nobody is spared for it"

_SEPARATORS = re.compile(r"[\s,]+")
_GUARDED = tuple(guard.prefix for guard in STANDING)
_LIKE_NETWORKS = re.compile(r"[0-9A-Fa-f:.]{2,45}(/[0-9.]{1,15}|-[0-9A-Fa-f:.]{2,45})?")
_LOCAL = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a list.

    Attributes:
        text: The word.
        spot: Where it stands.
        remark: What the comment behind it says; may be empty.
        is_quoted: Whether comments may show it: see `Source`.
    """

    text: str
    spot: Spot
    remark: str = ""
    is_quoted: bool = True


@dataclass(slots=True, kw_only=True)
class Listing:
    """Words sorted by what they are, each once.

    Attributes:
        own: Private networks.
        others: All other networks.
        hosts: Host names.
        domains: Of reverse names.
        notes: Takes what is none of these, or needs no entry.
        beside: Whoever is in this one needs no entry here.
        has_own: Whether the policy exempts private networks anyway.
        read: How many words were what they should be.
        refused: How many were not.
    """

    notes: Notes
    beside: "Listing | None" = None
    has_own: bool = False
    read: int = 0
    refused: int = 0

    own: dict[Prefix, Item[Prefix]] = field(default_factory=dict)
    others: dict[Prefix, Item[Prefix]] = field(default_factory=dict)
    hosts: dict[str, Item[str]] = field(default_factory=dict)
    domains: dict[str, Item[str]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def entries(self, name: str, comment: tuple[str, ...], kind: Kind) -> Iterator[Entry]:
        """Give up to two entries: the private networks, and whoever else is listed.

        Args:
            name: Of the second; the first has a suffix.
            comment: Above the second.
            kind: Of the second.
        """
        if self.own:
            yield Entry(
                name=f"{name}-private",
                kind=Kind.INFRASTRUCTURE,
                comment=("Private networks: proxies, containers and machines of one's own.",),
                prefixes=tuple(self.own.values()),
            )
        if self.others or self.hosts or self.domains:
            yield Entry(
                name=name,
                kind=kind,
                comment=comment,
                prefixes=tuple(self.others.values()),
                hosts=tuple(self.hosts.values()),
                domains=tuple(self.domains.values()),
            )

    def take_network(self, word: Word) -> None:
        """Take what has to be an address, a network or a range of addresses."""
        if word.text in self._seen:
            return
        try:
            found = networks(word.text)
        except Misfit as misfit:
            self._misread(word, str(misfit) or NO_NETWORK)
            return
        self.read += 1
        self._seen.add(word.text)
        for network in found:
            is_same = str(network) in {word.text, f"{word.text}/32", f"{word.text}/128"}
            was = "" if is_same or not word.is_quoted else f"there as {shown(word.text)}"
            self._add(network, _item(network, word, was))

    def take_any(self, word: Word) -> None:
        """Take a network or, where it is none, the name of a host."""
        try:
            networks(word.text)
        except Misfit:
            self.take_host(word)
        else:
            self.take_network(word)

    def take_host(self, word: Word) -> None:
        """Take the name of a host."""
        try:
            host = names.host(word.text)
        except Misfit as misfit:
            self._misread(word, str(misfit) or NO_HOST)
            return
        if host.rpartition(".")[2].isdecimal():
            self._misread(word, NO_HOST)
            return
        self.read += 1
        if host in _LOCAL:
            self.refuse(word, GUARDED)
        elif self.beside and host in self.beside.hosts:
            self.refuse(word, LISTED)
        else:
            self._name(self.hosts, host, word, "")

    def take_domain(self, word: Word) -> None:
        """Take the domain of a reverse name; behind a dot it stands for names below it alone."""
        try:
            domain = names.domain(word.text.removeprefix("."))
        except Misfit as misfit:
            self._misread(word, str(misfit) or "no domain: nobody is spared for it")
            return
        self.read += 1
        below = "" if word.text.startswith(".") else "names below it too, unlike there"
        self._name(self.domains, domain, word, below)

    def _misread(self, word: Word, why: str) -> None:
        self.refused += 1
        self.refuse(word, why)

    def refuse(self, word: Word, why: str) -> None:
        """Tell that a word has no counterpart."""
        self.notes.add(word.spot, shown(word.text) if word.is_quoted else "a line", why)

    def _add(self, network: Prefix, item: Item[Prefix]) -> None:
        is_own = _lies_in(network, PRIVATE)
        kept = self.own if is_own else self.others
        if why := self._needless(network, is_own=is_own):
            self.notes.add(item.spot, str(network), why)
            return
        kept.setdefault(network, item)
        if len(self.own) + len(self.others) > MOST_LISTED:
            raise UnreadableError(
                f"{item.spot}: more than {MOST_LISTED:,} networks are listed: import a shorter "
                "list, or leave so many to the firewall"
            )

    def _needless(self, network: Prefix, *, is_own: bool) -> str:
        """Say why a network needs no entry here; empty when it does."""
        if _lies_in(network, _GUARDED):
            return GUARDED
        if is_own and self.has_own:
            return "exempt already: the default policy's private-networks"
        if self.beside and (network in self.beside.own or network in self.beside.others):
            return LISTED
        return ""

    def _name(self, kept: dict[str, Item[str]], name: str, word: Word, added: str) -> None:
        if name in kept or len(kept) < MOST_NAMES:
            kept.setdefault(name, _item(name, word, added))
        else:
            self.refuse(word, f"more than {MOST_NAMES} names: list the networks instead")


def _item(what: T, word: Word, added: str) -> Item[T]:
    remark = word.remark if word.is_quoted else ""
    return Item(what=what, spot=word.spot, remark="; ".join(filter(None, (remark, added))))


def networks(text: str) -> tuple[Prefix, ...]:
    """Read an address, a network, with bits behind its length too, or a range of addresses.

    IPv4 inside a mapped IPv6 address becomes IPv4.

    Raises:
        Misfit: It is none of these.
    """
    first, dash, last = text.partition("-")
    if "%" in text:
        raise Misfit("leave out the interface after %")
    if not _LIKE_NETWORKS.fullmatch(text):
        raise Misfit
    try:
        if dash:
            between = summarize_address_range(ip_address(first), ip_address(last))
            return tuple(map(_unmapped, between))
        return (_unmapped(ip_network(text, strict=False)),)
    except (ValueError, TypeError) as error:
        raise Misfit from error


def _unmapped(network: Prefix) -> Prefix:
    is_mapped = isinstance(network, IPv6Network) and network.network_address.ipv4_mapped
    return names.prefix(str(network)) if is_mapped else network


def _lies_in(network: Prefix, wide: Iterable[Prefix]) -> bool:
    """Whether a network lies in one of a few; quick, since lists are long."""
    bits, version, number = network.prefixlen, network.version, int(network.network_address)
    return any(
        one.prefixlen <= bits
        and one.version == version
        and number & int(one.netmask) == int(one.network_address)
        for one in wide
    )


def words(source: Source) -> Iterator[Word]:
    """Give the words of a list's lines; what stands behind a # is the remark of them."""
    for spot, line in source.lines():
        said, _, remark = line.partition("#")
        for text in filter(None, _SEPARATORS.split(said)):
            yield Word(text=text, spot=spot, remark=remark.strip(), is_quoted=source.is_quoted)


def demand(listings: Iterable[Listing], path: Path) -> None:
    """See to it that lists which stand alone are lists.

    Args:
        listings: What was read of them.
        path: Of the first of them.

    Raises:
        UnreadableError: Nothing in them is what it should be.
    """
    each = list(listings)
    if any(one.refused for one in each) and not any(one.read for one in each):
        raise UnreadableError(f"{path}: nobody is listed in it: no address and no name")
