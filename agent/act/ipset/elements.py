"""Bans as lines for ``ipset restore``, and the lines of ``ipset save`` as bans. Pure.

Both go over a hundred thousand elements: what is the same in many of them is worked out once.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from math import ceil, inf
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from agent.act.comment import mark_of, times_of
from agent.act.ipset.names import allow_name, set_name
from agent.model.address import Prefix, Source
from agent.model.ban import Ban, Held, Installed, Target
from agent.model.layout import BanSet, Layout
from agent.model.plan import Lift

MOST_S = 2_147_483
"""The longest timeout that ipset takes: 24 days."""

_EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_HALVES: dict[Prefix, frozenset[Prefix]] = {
    whole: frozenset(whole.subnets()) for whole in _EVERYTHING
}
_ADD = re.compile(
    r'^add (aa[46]-\S+) (\S+)(?: timeout (\d+))?[^"\n]*?(?: comment "([^"\n]*)")?[^"\n]*$',
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class SetTable:
    """The sets of a layout by their names, and the names by what is to be found.

    Attributes:
        layout: Whose.
        versions: Of IP that have rules.
    """

    layout: Layout
    versions: tuple[int, ...]
    by_name: dict[str, BanSet] = field(init=False)
    _by_target: dict[tuple[Target, int], tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        """Work out the names."""
        by_name = {}
        by_target: dict[tuple[Target, int], tuple[str, ...]] = {}
        for version in self.versions:
            for one in self.layout.sets:
                name = set_name(one, version)
                by_name[name] = one
                key = (one.target, version)
                by_target[key] = (*by_target.get(key, ()), name)
        object.__setattr__(self, "by_name", by_name)
        object.__setattr__(self, "_by_target", by_target)

    def names_for(self, target: Target, version: int) -> tuple[str, ...]:
        """Give every set that may hold a source for this target; empty when it is gone."""
        return self._by_target.get((target, version), ())

    def name_for(self, ban: Ban) -> str | None:
        """Give the set that a ban belongs to; None when there is none."""
        version = ban.source.prefix.version
        found = self.layout.set_for(ban) if version in self.versions else None
        return set_name(found, version) if found else None


@dataclass(slots=True)
class Tally:
    """What lines were written, by the name of the set.

    Attributes:
        added: How long each addition lasts, in seconds.
        lifted: How many removals.
        unplaced: Bans for which there is no set.
    """

    added: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lifted: Counter[str] = field(default_factory=Counter)
    unplaced: int = 0


@dataclass(slots=True)
class _Span:
    """How long bans last, worked out only once for those that one cycle made alike."""

    now: datetime
    _begins: datetime | None = None
    _lasts: timedelta | None = None
    _found: tuple[int, str] = (0, "")

    def of(self, ban: Ban) -> tuple[int, str]:
        """Give the timeout, 0 when the ban is over, and the end of the comment."""
        if ban.lasts != self._lasts or ban.begins != self._begins:
            self._begins, self._lasts = ban.begins, ban.lasts
            timeout_s = min(ceil(ban.rest(self.now).total_seconds()), MOST_S)
            self._found = timeout_s, times_of(ban)
        return self._found


def lift_lines(
    lifts: Iterable[Lift], table: SetTable, there: Container[str], tally: Tally
) -> Iterator[str]:
    """Write what ends these bans, as far as their sets are there."""
    for lift in lifts:
        prefix = lift.held.source.prefix
        for name in table.names_for(lift.held.target, prefix.version):
            if name in there:
                tally.lifted[name] += 1
                yield f"del {name} {prefix}\n"


def add_lines(bans: Iterable[Ban], table: SetTable, now: datetime, tally: Tally) -> Iterator[str]:
    """Write what begins or refreshes these bans; one without a set or a rest is left out.

    A throttle leaves the sets of the other rates first: a source has one.
    """
    places: dict[object, tuple[str | None, tuple[str, ...]]] = {}
    span = _Span(now)
    for ban in bans:
        timeout_s, times = span.of(ban)
        if not timeout_s:
            continue
        prefix = ban.source.prefix
        # The bans live as long as this runs, so that what they refer to is known by its
        # identity; to hash an Enum or a Service takes longer than all the rest.
        key = (
            id(ban.service),
            id(ban.scope),
            id(ban.answer),
            ban.rate,
            prefix.version,
            prefix.prefixlen,
        )
        found = places.get(key)
        if found is None:
            found = places[key] = _place(ban, table)
        name, others = found
        text = _written(prefix)
        for other in others:
            tally.lifted[other] += 1
            yield f"del {other} {text}\n"
        if name is None:
            tally.unplaced += 1
            continue
        tally.added[name].append(timeout_s)
        comment = f"{ban.ban_id} {ban.rule} {times}"
        yield f'add {name} {text} timeout {timeout_s} comment "{comment}"\n'


def allow_lines(
    wanted: Iterable[Prefix], held: frozenset[Prefix], versions: Sequence[int]
) -> Iterator[str]:
    """Write what makes the allow set hold exactly `wanted`: first what is new."""
    halves = frozenset(
        half for one in wanted for half in _HALVES.get(one, (one,)) if half.version in versions
    )
    for one in halves - held:
        yield f"add {allow_name(one.version)} {one}\n"
    for one in held - halves:
        yield f"del {allow_name(one.version)} {one}\n"


def allowed_in(saved: str, versions: Sequence[int]) -> frozenset[Prefix]:
    """Give the elements of the allow set as they stand in the kernel, nothing joined."""
    names = {allow_name(version) for version in versions}
    return frozenset(_network(match[2]) for match in _ADD.finditer(saved) if match[1] in names)


def parse_saved(saved: str, table: SetTable) -> tuple[Installed, dict[str, list[float]]]:
    """Read what ``ipset save`` wrote.

    Returns:
        What is ours and in the layout; and of each set of bans how long its elements still
        last, in seconds.
    """
    bans: list[Held] = []
    throttled: set[tuple[str, Target]] = set()
    allowed: set[Prefix] = set()
    lasting: dict[str, list[float]] = defaultdict(list)
    by_name, allow_names = table.by_name, {allow_name(version) for version in table.versions}
    delta = cache(lambda text: timedelta(seconds=int(text)) if int(text) else None)
    for name, text, timeout, comment in _ADD.findall(saved):
        ban_set = by_name.get(name)
        if ban_set is not None:
            lasting[name].append(float(timeout or 0) or inf)
            if ban_set.rate is not None:
                # Somebody may have put a source into the sets of two rates.
                if (text, ban_set.target) in throttled:
                    continue
                throttled.add((text, ban_set.target))
            bans.append(
                Held(
                    source=Source(_network(text)),
                    target=ban_set.target,
                    left=delta(timeout or "0"),
                    mark=mark_of(comment),
                    rate=ban_set.rate,
                )
            )
        elif name in allow_names:
            allowed.add(_network(text))
    installed = Installed(bans=tuple(bans), allowed=joined(frozenset(allowed)))
    return installed, lasting


def joined(prefixes: frozenset[Prefix]) -> frozenset[Prefix]:
    """Put the two halves of everything together: a hash can't hold a prefix of no bits."""
    for whole, halves in _HALVES.items():
        if halves <= prefixes:
            prefixes = prefixes - halves | {whole}
    return prefixes


def _place(ban: Ban, table: SetTable) -> tuple[str | None, tuple[str, ...]]:
    name = table.name_for(ban)
    fitting = table.names_for(ban.target, ban.source.prefix.version) if name else ()
    return name, tuple(one for one in fitting if one != name)


def _written(prefix: Prefix) -> str:
    """Write a prefix by its bytes, in a third of the time that its own text would take."""
    family = AF_INET if prefix.version == 4 else AF_INET6  # noqa: PLR2004
    return f"{inet_ntop(family, prefix.network_address.packed)}/{prefix.prefixlen}"


def _network(text: str) -> Prefix:
    """Read a prefix; of a host by its bytes, in half the time that its text would take."""
    if "/" in text:
        return IPv6Network(text) if ":" in text else IPv4Network(text)
    if ":" in text:
        return IPv6Network((inet_pton(AF_INET6, text), 128))
    return IPv4Network((inet_pton(AF_INET, text), 32))
