"""Scripts for ``nft -f``, which the kernel carries out whole or not at all. Pure text.

Deleting an element that is not there, because it expired a moment ago, would undo the
whole script, and adding one that is there changes neither its comment nor, on older
kernels, its time. So a lift is an add and a delete, and what may be there already is
added, deleted and added.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from math import ceil
from socket import AF_INET, AF_INET6, inet_ntop

from agent.act.comment import times_of
from agent.act.nftables.layout import TABLE, Wanted
from agent.act.nftables.names import ALLOW, Kind
from agent.act.nftables.structure import Structure, stale_sets
from agent.model.address import Prefix
from agent.model.ban import Ban

_AT = f"inet {TABLE}"
_ELEMENTS = 1000
"""In one statement. One by one takes twice as long; more than this is no faster."""


@dataclass(slots=True)
class SetChange:
    """What is to be changed in one set. Elements are as nft writes them.

    Attributes:
        name: The set's.
        kind: Of its elements.
        out: What is to be taken out, or may be there and stand in the way of `into`.
        into: By element, the element with its time and comment.
    """

    name: str
    kind: Kind
    out: dict[str, None] = field(default_factory=dict)
    into: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to change."""
        return bool(self.out or self.into)


def element_of(prefix: Prefix, kind: Kind) -> str:
    """Write a prefix as an element of a set of its kind."""
    if not kind.length:
        return str(prefix)
    # A tenth of the time that str() of an address takes, and `packed` takes longer than int().
    if kind.version == 4:  # noqa: PLR2004
        return inet_ntop(AF_INET, int(prefix.network_address).to_bytes(4, "big"))
    return inet_ntop(AF_INET6, int(prefix.network_address).to_bytes(16, "big"))


@dataclass(slots=True)
class Saying:
    """Writes what stands beside bans, and works out only once what one cycle's have in common.

    Attributes:
        now: The moment.
    """

    now: datetime
    _begins: datetime | None = None
    _lasts: timedelta | None = None
    _timeout: str = ""
    _times: str = ""

    def of(self, ban: Ban) -> str:
        """Give the time that is left, rounded up, and the comment; empty when none is left."""
        if ban.begins is not self._begins or ban.lasts is not self._lasts:
            self._begins, self._lasts = ban.begins, ban.lasts
            left_s = ceil(ban.rest(self.now).total_seconds())
            self._timeout = f"timeout {left_s}s" if left_s else ""
            self._times = times_of(ban)
        if not self._timeout:
            return ""
        return f'{self._timeout} comment "{ban.ban_id} {ban.rule} {self._times}"'


def table_script(there: Structure, want: Wanted) -> Iterator[str]:
    """Make the table as it is wanted; sets that stay keep their elements."""
    yield f"add table {_AT}\n"
    for chain in there.chains:
        yield f"flush chain {_AT} {chain}\n"
    for chain in there.chains:
        yield f"delete chain {_AT} {chain}\n"
    stale = stale_sets(there, want)
    for name in stale:
        yield f"delete set {_AT} {name}\n"
    for name, declaration in want.sets.items():
        if name in stale or name not in there.sets:
            yield f"add set {_AT} {name} {{ {declaration} }}\n"
    yield from _chains(want)


def allow_script(prefixes: Iterable[Prefix]) -> Iterator[str]:
    """Put these prefixes, no two of which overlap, in the place of what the allow sets hold."""
    for name in ALLOW.values():
        yield f"flush set {_AT} {name}\n"
    wanted = [(ALLOW[one.version], str(one)) for one in prefixes]
    for name in ALLOW.values():
        yield from _statements("add", name, (text for where, text in wanted if where == name))


def entries_script(changes: Sequence[SetChange]) -> Iterator[str]:
    """Take out what is lifted, then put in what is banned."""
    for one in changes:
        yield from _statements("add", one.name, one.out)
        yield from _statements("delete", one.name, one.out)
    for one in changes:
        yield from _statements("add", one.name, one.into.values())


def _statements(verb: str, set_name: str, elements: Iterable[str]) -> Iterator[str]:
    rest = iter(elements)
    while some := list(islice(rest, _ELEMENTS)):
        yield f"{verb} element {_AT} {set_name} {{ {', '.join(some)} }}\n"


def _chains(want: Wanted) -> Iterator[str]:
    for name, chain in want.chains.items():
        hook = chain.hook
        base = (
            f" {{ type filter hook {hook.name} priority {hook.priority}; policy accept; }}"
            if hook
            else ""
        )
        yield f"add chain {_AT} {name}{base}\n"
    for name, comments in want.comments().items():
        for rule, comment in zip(want.chains[name].rules, comments, strict=True):
            yield f'add rule {_AT} {name} {rule} comment "{comment}"\n'
