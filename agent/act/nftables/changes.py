"""From a plan to the elements that are to be put in and taken out, set by set.

What is taken out of a hash set is added first, so that it may be absent. In an interval
set that add could be refused, because somebody's wider prefix is there: such sets are
small, and are read to see what is to be taken out at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from socket import AF_INET, AF_INET6, inet_ntop

from agent.act.nftables import read as nft_read
from agent.act.nftables.names import kind_of, label_of, name_of, read_name
from agent.act.nftables.script import Saying, SetChange, element_of
from agent.kernel.nf_elements import Element
from agent.model.address import Prefix
from agent.model.ban import Ban, Target
from agent.model.layout import Layout
from agent.model.plan import Plan
from agent.model.policy import Answer

_MANY = 10_000
"""From so many adds to one set up, reading what it holds costs less than taking each out."""

_FAMILIES = {4: AF_INET, 6: AF_INET6}


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
    _sets: dict[str, SetChange] = field(default_factory=dict)
    _by_target: dict[Target, list[SetChange]] = field(default_factory=dict)
    _ranges: dict[str, list[Element]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Work them out: what is both lifted and added is added."""
        for name in sorted(self.names):
            if found := read_name(name):
                (target, _), kind = found
                self._sets[name] = one = SetChange(name, kind)
                self._by_target.setdefault(target, []).append(one)
        for lift in self.plan.lift:
            self._take_out(lift.held.source.prefix, lift.held.target)
        self._put_in()
        for one in self._sets.values():
            self._clear(one)

    @property
    def hosts(self) -> list[SetChange]:
        """Those of hash sets."""
        return [one for one in self._sets.values() if one and one.kind.length]

    @property
    def nets(self) -> list[SetChange]:
        """Those of interval sets."""
        return [one for one in self._sets.values() if one and not one.kind.length]

    def _put_in(self) -> None:
        say, home_of = Saying(self.now).of, _Homes(self.layout, self._sets).of
        for ban in self.plan.add:
            said = say(ban)
            if not said:
                continue
            home, prefix = home_of(ban), ban.source.prefix
            if home is None:
                self.homeless.append(ban)
                continue
            if ban.answer is Answer.THROTTLE:
                self._take_out(prefix, ban.target, but=home)
            element = element_of(prefix, home.kind)
            home.into[element] = f"{element} {said}"

    def _clear(self, one: SetChange) -> None:
        """Have taken out what may be there of what is put in: of much, only what is there."""
        if one.kind.length and len(one.into) >= _MANY:
            family = _FAMILIES[one.kind.version]
            there = {inet_ntop(family, key) for key in nft_read.keys(one.name) if key}
            one.out.update(dict.fromkeys(each for each in one.into if each in there))
        else:
            one.out.update(dict.fromkeys(one.into))

    def _take_out(self, prefix: Prefix, target: Target, but: SetChange | None = None) -> None:
        """Take a prefix out of every set of a target, except the one that it goes into."""
        exact = kind_of(prefix)
        for one in self._by_target.get(target, ()):
            if one is but or one.kind.version != prefix.version:
                continue
            if one.kind.length is None:
                one.out.update(dict.fromkeys(self._stretches(one.name, prefix)))
            elif prefix == nft_read.EVERYTHING[prefix.version]:
                one.out["*"] = None
            elif one.kind is exact:
                one.out[element_of(prefix, exact)] = None

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


@dataclass(slots=True)
class _Homes:
    """Finds the sets that bans go into, once for all that are treated alike."""

    layout: Layout
    sets: dict[str, SetChange]
    _last: Ban | None = None
    _known: dict[tuple[int, int], SetChange | None] = field(default_factory=dict)
    _by_treatment: dict[tuple[int, ...], dict[tuple[int, int], SetChange | None]] = field(
        default_factory=dict
    )

    def of(self, ban: Ban) -> SetChange | None:
        """Give the set that a ban goes into; None when it is not there."""
        last = self._last
        if (
            last is None
            or ban.service is not last.service
            or ban.scope is not last.scope
            or ban.answer is not last.answer
            or ban.rate is not last.rate
        ):
            self._last = ban
            # The bans live as long as this does: the identity of what they share is a key.
            treatment = (id(ban.service), id(ban.scope), id(ban.answer), id(ban.rate))
            self._known = self._by_treatment.setdefault(treatment, {})
        prefix = ban.source.prefix
        key = (prefix.version, prefix.prefixlen)
        if key not in self._known:
            self._known[key] = self._find(ban)
        return self._known[key]

    def _find(self, ban: Ban) -> SetChange | None:
        ban_set = self.layout.set_for(ban)
        if ban_set is None:
            return None
        return self.sets.get(name_of(label_of(ban_set), kind_of(ban.source.prefix)))
