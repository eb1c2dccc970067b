"""Making room: many bans of neighbours become one of their network.

Only when the bans come near what the policy allows, only where the guilty fill a network,
and only where nobody else is: neither now nor among the known clients. So whoever wants the
sets full has to spread, and whoever spreads pays for each address.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple, TypeAlias

from agent.decide.bans.wish import Wish, in_order, target_of
from agent.model.address import Prefix, Source
from agent.model.ban import Held, Target
from agent.model.policy import Answer, Rule, Scope

NEARLY_FULL = Fraction(4, 5)
"""Of the policy's max_bans."""

FILLED = {4: ((24, 128), (26, 32), (28, 8)), 6: ((48, 64), (56, 16))}
"""By IP version, widest first: a prefix length, and how many guilty lines fill such a network.

Half of the addresses of IPv4. Of IPv6 one customer has all of a /56 or /48, and nobody
uses more than a few of its lines at once.
"""

_LINE_BITS = {4: 32, 6: 64}
_IPV6_HOST_BITS = 64

Line: TypeAlias = tuple[int, int]
"""A line as IP version and number: an IPv4 address, or the first 64 bits of an IPv6 one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What joining has to look at.

    Attributes:
        held: What the firewall holds.
        others: Keys, of width `HOST`, of those who are here or known, and asked to be banned
            by nobody.
        may_reach: Whether a ban of a source within a target reaches nobody who is spared.
        rules: The policy's, by name.
    """

    held: Iterable[Held]
    others: Collection[bytes]
    may_reach: Callable[[Source, Target], bool]
    rules: Mapping[str, Rule]


class _Ban(NamedTuple):
    """A ban of a line, asked for or held: there may be a hundred thousand."""

    line: Line
    lasts: timedelta
    rule: Rule
    wish: Wish | None


def join(wishes: Iterable[Wish], neighbours: Neighbours) -> list[Wish]:
    """Give the wishes with those of filled networks joined; the joined ones come first.

    What is held already in such a network is joined with them, or alone.
    """
    others = frozenset(map(_line_of_key, neighbours.others))
    rest: list[Wish] = []
    by_target: defaultdict[Target, list[_Ban]] = defaultdict(list)
    for wish in wishes:
        if _is_joinable(wish.source, wish.target):
            by_target[wish.target].append(_asked(wish))
        else:
            rest.append(wish)
    makes = {name: (rule, _targets(rule)) for name, rule in neighbours.rules.items()}
    for held in neighbours.held:
        if (one := _held(held, makes)) is not None:
            by_target[held.target].append(one)
    joined: list[Wish] = []
    for target, bans in by_target.items():
        for version in FILLED:
            lines = [one for one in bans if one.line[0] == version]
            done, left = _of_target(target, lines, others, neighbours)
            joined += done
            rest += [one.wish for one in left if one.wish is not None]
    return [*in_order(joined), *in_order(rest)]


def _of_target(
    target: Target, bans: list[_Ban], others: frozenset[Line], neighbours: Neighbours
) -> tuple[list[Wish], list[_Ban]]:
    """Join what fills a network, the widest first; give the joined, and what is left alone."""
    joined: list[Wish] = []
    version = bans[0].line[0] if bans else 4
    # Whoever is banned already is not spared by a connection to what that leaves open.
    innocent = others.difference(one.line for one in bans)
    for length, fewest in FILLED[version]:
        shift = _LINE_BITS[version] - length
        networks: defaultdict[int, list[_Ban]] = defaultdict(list)
        for one in bans:
            networks[one.line[1] >> shift].append(one)
        taken = {number >> shift for at, number in innocent if at == version}
        bans = []
        for number, inside in networks.items():
            # What is not filled, as nearly all are, costs no more than this.
            is_filled = len(inside) >= fewest and number not in taken
            source = _filled((version, number), length, fewest, inside) if is_filled else None
            if source is not None and neighbours.may_reach(source, target):
                joined.append(_join(source, target, inside))
            else:
                bans += inside
    return joined, bans


def _filled(network: Line, length: int, fewest: int, inside: list[_Ban]) -> Source | None:
    """Give the network as a source, if so many different lines of it are banned."""
    is_filled = len({one.line for one in inside}) >= fewest
    return Source(_prefix(network, length)) if is_filled else None


def _join(source: Source, target: Target, inside: list[_Ban]) -> Wish:
    """Give the one ban in place of many: as long as the longest of them still has to last."""
    asked = [one.wish for one in inside if one.wish is not None]
    lead = in_order(asked)[0] if asked else None
    return Wish(
        verdicts=tuple(sorted({index for wish in asked for index in wish.verdicts})),
        source=source,
        target=target,
        lasts=max(one.lasts for one in inside),
        rule=lead.rule if lead else inside[0].rule,
        count=lead.count if lead else None,
        limit=lead.limit if lead else None,
        joined=len(inside),
    )


def _is_joinable(source: Source, target: Target) -> bool:
    """Whether a ban is a drop of one whole line.

    An IPv6 address that is judged alone has strangers beside it: behind NAT64, in Teredo.
    """
    length = source.prefix.prefixlen
    is_line = length == _LINE_BITS[source.prefix.version] and not source.zone
    return is_line and target[2] is Answer.DROP


def _asked(wish: Wish) -> _Ban:
    return _Ban(line=_line(wish.source.prefix), lasts=wish.lasts, rule=wish.rule, wish=wish)


def _held(held: Held, makes: Mapping[str, tuple[Rule, frozenset[Target]]]) -> _Ban | None:
    """Give a held ban that may be joined: of a line, with an end, by a rule that is still there.

    A rule that was changed may have its name and ask for something else.
    """
    rule, targets = makes.get(held.mark.rule, (None, ())) if held.mark else (None, ())
    if rule is None or held.left is None or held.target not in targets:
        return None
    if not _is_joinable(held.source, held.target):
        return None
    return _Ban(line=_line(held.source.prefix), lasts=held.left, rule=rule, wish=None)


def _targets(rule: Rule) -> frozenset[Target]:
    return frozenset({target_of(rule, rule.scope), target_of(rule, Scope.SERVICE)})


def _line(prefix: Prefix) -> Line:
    number = int(prefix.network_address)
    return (4, number) if prefix.version == 4 else (6, number >> _IPV6_HOST_BITS)  # noqa: PLR2004


def _line_of_key(key: bytes) -> Line:
    is_ipv4 = len(key) == 4  # noqa: PLR2004 - a key's length tells the family
    return (4 if is_ipv4 else 6, int.from_bytes(key[:8]))


def _prefix(network: Line, length: int) -> Prefix:
    version, number = network
    if version == 4:  # noqa: PLR2004
        return IPv4Network((number << (32 - length), length))
    return IPv6Network((number << (128 - length), length))
