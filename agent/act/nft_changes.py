"""From a plan to the elements that are to be put in and taken out, set by set.

What is taken out of a hash set is added first, so that it may be absent. In an interval
set that add could be refused, because somebody's wider prefix is there: such sets are
small, and are read to see what is to be taken out at all.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from agent.act import nft_read
from agent.act.nft_names import Kind, kind_of, label_of, name_of, read_name
from agent.act.nft_script import Entry, Saying, element_of
from agent.kernel.nf_elements import Element
from agent.model.address import Prefix
from agent.model.ban import Ban, Target
from agent.model.layout import Layout
from agent.model.plan import Plan
from agent.model.policy import Answer

_MANY = 10_000
"""From so many adds to one set up, reading what it holds costs less than taking each out."""

_Entries = dict[tuple[str, str], Entry]


@dataclass(slots=True)
class Changes:
    """The changes of one plan.

    Attributes:
        plan: The plan.
        layout: What the table was made for.
        names: The sets that are there.
        now: The moment.
        homeless: Bans that no set is there for.

    Raises:
        ObserveError: A set can't be read.
    """

    plan: Plan
    layout: Layout
    names: frozenset[str]
    now: datetime
    homeless: list[Ban] = field(default_factory=list)
    _hosts: _Entries = field(default_factory=dict)
    _nets: _Entries = field(default_factory=dict)
    _ranges: dict[str, list[Element]] = field(default_factory=dict)
    _homes: dict[tuple[object, ...], tuple[str, Kind]] = field(default_factory=dict)
    _present: dict[str, frozenset[bytes]] = field(default_factory=dict)
    _by_target: dict[Target, list[tuple[str, Kind]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work them out: adds stand in the place of lifts of the same element."""
        for name in sorted(self.names):
            if found := read_name(name):
                (target, _), kind = found
                self._by_target.setdefault(target, []).append((name, kind))
        for lift in self.plan.lift:
            self._take_out(lift.held.source.prefix, lift.held.target)
        say = Saying(self.now).of
        due = [(self._home_of(ban), ban, said) for ban in self.plan.add if (said := say(ban))]
        self._read_big(home for (home, _), _, _ in due)
        for (home, kind), ban, said in due:
            self._put_in(home, kind, ban, said)

    @property
    def hosts(self) -> list[Entry]:
        """Those of hash sets, what is taken out first."""
        return _ordered(self._hosts)

    @property
    def nets(self) -> list[Entry]:
        """Those of interval sets, what is taken out first."""
        return _ordered(self._nets)

    def _home_of(self, ban: Ban) -> tuple[str, Kind]:
        """Give the set that a ban goes into; its name is empty when it is not there."""
        prefix = ban.source.prefix
        # The bans live as long as this does: the identity of what many have in common is a key.
        key = (
            id(ban.service),
            ban.scope,
            ban.answer,
            id(ban.rate),
            prefix.version,
            prefix.prefixlen,
        )
        found = self._homes.get(key)
        if found is None:
            ban_set, kind = self.layout.set_for(ban), kind_of(prefix)
            name = name_of(label_of(ban_set), kind) if ban_set else ""
            found = self._homes[key] = (name if name in self.names else "", kind)
        return found

    def _read_big(self, homes: Iterable[str]) -> None:
        """Read what is there already, where there is much to add to a set of hosts."""
        for name, count in Counter(homes).items():
            found = read_name(name)
            if count >= _MANY and found and found[1].length:
                self._present[name] = nft_read.keys(name)

    def _put_in(self, name: str, kind: Kind, ban: Ban, said: str) -> None:
        if not name:
            self.homeless.append(ban)
            return
        prefix = ban.source.prefix
        if ban.answer is Answer.THROTTLE:
            self._take_out(prefix, ban.target, but=name)
        element = element_of(prefix, kind)
        present = self._present.get(name)
        is_new = present is not None and (
            not present or prefix.network_address.packed not in present
        )
        entries = self._hosts if kind.length else self._nets
        entries[name, element] = Entry(name, element, said, is_new)

    def _take_out(self, prefix: Prefix, target: Target, but: str = "") -> None:
        """Take a prefix out of every set of a target, except the one that it goes into."""
        exact = kind_of(prefix)
        for name, kind in self._by_target.get(target, ()):
            if name == but or kind.version != prefix.version:
                continue
            if kind.length is None:
                for element in self._stretches(name, prefix):
                    self._nets.setdefault((name, element), Entry(name, element))
            elif prefix == nft_read.EVERYTHING[kind.version]:
                self._hosts.setdefault((name, "*"), Entry(name, "*"))
            elif kind is exact:
                element = element_of(prefix, kind)
                self._hosts.setdefault((name, element), Entry(name, element))

    def _stretches(self, name: str, prefix: Prefix) -> Iterator[str]:
        """Give the elements of an interval set that a prefix is, or is one part of."""
        if name not in self._ranges:
            self._ranges[name] = nft_read.ranges(name)
        everything = nft_read.EVERYTHING[prefix.version]
        low, high = prefix[0].packed, prefix[-1].packed
        for one in self._ranges[name]:
            is_within = not one.first or (one.first <= low and high <= one.last)
            if is_within and prefix in (nft_read.prefixes_of(one) or [everything]):
                yield nft_read.text_of(one)


def _ordered(entries: _Entries) -> list[Entry]:
    return sorted(entries.values(), key=lambda one: one.said is not None)
