"""Our chains in the kernel, whichever variant writes them: compared, mended and watched.

A table is written only when what is read differs from what a layout asks, and then all at
once: whenever the agent is killed, each table is as before or as wanted.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agent.act.iptables.rules import TABLES, Chain, chains_of
from agent.act.iptables.text import Change, Table, difference, removal
from agent.act.iptables.variant import Variant
from agent.errors import FirewallError, PrivilegeError
from agent.model.layout import Layout

_ATTEMPTS = 5
_PAUSE_S = 0.02
_Wanted = Callable[[int, str, Table], Change]
_Steps = list[tuple[int, Change]]


@dataclass(slots=True)
class Chains:
    """Those of all versions of IP.

    Attributes:
        variant: By which they are read and written.
        versions: Of IP that have rules.
    """

    variant: Variant
    versions: tuple[int, ...]
    _expected: object = None
    _printed: dict[tuple[int, Chain], tuple[str, ...]] = field(default_factory=dict)

    def missing(self, layout: Layout) -> tuple[str, ...]:
        """Give what `make` would have to make, and what `DIFFERS`; change nothing.

        Raises:
            FirewallError: It can't be read.
        """
        steps = self._steps(self._wanted_by(layout))
        return tuple(sorted({name for version, one in steps for name in one.lacks(version)}))

    def make(self, layout: Layout) -> tuple[str, ...]:
        """Make chains and hooks be there as this layout asks; give what had to be made.

        Raises:
            FirewallError: They are not there.
        """
        wanted = self._wanted_by(layout)
        done = self._carry_out(wanted)
        if done:
            self._learn(layout)
            if left := self._steps(wanted):
                raise FirewallError(f"made, but not there: {', '.join(_names(left))}")
        return _names(done)

    def remove(self) -> tuple[str, ...]:
        """Remove our chains and what leads into them; give what was there.

        Raises:
            FirewallError: Some of it is still there.
        """
        return _names(self._carry_out(lambda _, name, found: removal(name, found)))

    def read(self) -> dict[tuple[int, str], Table]:
        """Read all tables with chains of ours.

        Raises:
            FirewallError: They can't be read.
        """
        return {
            (version, name): self.variant.commands.read(version, name)
            for version in self.versions
            for name in TABLES
        }

    def is_touched(self) -> bool:
        """Whether somebody else has changed tables since the last `make`, as far as a look tells.

        Raises:
            FirewallError: It can't be told.
        """
        return self._expected is None or self.variant.look() != self._expected

    def _wanted_by(self, layout: Layout) -> _Wanted:
        chains = {version: chains_of(layout, version) for version in self.versions}

        def wanted(version: int, name: str, found: Table) -> Change:
            change = difference(name, found, chains[version])
            if change.drop:
                return change
            rewrite = tuple(
                one
                for one in change.rewrite
                if (version, one) not in self._printed
                or found.texts(one.name) != self._printed[version, one]
            )
            return replace(change, rewrite=rewrite)

        return wanted

    def _carry_out(self, wanted: _Wanted) -> _Steps:
        """Do what is to be done, and give it; somebody who was quicker means to begin again."""
        self._expected = None
        before = self.variant.look()
        if not self._steps(wanted):
            self._expected = before
            return []
        done: _Steps = []
        with self.variant.exclusive():
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._attempt(wanted, done)
                    break
                except PrivilegeError:
                    raise
                except FirewallError:
                    if attempt == _ATTEMPTS:
                        raise
                    time.sleep(_PAUSE_S)
        return done

    def _attempt(self, wanted: _Wanted, done: _Steps) -> None:
        before, writes = self.variant.look(), 0
        for version, change in self._steps(wanted):
            self.variant.write(version, change)
            done.append((version, change))
            writes += 1
        self._expected = self.variant.expected(before, writes)

    def _steps(self, wanted: _Wanted) -> _Steps:
        steps = (
            (version, wanted(version, name, found))
            for (version, name), found in self.read().items()
        )
        return [(version, change) for version, change in steps if change]

    def _learn(self, layout: Layout) -> None:
        """Keep how our rules are printed, where this release of the tool prints them otherwise.

        They have just been written as they should be: what differs now is only spelling.
        """
        tables = self.read()
        if self.is_touched():
            return
        for version in self.versions:
            for chain in chains_of(layout, version):
                texts = tables[version, chain.table].texts(chain.name)
                if texts is not None and len(texts) == len(chain.rules):
                    self._printed[version, chain] = texts


def _names(steps: _Steps) -> tuple[str, ...]:
    return tuple(sorted({name for version, change in steps for name in change.names(version)}))
