"""The firewall of nftables, in a table of our own: ``inet abuse_agent``.

Changes are scripts that ``nft`` hands to the kernel, which carries each out whole or not
at all; what is there is asked of the kernel itself, over netlink.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from agent.act import privilege
from agent.act.calm import no_collection
from agent.act.command import find, run
from agent.act.nftables import read as nft_read
from agent.act.nftables import structure as nft_structure
from agent.act.nftables.changes import Changes
from agent.act.nftables.layout import TABLE, Wanted, wanted
from agent.act.nftables.names import read_name
from agent.act.nftables.script import allow_script, table_script
from agent.act.nftables.send import PATIENCE_S, Sending
from agent.act.nftables.structure import Structure, stale_sets, wrong_chains
from agent.errors import FirewallError, ObserveError
from agent.kernel.nf_generation import generation
from agent.model.address import Prefix, collapsed
from agent.model.ban import Installed
from agent.model.inspection import Inspection, Traffic
from agent.model.layout import Layout
from agent.model.plan import Plan


@dataclass(slots=True)
class Nftables:
    """Keeps the contract of `agent.act.interface`.

    Attributes:
        stopwatch: Seconds that only go on.

    Raises:
        PrivilegeError: This process may not change it.
        FirewallError: There is no ``nft``.
    """

    stopwatch: Callable[[], float] = time.monotonic
    name: Final = "nftables"
    mode: Final = "live"
    outcome: Final = "ban.applied"
    versions: Final[tuple[int, ...]] = (4, 6)
    _layout: Layout = field(default_factory=Layout)
    _wanted: Wanted | None = None
    _generation: int = 0

    def __post_init__(self) -> None:
        """Look whether it can be used at all."""
        privilege.demand("CAP_NET_ADMIN")
        if find("nft") is None:
            raise FirewallError("there is no nft here: install nftables")

    def prepare(self, layout: Layout) -> tuple[str, ...]:
        """Make the table as the layout needs it, in one go; bans in sets that stay are kept."""
        want = wanted(layout)
        with _readable():
            self._generation = generation()
            there = nft_structure.read()
        made = _missing(there, want)
        if made is not None:
            self._make(there, want)
        self._layout, self._wanted = layout, want
        return made or ()

    def missing(self, layout: Layout) -> tuple[str, ...]:
        """Give what `prepare` would have to make, by name."""
        want = wanted(layout)
        with _readable():
            made = _missing(nft_structure.read(), want)
        self._layout, self._wanted = layout, want
        return made or ()

    def is_touched(self) -> bool:
        """Whether nf_tables was changed by anybody but this object since it was prepared."""
        with _readable():
            return generation() != self._generation

    def installed(self, now: datetime) -> Installed:  # noqa: ARG002 - the kernel has its own clock
        """Read back the bans and the allow set."""
        with _readable(), no_collection():
            if not nft_structure.is_there():
                return Installed()
            return nft_read.installed(nft_structure.set_shapes())

    def allowed(self) -> frozenset[Prefix]:
        """Read back the allow set, which is in sets of its own."""
        with _readable():
            if not nft_structure.is_there():
                return frozenset()
            return nft_read.allowed(nft_structure.set_shapes())

    def apply(self, plan: Plan, now: datetime) -> None:
        """Make `plan` true: the allow set, then hosts, then prefixes, which may be refused."""
        with _readable(), no_collection():
            if not nft_structure.is_there():
                raise FirewallError(f"there is no table inet {TABLE}")
            shapes = nft_structure.set_shapes()
            if plan.allow is not None:
                self._allow(plan.allow, nft_read.allowed(shapes))
            changes = Changes(plan, self._layout, frozenset(shapes), now)
            sending = Sending(self._run, self.stopwatch)
            sending.changes(changes.hosts)
            sending.changes(changes.nets)
        if refused := len(changes.homeless) + sending.refused:
            why = sending.why or "there is no set for them"
            raise FirewallError(f"nftables did not take {refused} changes: {why}")

    def inspect(self) -> Inspection:
        """Look at the table, and count what its rules have stopped."""
        with _readable():
            there = nft_structure.read()
            counts = {
                name: nft_read.count(name, found[1])
                for name in there.sets
                if (found := read_name(name))
            }
        faults = tuple(nft_structure.faults(there))
        if not faults and self._wanted and _missing(there, self._wanted) is not None:
            faults = (f"the table inet {TABLE} is not as the policy needs it: start the agent",)
        return Inspection(faults=faults, traffic=tuple(_traffic(there, counts)))

    def teardown(self) -> tuple[str, ...]:
        """Remove the table."""
        with _readable():
            if not nft_structure.is_there():
                return ()
        self._run([f"delete table inet {TABLE}\n"])
        return (f"inet {TABLE}",)

    def _make(self, there: Structure, want: Wanted) -> None:
        """Mend the table, or begin anew where somebody's things in it are in the way."""
        began = self.stopwatch()
        try:
            self._run(table_script(there, want))
        except FirewallError:
            if self.stopwatch() - began >= PATIENCE_S:
                raise
            anew = (f"add table inet {TABLE}\n", f"delete table inet {TABLE}\n")
            self._run((*anew, *table_script(Structure(), want)))
        with _readable():
            if _missing(nft_structure.read(), want) is not None:
                raise FirewallError(f"the table inet {TABLE} is not as it was made")

    def _allow(self, prefixes: Iterable[Prefix], there: frozenset[Prefix]) -> None:
        want = collapsed(prefixes)
        if want != there:
            self._run(allow_script(sorted(want, key=lambda one: (one.version, one))))

    def _run(self, lines: Iterable[str], patience_s: float = PATIENCE_S) -> None:
        """Have the kernel carry out a script, and count it as a change of our own.

        It counts one, whatever others did in between: what they did is seen afterwards.
        """
        run("nft", "-f", "-", lines=lines, patience_s=patience_s)
        with _readable():
            if self._generation and generation() != self._generation:
                self._generation += 1


@contextmanager
def _readable() -> Iterator[None]:
    """Turn what the kernel does not tell into an error of the firewall."""
    try:
        yield
    except ObserveError as error:
        raise FirewallError(f"nftables can't be read: {error}") from error


def _missing(there: Structure, want: Wanted) -> tuple[str, ...] | None:
    """Give what has to be made, by name; None when all is as it is wanted."""
    if not there.is_there:
        return (f"inet {TABLE}",)
    stale, wrong = stale_sets(there, want), wrong_chains(there, want)
    absent = [name for name in want.sets if name in stale or name not in there.sets]
    if not (stale or wrong or absent or there.flags):
        return None
    table = [f"inet {TABLE}"] if there.flags else []
    return tuple(sorted([*table, *absent, *(name for name in wrong if name in want.chains)]))


def _traffic(there: Structure, counts: dict[str, int]) -> Iterator[Traffic]:
    """Sum up by set; what is held is counted in a chain that has the set's name."""
    sums = {name: [0, 0] for name in counts}
    for chain, rules in there.rules.items():
        for rule in rules:
            name = chain.removeprefix("held-") if chain.startswith("held-") else rule.set_name
            if name in sums:
                sums[name][0] += rule.packets
                sums[name][1] += rule.size_bytes
    for name, (packets, size) in sorted(sums.items()):
        yield Traffic(name=name, elements=counts[name], packets=packets, size_bytes=size)
