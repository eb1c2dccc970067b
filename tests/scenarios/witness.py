"""What the sockets of a scene show, without any help of the agent: who was above, and since when.

From the same sockets comes what two other programs' rules would have done:

* ddos-deflate bans an address with 150 connections or more (`NO_OF_CONNECTIONS`);
* CSF bans an address with more than 300 (`CT_LIMIT`, as its readme suggests).

Both count every state but LISTEN and CLOSE, on every port, also connections that the server
itself has made. Both leave out the server's own addresses and those on a list of theirs, for which
stands what the policy exempts by its address.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TypeAlias

from agent.model.address import Address, Prefix
from agent.model.policy import Policy, Rule
from agent.model.sample import State
from agent.policy import load_policy
from tests.scenarios.addresses import Nets, address_of
from tests.scenarios.group import Group, Role
from tests.scenarios.scene import Scene

DDOS_DEFLATE, CSF = "ddos-deflate", "CSF"
BANS_FROM: Mapping[str, int] = {DDOS_DEFLATE: 150, CSF: 301}
"""Connections of one address that get it banned, by the rule's program."""

_NEW_SYN_RECV = 12
_NOT_COUNTED = frozenset({int(State.LISTEN), int(State.CLOSE)})

Rows: TypeAlias = Mapping[tuple[int, int, int, bytes], int]
"""Sockets by (family, state, local port, packed remote address)."""


@dataclass(slots=True)
class Watch:
    """A rule at work on a group that it has to catch.

    Attributes:
        rule: The rule.
        group: The group.
        wanted: The prefixes that have not been above the limit yet.
        seen: When each of the others first was.
    """

    rule: Rule
    group: Group
    wanted: set[Prefix]
    seen: dict[Prefix, float] = field(default_factory=dict)
    _known: dict[tuple[int, bytes], Prefix] = field(default_factory=dict)

    def look(self, rows: Rows, at: float) -> None:
        """Take in all sockets of one moment."""
        over = self._above(rows) & self.wanted
        self.wanted -= over
        self.seen |= dict.fromkeys(over, at)

    def _above(self, rows: Rows) -> set[Prefix]:
        rule, total = self.rule, Counter[Prefix]()
        members: dict[Prefix, set[bytes]] = defaultdict(set)
        for (family, state, port, packed), count in rows.items():
            known = int(State.SYN_RECV) if state == _NEW_SYN_RECV else state
            if known in rule.states and port in rule.service.ports:
                prefix = self._judged(family, packed)
                total[prefix] += count
                members[prefix].add(packed)
        return {
            prefix
            for prefix, count in total.items()
            if count > rule.limit * self.group.patience and len(members[prefix]) >= rule.members
        }

    def _judged(self, family: int, packed: bytes) -> Prefix:
        prefix = self._known.get((family, packed))
        if prefix is None:
            prefix = judged(address_of(family, packed), self.rule)
            self._known[family, packed] = prefix
        return prefix


class Witness:
    """Looks at the sockets again and again.

    Attributes:
        scene: Who is who.
        cycle: The one that comes next or is running.
        peaks: The most connections that each address had at once, as others count them.
    """

    def __init__(self, scene: Scene, policy: Policy) -> None:
        self.scene = scene
        self.cycle = 1
        self.peaks = Counter[Address]()
        self._watches: dict[str, Watch] = {}
        for name, group in scene.of_role(Role.GUILTY):
            by = load_policy([str(scene.folder / group.under)]) if group.under else policy
            rule = rule_of(group, by)
            wanted = {judged(address, rule) for address in group.addresses}
            self._watches[name] = Watch(rule, group, wanted)

    def look(self, rows: Rows, at: float) -> None:
        """Take in all sockets of one moment."""
        self._note_peaks(rows)
        for watch in self._watches.values():
            if watch.wanted and watch.group.cycles[0] <= self.cycle:
                watch.look(rows, at)

    def since(self, name: str) -> tuple[Rule, dict[Address, float]]:
        """Give by which rule a group is caught, and since when each of it was above the limit."""
        watch = self._watches[name]
        found = {
            address: watch.seen[prefix]
            for address in self.scene.groups[name].addresses
            if (prefix := judged(address, watch.rule)) in watch.seen
        }
        return watch.rule, found

    def _note_peaks(self, rows: Rows) -> None:
        total = Counter[tuple[int, bytes]]()
        for (family, state, _, packed), count in rows.items():
            if state not in _NOT_COUNTED:
                total[family, packed] += count
        least = min(BANS_FROM.values())
        for (family, packed), count in total.items():
            if count >= least:
                address = address_of(family, packed)
                self.peaks[address] = max(self.peaks[address], count)

    def verdicts_of(self, program: str, exempt: Sequence[Prefix]) -> tuple[int, int]:
        """Give how many innocent sources a program's rule would have banned, and guilty missed.

        Whose address was forged is innocent. One address that is both, at two ports, is
        not counted as innocent: those rules know no ports.
        """
        spared = Nets(exempt)
        banned = {
            address
            for address, peak in self.peaks.items()
            if peak >= BANS_FROM[program] and address not in spared
        }
        guilty = _addresses(self.scene, Role.GUILTY)
        innocent = _addresses(self.scene, Role.INNOCENT, Role.FORGED) - guilty
        return len(innocent & banned), len(guilty - banned)


def rule_of(group: Group, policy: Policy) -> Rule:
    """Give the rule that is to catch a group.

    Raises:
        ValueError: The policy has several, and the group names none of them.
    """
    for rule in policy.rules:
        if rule.name == group.rule or (not group.rule and len(policy.rules) == 1):
            return rule
    raise ValueError(f"the policy has no rule {group.rule!r} for {' '.join(group.of)}")


def judged(address: Address, rule: Rule) -> Prefix:
    """Give the prefix as whose part a rule judges an address."""
    if address.version == 6 and address.packed.startswith(b"\x00\x64\xff\x9b"):
        return ip_network((address, 96 + rule.per.ipv4), strict=False)
    length = rule.per.ipv4 if address.version == 4 else rule.per.ipv6
    return ip_network((address, length), strict=False)


def _addresses(scene: Scene, *roles: Role) -> set[Address]:
    found: Iterable[Group] = (group for _, group in scene.of_role(*roles))
    return {address for group in found for address in group.addresses}
