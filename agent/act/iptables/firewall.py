"""The firewall ``iptables``, on ipset: sets hold the bans, a few rules look into them.

Which of its two variants writes the rules is told by the command itself.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Final

from agent.act.calm import no_collection
from agent.act.command import find
from agent.act.interface import DIFFERS
from agent.act.ipset import sets as ipset_sets
from agent.act.ipset.elements import (
    SetTable,
    Tally,
    add_lines,
    allow_lines,
    allowed_in,
    lift_lines,
    parse_saved,
)
from agent.act.ipset.headers import read_headers
from agent.act.ipset.names import allow_name, seen_name
from agent.act.ipset.watch import Watch
from agent.act.iptables.chains import Chains
from agent.act.iptables.inspection import faults, traffic, uses
from agent.act.iptables.opening import other_than, variant_of
from agent.act.iptables.rules import TABLES, names_of
from agent.act.iptables.variant import Commands
from agent.act.privilege import demand
from agent.act.saved import faults_of
from agent.errors import FirewallError
from agent.model.address import Prefix
from agent.model.ban import Installed
from agent.model.inspection import Inspection
from agent.model.layout import Layout
from agent.model.plan import Plan

_IF_INET6 = Path("/proc/thread-self/net/if_inet6")
"""Is there where the kernel has IPv6."""

_UNPREPARED = SetTable(Layout(), ())


@dataclass(slots=True)
class Iptables:
    """Keeps the contract of `agent.act.interface`.

    Attributes:
        suffix: Of the commands: empty for those in use, ``-legacy`` or ``-nft``.
        root: Of the file system, where saved rule files are looked for.
        stopwatch: Seconds that only go on.

    Raises:
        FirewallError: A command is not there, or does not work.
        PrivilegeError: This process may not use it.
    """

    suffix: str = ""
    root: Path = Path("/")
    stopwatch: Callable[[], float] = time.monotonic
    name: Final[str] = field(init=False, default="iptables")
    mode: Final[str] = field(init=False, default="live")
    outcome: Final[str] = field(init=False, default="ban.applied")
    _chains: Chains = field(init=False)
    _table: SetTable = field(init=False, default=_UNPREPARED)
    _watch: Watch = field(init=False, default_factory=Watch)
    _uncovered: str | None = field(init=False, default=None)
    _held_on: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        """See what is there."""
        demand("CAP_NET_ADMIN", "CAP_NET_RAW")
        commands = Commands(self.suffix)
        for tool in ("ipset", commands.name(4), commands.name(4, "-save")):
            if find(tool) is None:
                raise FirewallError(f"there is no {tool} here: install iptables and ipset")
        versions = (4, *self._version6(commands))
        self._chains = Chains(variant_of(commands, versions), versions)

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of IP that it covers: without 6 where the machine has no IPv6."""
        return self._chains.versions

    def prepare(self, layout: Layout) -> tuple[str, ...]:
        """Make sets, chains and hooks be there, and sets be gone that nothing asks for."""
        names = self._take(layout)
        self._oust(names)
        sets = ipset_sets.create(names)
        chains = self._chains.make(layout)
        self._clear_away(ipset_sets.ours().keys() - set(names))
        self._watch.keep(names, sets)
        return tuple(sorted((*sets, *chains)))

    def missing(self, layout: Layout) -> tuple[str, ...]:
        """Give what `prepare` would have to make."""
        names = self._take(layout)
        lacking = set(names) - read_headers().keys()
        strange = (f"{name}{DIFFERS}" for name in ipset_sets.strangers(names))
        return tuple(sorted((*lacking, *strange, *self._chains.missing(layout))))

    def is_touched(self) -> bool:
        """Compare what the kernel says of tables and sets with what it said after our changes."""
        is_touched = self._watch.is_touched(read_headers(), self.stopwatch())
        return is_touched or self._chains.is_touched()

    def installed(self, now: datetime) -> Installed:  # noqa: ARG002 - the kernel tells what is left
        """Read all our sets."""
        elements, begun = self._elements(read_headers()), self.stopwatch()
        text = ipset_sets.save()
        with no_collection():
            installed, lasting = parse_saved(text, self._table)
        ends = {name: [begun + each for each in some] for name, some in lasting.items()}
        self._watch.begin(elements, ends | self._allow_ends(elements))
        return installed

    def allowed(self) -> frozenset[Prefix]:
        """Read back the allow set, which is in sets of its own."""
        there = read_headers()
        names = [name for name in map(allow_name, self.versions) if name in there]
        return allowed_in("".join(map(ipset_sets.save, names)), self.versions)

    def apply(self, plan: Plan, now: datetime) -> None:
        """Change the allow set, then lift, then add."""
        there = read_headers()
        self._watch.is_touched(there, self.stopwatch())
        if plan.allow is not None:
            self._allow(plan.allow, there)
        tally = self._send(plan, now, there)
        if tally.unplaced:
            raise FirewallError(f"there is no set for {tally.unplaced} of {len(plan.add)} bans")

    def inspect(self) -> Inspection:
        """Look at the rules and their counters, and at saved files."""
        tables = self._chains.read()
        elements = ipset_sets.ours()
        lacking = sorted(self._table.by_name.keys() - elements.keys())
        found = (
            *faults(tables),
            *(f"the set {name} is missing: nobody is stopped by it" for name in lacking),
            *([self._uncovered] if self._uncovered else ()),
            *(
                f"rules of others use {name}, which the policy does not ask for any more: "
                "remove them"
                for name in sorted(self._held_on)
            ),
            *faults_of(self.root),
        )
        return Inspection(faults=found, traffic=traffic(tables, elements))

    def teardown(self) -> tuple[str, ...]:
        """Remove hooks and chains, in the other variant as well, then the sets."""
        removed = set(self._chains.remove())
        for chains in other_than(self._chains.variant, self._chains.versions):
            removed.update(chains.remove())
        removed.update(ipset_sets.destroy(ipset_sets.ours()))
        self._watch = Watch()
        return tuple(sorted(removed))

    def _take(self, layout: Layout) -> list[str]:
        """Remember which sets there are, and give their names."""
        versions = self._chains.versions
        self._table = SetTable(layout, versions)
        return [name for version in versions for name in names_of(layout, version)]

    def _clear_away(self, stale: AbstractSet[str]) -> None:
        """Remove sets that no policy asks for; empty those that rules of others hold on to.

        A rule of the operator's may name a set of ours: it must not keep the agent from work.
        """
        free = stale - self._held_on
        try:
            ipset_sets.destroy(free)
        except FirewallError:
            held = free & ipset_sets.ours().keys()
            ipset_sets.restore(f"flush {name}\n" for name in sorted(held))
            self._held_on |= held
        self._held_on &= ipset_sets.ours().keys()

    def _oust(self, names: Iterable[str]) -> None:
        """Remove sets that somebody made under our names and that can't hold bans.

        No set becomes another kind, and none can be removed that is in use.
        """
        strange = ipset_sets.strangers(names)
        if not strange:
            return
        ours = uses(self._chains.read())
        if held := sorted(name for name, count in strange.items() if count > ours[name]):
            raise FirewallError(
                f"{', '.join(held)}: somebody made a set of this name that can't hold what it "
                "has to, and rules of others use it: remove these rules"
            )
        if any(ours[name] for name in strange):
            self._chains.remove()
        ipset_sets.destroy(strange)

    def _version6(self, commands: Commands) -> tuple[int, ...]:
        """Give 6 where the kernel has IPv6 and a way to filter it."""
        if not _IF_INET6.exists():
            return ()
        try:
            for table in TABLES:
                commands.read(6, table)
        except FirewallError as error:
            self._uncovered = f"IPv6 is not covered: {error}"
            return ()
        return (6,)

    def _allow(self, wanted: frozenset[Prefix], there: Mapping[str, int]) -> None:
        versions = self._chains.versions
        names = [allow_name(version) for version in versions]
        if lacking := [name for name in names if name not in there]:
            raise FirewallError(f"the allow set is not there: {', '.join(lacking)}")
        held = allowed_in("".join(map(ipset_sets.save, names)), versions)
        try:
            ipset_sets.restore(allow_lines(wanted, held, versions))
        finally:
            elements = self._elements(read_headers())
            self._watch.change(
                elements, self._allow_ends(elements), dict.fromkeys(names, len(held))
            )

    def _send(self, plan: Plan, now: datetime, there: Mapping[str, int]) -> Tally:
        """Lift and add; what is refused does not keep the rest out."""
        tally, table = Tally(), self._table

        def lines() -> Iterator[str]:
            nonlocal tally
            tally = Tally()
            yield from lift_lines(plan.lift, table, there, tally)
            yield from add_lines(plan.add, table, now, tally)

        begun, added = self.stopwatch(), {}
        try:
            ipset_sets.restore_each(lines)
            added = {name: [begun + each for each in some] for name, some in tally.added.items()}
        except FirewallError as error:
            if gone := sorted(tally.added.keys() - read_headers().keys()):
                raise FirewallError(f"somebody removed {', '.join(gone)}: {error}") from error
            raise
        finally:
            self._watch.change(self._elements(read_headers()), added, tally.lifted)
        return tally

    def _elements(self, there: Mapping[str, int]) -> dict[str, float]:
        """Give how many each of our sets may hold from now on; packets themselves fill one."""
        versions = self._chains.versions
        names = [name for version in versions for name in names_of(self._table.layout, version)]
        seen = {seen_name(version) for version in versions}
        return {name: inf if name in seen else there.get(name, 0) for name in names}

    def _allow_ends(self, elements: Mapping[str, float]) -> dict[str, list[float]]:
        """Nothing of the allow set ends by itself."""
        names = map(allow_name, self._chains.versions)
        return {name: [inf] * int(elements.get(name, 0)) for name in names}
